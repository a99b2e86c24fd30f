"""What is wrong with a desk, and what to do: its servers, Telegram and its own address are asked.

Nothing is changed, nothing secret is shown, and no question takes longer than a few seconds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError, TelegramUnauthorizedError
from aiogram.types import ChatMemberAdministrator, ChatMemberOwner

from bot.telegram import telegram_bot
from bot.webhook import webhook_path, webhook_secret
from core.reports.instance import CLOCK_OFF_S
from core.runtime import Runtime
from core.system.settings import Settings

ASK_S: Final = 5
_MAX_GROUPS: Final = 10
_MANY_WAIT: Final = 100


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, and found. advice: what to do; empty where it is well."""

    name: str
    found: str
    advice: str = ""


async def examine(
    settings: Settings, runtime: Runtime, *, ask_s: int = ASK_S
) -> AsyncIterator[Check]:
    """One check after another. Those that need Telegram are left out without a token. ask_s: so
    long at most each question to somebody else takes."""
    async for check in _desk(runtime):
        yield check
    yield await _address(settings.public_url, ask_s)
    if settings.bot_token is None:
        yield Check("bot token", "not set", "set BOT_TOKEN: @BotFather gives it")
        return
    bot = telegram_bot(settings.bot_token.get_secret_value(), settings.telegram_api_base)
    try:
        async for check in _telegram(settings, runtime, bot, ask_s):
            yield check
    finally:
        await bot.session.close()


async def _desk(runtime: Runtime) -> AsyncIterator[Check]:
    """The servers, the clock, the key, and who is there."""
    system, people = runtime.system, runtime.people
    yield Check("database", f"answers; marked {await system.store.kind()}")
    redis = await system.throttle.answers()
    yield Check(
        "redis",
        "answers" if redis else "DOES NOT ANSWER",
        "" if redis else "start it, or look at REDIS_URL: each process counts for itself meanwhile",
    )
    health = await runtime.reports.instance.look()
    yield Check(
        "clock",
        f"{health.clock_ahead_s:+.1f} s against the database",
        ""
        if health.clock_right
        else f"set this machine's clock (NTP): more than {CLOCK_OFF_S:g} s off takes no part",
    )
    yield await _key(runtime)
    owners = await people.people.owners()
    yield Check(
        "owners",
        str(len(owners)),
        "" if len(owners) > 1 else "hire a second one with /hire: some things take two",
    )
    for name, count in (
        ("merchants", len(await runtime.parties.merchants.everybody())),
        ("suppliers", len(await runtime.parties.suppliers.all())),
    ):
        yield Check(name, str(count))
    waiting = await runtime.delivery.outbox.backlog()
    yield Check("messages that wait", str(waiting.get("waiting", 0)))
    parked = waiting.get("parked", 0)
    yield Check(
        "messages parked",
        str(parked),
        "look at the alarm in the ops group: it says why, and sends them again" if parked else "",
    )
    updates = await runtime.delivery.inbox.backlog()
    yield Check(
        "updates that wait",
        str(updates),
        "is the desk running? it takes them" if updates > _MANY_WAIT else "",
    )


async def _key(runtime: Runtime) -> Check:
    """Whether what is sealed opens with this key."""
    market = await runtime.supply.market.now()
    sealed = len(market.apps) + len(market.suppliers)
    faults = [f"{one.kind} {one.name}" for one in market.unread]
    if faults:
        advice = "is MASTER_KEY the one that the desk was opened with? else set those anew"
        return Check("master key", f"does not open: {', '.join(faults[:5])}", advice)
    return Check("master key", f"opens all {sealed} rows" if sealed else "nothing is sealed yet")


async def _address(public_url: str | None, ask_s: int) -> Check:
    """Whether the desk answers under its own address."""
    if not public_url:
        return Check("public url", "not set", "set PUBLIC_URL: where suppliers reach the desk")
    advice = "is the desk running? else look at DNS, certificate and proxy in front of it"
    limit = aiohttp.ClientTimeout(total=ask_s)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as http,
            http.get(f"{public_url}/healthz", allow_redirects=False) as answer,
        ):
            found = f"{public_url} answers {answer.status}"
            return Check("public url", found, "" if answer.status == HTTPStatus.OK else advice)
    except (aiohttp.ClientError, TimeoutError) as error:
        why = type(error).__name__
        return Check("public url", f"{public_url} does not answer ({why})", advice)


async def _telegram(
    settings: Settings, runtime: Runtime, bot: Bot, ask_s: int
) -> AsyncIterator[Check]:
    """The token, the webhook, what the bot hears, and what it may do in the ops groups."""
    try:
        me = await bot.get_me(request_timeout=ask_s)
        info = await bot.get_webhook_info(request_timeout=ask_s)
    except TelegramUnauthorizedError:
        yield Check("bot token", "refused", "BOT_TOKEN is not valid: ask @BotFather for /token")
        return
    except TelegramAPIError as error:
        advice = f"can this machine reach {settings.telegram_api_base}?"
        yield Check("telegram", f"does not answer ({type(error).__name__})", advice)
        return
    yield Check("bot token", f"@{me.username}")
    yield Check(
        "privacy mode",
        "off: the bot hears all" if me.can_read_all_group_messages else "on",
        ""
        if me.can_read_all_group_messages
        else "@BotFather, /setprivacy, Disable; or make the bot an administrator of each group",
    )
    expected = _expected(settings, bot.id)
    if not info.url:
        yield Check("webhook", "not set", "start the desk: it sets it")
    elif expected and info.url != expected:
        host = urlsplit(info.url).hostname
        advice = "a desk with these settings sets it; if it comes back, somebody has the token"
        yield Check("webhook", f"another address, at {host}", advice)
    else:
        yield Check("webhook", f"set, {info.pending_update_count} updates wait at Telegram")
    if info.last_error_message and info.last_error_date:
        at = f"{info.last_error_date:%Y-%m-%d %H:%M} UTC"
        stuck = "look at the public address: updates wait" if info.pending_update_count else ""
        yield Check("webhook's last fault", f"{at}: {info.last_error_message}", stuck)
    async for check in _groups(runtime, bot, ask_s):
        yield check


def _expected(settings: Settings, bot_id: int) -> str:
    """Where a desk with these settings has Telegram bring updates; empty where that is not set."""
    if settings.public_url is None or settings.master_key is None:
        return ""
    secret = webhook_secret(settings.master_key.get_secret_value(), bot_id)
    return settings.public_url + webhook_path(bot_id, secret)


async def _groups(runtime: Runtime, bot: Bot, ask_s: int) -> AsyncIterator[Check]:
    """What the bot may do in the ops groups."""
    chat_ids = await runtime.people.groups.ops(runtime.system.store)
    if not chat_ids:
        advice = "add the bot to a group of your staff and say /bind_ops: alarms go there"
        yield Check("ops group", "none", advice)
    for chat_id in chat_ids[:_MAX_GROUPS]:
        group = await runtime.people.groups.find(chat_id)
        name = f"ops group {group.title if group is not None else chat_id}"
        try:
            member = await bot.get_chat_member(chat_id, bot.id, request_timeout=ask_s)
        except TelegramAPIError as error:
            yield Check(name, f"not reached ({type(error).__name__})", "add the bot to it again")
            continue
        admin = isinstance(member, ChatMemberAdministrator | ChatMemberOwner)
        pins = admin and getattr(member, "can_pin_messages", True) is True
        found = f"administrator{'' if pins else ', may not pin'}" if admin else member.status
        yield Check(name, found, "" if pins else "make the bot an administrator that may pin")
