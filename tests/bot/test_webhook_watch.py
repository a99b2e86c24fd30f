"""The webhook is set, stays set, and is set back, against the sandbox's Telegram."""

from __future__ import annotations

import pytest
from aiogram import Bot
from structlog.testing import capture_logs

from bot.webhook_watch import CALM_LOOKS, LOOK_S, WebhookWatch
from core.runtime import Runtime
from tests.bot.support import Telegram
from tests.demo import eventually

URL, OTHER = "http://127.0.0.1:18080/telegram/1/abc", "http://127.0.0.1:9/somebody/s3cr3t"
KINDS = ["message", "callback_query"]


class Steady:
    """Seconds that only grow, when they are told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def steady() -> Steady:
    return Steady()


@pytest.fixture
def watch(runtime: Runtime, bot: Bot, steady: Steady) -> WebhookWatch:
    return WebhookWatch(runtime, bot, URL, secret="x" * 32, kinds=KINDS, monotonic=steady)


async def url_of(telegram: Telegram) -> str:
    found: str = (await telegram.state())["webhook"]["url"]
    return found


async def alarms(runtime: Runtime) -> list[tuple[str, int, str]]:
    rows = await runtime.system.store.fetch(
        "SELECT state, count, facts->>'host' AS host FROM alarm WHERE kind = 'webhook'"
    )
    return [(row["state"], row["count"], row["host"]) for row in rows]


async def test_it_is_set_at_once_and_only_where_it_differs(
    telegram: Telegram, watch: WebhookWatch, steady: Steady
) -> None:
    await watch.look()
    assert await url_of(telegram) == URL
    await telegram.fault("500", method="setWebhook")  # waits for a call that does not come
    for _ in range(3):
        steady.now_s += LOOK_S
        await watch.look()
    assert len((await telegram.state())["faults"]) == 1


async def test_while_telegram_is_away_it_is_tried_until_it_works(
    telegram: Telegram, watch: WebhookWatch, steady: Steady
) -> None:
    await telegram.fault("500", method="getWebhookInfo", times=8)
    with capture_logs():
        for _ in range(8):
            await watch.look()
            assert await url_of(telegram) == ""
            await watch.look()  # not before its pause is over
            steady.now_s += LOOK_S
    await watch.look()
    assert await url_of(telegram) == URL


async def test_it_is_set_again_after_it_was_deleted(
    telegram: Telegram, bot: Bot, runtime: Runtime, watch: WebhookWatch, steady: Steady
) -> None:
    await watch.look()
    await bot.delete_webhook()
    await watch.look()
    assert await url_of(telegram) == "", "looked at once a minute"
    steady.now_s += LOOK_S
    await watch.look()
    assert await url_of(telegram) == URL
    assert await alarms(runtime) == []


async def test_other_kinds_of_updates_are_put_right(
    telegram: Telegram, bot: Bot, watch: WebhookWatch, steady: Steady
) -> None:
    await watch.look()
    await bot.set_webhook(URL, allowed_updates=["message"])
    steady.now_s += LOOK_S
    await watch.look()
    assert sorted((await bot.get_webhook_info()).allowed_updates or []) == sorted(KINDS)


async def test_one_that_somebody_took_is_set_back_and_ops_is_told(
    telegram: Telegram, bot: Bot, runtime: Runtime, watch: WebhookWatch, steady: Steady
) -> None:
    await bot.set_webhook(OTHER)
    await watch.look()
    assert await url_of(telegram) == URL
    assert await alarms(runtime) == [], "at the start it may be an older address of this desk"
    for times in (1, 2):
        await bot.set_webhook(OTHER)
        steady.now_s += LOOK_S
        await watch.look()
        assert await url_of(telegram) == URL
        assert await alarms(runtime) == [("standing", times, "127.0.0.1")]
    for _ in range(CALM_LOOKS):
        steady.now_s += LOOK_S
        await watch.look()
    assert await alarms(runtime) == [("over", 2, "127.0.0.1")]


async def test_what_telegram_could_not_bring_is_counted_and_logged_once(
    telegram: Telegram, watch: WebhookWatch, steady: Steady
) -> None:
    await watch.look()
    await telegram.room.control(
        "act", {"as": 1004, "chat_id": 1004, "text": "nobody listens at this address"}
    )
    with capture_logs() as logs:

        async def told() -> bool:
            steady.now_s += LOOK_S
            await watch.look()
            return bool(logs)

        await eventually(told, what="Telegram tells what it could not bring")
    assert watch.backlog == 1
    assert [log["event"] for log in logs] == ["Telegram could not bring an update"]
