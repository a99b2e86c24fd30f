"""How the desk stands, in the chat."""

from __future__ import annotations

from datetime import timedelta

from aiogram.types import WebhookInfo

from handlers.screens import render_say
from handlers.status.buttons import RefreshStatus
from tests.handlers.dialogue import code, says
from tests.handlers.support import ADMIN, FINANCE, OPS, OWNER, SPRUCE, SUQING, Desk
from tests.handlers.telegram_html import read_html

SECRET_PATH = "/telegram/1/s3cr3t"


def webhook(desk: Desk, url: str, waiting: int = 0, fault: str | None = None) -> None:
    """What Telegram says of it from now on."""
    desk.line.webhook = WebhookInfo(
        url=url,
        has_custom_certificate=False,
        pending_update_count=waiting,
        last_error_message=fault,
        last_error_date=desk.runtime.system.clock.now() if fault else None,
    )


async def test_it_tells_of_webhook_queues_channels_jobs_and_instances(desk: Desk) -> None:
    store, clock = desk.runtime.system.store, desk.runtime.system.clock
    webhook(desk, desk.runtime.system.public_url + SECRET_PATH, 3, "Connection refused")
    (say,) = says(await desk.say(ADMIN, OPS, "系统状态"))
    before = {one["name"]: one["count"] for one in say.facts["standing"]["queues"]}
    await store.execute(
        "INSERT INTO telegram_update (bot_id, update_id, chat_id, body, due_at, received_at)"
        " VALUES (1, 1, 1, '{}', $1, $2)",
        clock.now(),
        clock.now() - timedelta(hours=5),
    )
    await desk.runtime.reports.ticks.take("verify_books", 86_400)
    channel = (await desk.runtime.supply.channels.all())[0]
    await store.execute(
        "UPDATE channel SET paused_at = $2, paused_until = $3 WHERE id = $1",
        channel.id,
        clock.now(),
        clock.now() + timedelta(minutes=5),
    )
    await desk.runtime.supply.market.reload()
    (say,) = says(await desk.say(ADMIN, OPS, "/status"))
    text = read_html(render_say(say, "zh").html)
    after = {one["name"]: one["count"] for one in say.facts["standing"]["queues"]}
    assert after["inbox"] == before["inbox"] + 1
    assert "5 小时" in text
    assert "127.0.0.1" in text
    assert "s3cr3t" not in str(say)
    assert "Connection refused" in text
    assert channel.channel_no in text
    assert "verify_books" in [one["job"] for one in say.facts["standing"]["jobs"]]
    assert "desk" in [one["name"] for one in say.facts["standing"]["instances"]]
    assert say.facts["webhook"]["ours"]


async def test_another_address_is_not_ours_and_silence_is_said(desk: Desk) -> None:
    for url in ("", "https://elsewhere.example/x", desk.runtime.system.public_url + "1/x"):
        webhook(desk, url)
        (say,) = says(await desk.say(OWNER, OWNER, "/status"))
        assert not say.facts["webhook"]["ours"], url
    desk.line.webhook = None
    (say,) = says(await desk.say(OWNER, OWNER, "/status"))
    assert say.facts["webhook"] is None


async def test_the_button_draws_it_anew_for_those_who_watch(desk: Desk) -> None:
    webhook(desk, "")
    (say,) = says(await desk.press(ADMIN, OPS, RefreshStatus().data()))
    assert (say.screen, say.edit_message_id is not None) == ("status", True)
    for user_id, chat_id, why in (
        (FINANCE, OPS, "not_permitted"), (SUQING, SPRUCE, "not_permitted"),
        (OWNER, SPRUCE, "staff_only"),
    ):  # fmt: skip
        assert code(says(await desk.say(user_id, chat_id, "/status"))[0]) == why
        assert says(await desk.press(user_id, chat_id, RefreshStatus().data())) == []
        assert desk.line.answers[-1].show_alert
