"""Prepayments: `+1000` and its relatives, the undo button, and messages that were edited."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.access import Actor
from core.errors import Refusal
from core.merchants import Merchant
from core.money import EXPONENTS, parse_money
from core.outbox import Say
from core.prepayments import Advance, Cause, convert
from core.runtime import Runtime
from handlers.advances import MAX_REMARK_CHARS, AdvanceLine, PhoneLike
from handlers.buttons import UndoPrepayment
from handlers.context import Presses, Wants, say, say_privately, say_refusal
from handlers.intents import Advances, AdvancesFault, Intent

# A money command found later than this (after an outage) is not carried out by itself.
STALE_AFTER: Final = timedelta(minutes=10)
_USDT_STEP: Final = Decimal(1).scaleb(-EXPONENTS["USDT"])


def router() -> Router:
    """Money that is advanced or taken back."""
    routes = Router(name="prepayments")
    routes.message.register(record, Wants(Advances))
    routes.message.register(unreadable, Wants(AdvancesFault))
    routes.edited_message.register(edited)
    routes.callback_query.register(undo, Presses(UndoPrepayment))
    return routes


async def record(message: Message, intent: Advances, actor: Actor, runtime: Runtime) -> None:
    """Book every line, or none: all of them are checked before the first is written."""
    actor.need("prepay")
    booked = await _booked_lines(runtime, message.chat.id, message.message_id)
    waiting = [line for line in intent.lines if line.line not in booked]
    if not waiting:
        return
    if runtime.clock.now() - message.date > STALE_AFTER:
        facts = {"lines": [line.line for line in waiting], "all": not booked}
        await say(runtime, actor, "stale_money", facts, message.message_id)
        return
    decided: list[tuple[Merchant, Advance, int]] = []
    for line in waiting:
        try:
            merchant = await runtime.access.merchant_in(actor, line.merchant_no)
            decided.append((merchant, advance_of(line, merchant.currency), line.line))
        except Refusal as refusal:
            which = line.line if len(intent.lines) > 1 else 0
            await say_refusal(runtime, actor, refusal, message.message_id, line=which)
            return
    for merchant, advance, number in decided:
        cause = Cause(message.chat.id, message.message_id, number)
        await runtime.prepayments.record(actor, merchant, advance, cause)


def advance_of(line: AdvanceLine, currency: str) -> Advance:
    """A line as money. Refusals: amount_invalid.

    `+100u/7.2` is 100 USDT, converted at 7.2. `+700/7.2` is 700 of the merchant's own currency
    that were handed out as USDT at 7.2: booked as they are, the USDT noted in the remark.
    """
    written = format(line.amount, "f")
    if line.unit:
        advance = Advance(parse_money(written, line.unit), line.remark, line.rate)
    else:
        remark = line.remark
        if line.rate is not None:
            usdt = (line.amount / line.rate).quantize(_USDT_STEP, ROUND_HALF_UP)
            note = f"{usdt:,f} USDT @ {line.rate}"
            remark = f"{note} · {remark}" if remark else note
        advance = Advance(parse_money(written, currency), remark[:MAX_REMARK_CHARS])
    convert(advance, currency)
    return advance


async def unreadable(
    message: Message, intent: AdvancesFault, actor: Actor, runtime: Runtime
) -> None:
    """Say which line, and that nothing was booked. Talk of others is left alone."""
    if not actor.may("prepay"):
        if intent.sure:
            actor.need("prepay")
        return
    fault = intent.fault
    why = "phone" if isinstance(fault, PhoneLike) else fault.why
    facts = {"line": fault.line, "text": fault.text, "why": why}
    # What may be a phone number is only a hint, and nobody else's business.
    tell = say_privately if why == "phone" else say
    await tell(runtime, actor, "money_unreadable", facts, message.message_id)


async def edited(message: Message, intent: Intent | None, actor: Actor, runtime: Runtime) -> None:
    """An edit never moves money: what was booked stays, what was not is not."""
    if not actor.may("prepay"):
        return
    booked = await _booked_lines(runtime, message.chat.id, message.message_id)
    if booked or isinstance(intent, Advances | AdvancesFault):
        facts = {"records": list(booked.values())}
        await say(runtime, actor, "edited_money", facts, message.message_id)


async def undo(
    query: CallbackQuery, button: UndoPrepayment, actor: Actor, runtime: Runtime
) -> None:
    """Take a prepayment back, and strike its receipt through."""
    actor.need("prepay")
    if query.message is None:
        return
    merchant = await _merchant_of(runtime, actor, button.prepayment_id)
    message_id = query.message.message_id
    reversed_by = await runtime.prepayments.undo(
        actor, merchant, button.prepayment_id, Cause(actor.chat_id, message_id, 0)
    )
    receipt = await _receipt(runtime, merchant.id, button.prepayment_id)
    facts = {
        **receipt,
        "undone_by": reversed_by["actor_name"],
        "undone_no": reversed_by["record_no"],
    }
    await runtime.outbox.say(
        runtime.store, actor.chat_id, Say("prepaid", facts, edit_message_id=message_id),
        merchant_id=merchant.id,
    )  # fmt: skip


async def _booked_lines(runtime: Runtime, chat_id: int, message_id: int) -> dict[int, str]:
    """line -> record number, of what a message has moved already."""
    rows = await runtime.store.fetch(
        "SELECT line, receipt->>'record_no' AS record_no FROM cause"
        " WHERE chat_id = $1 AND message_id = $2 AND line > 0 ORDER BY line",
        chat_id, message_id,
    )  # fmt: skip
    return {row["line"]: row["record_no"] for row in rows}


async def _merchant_of(runtime: Runtime, actor: Actor, prepayment_id: UUID) -> Merchant:
    """Whose prepayment it is, among the merchants this actor sees. Refusals: record_not_found."""
    scope = None if actor.merchant_ids is None else list(actor.merchant_ids)
    found = await runtime.store.fetchval(
        "SELECT holder_id FROM voucher"
        " WHERE holder_id = ANY(coalesce($1::uuid[], ARRAY(SELECT id FROM merchant)))"
        " AND id = $2",
        scope, prepayment_id,
    )  # fmt: skip
    if found is None:
        raise Refusal("record_not_found")
    return await runtime.merchants.by_id(found)


async def _receipt(runtime: Runtime, merchant_id: UUID, prepayment_id: UUID) -> dict[str, Any]:
    """The receipt as it was given when the prepayment was booked."""
    found: dict[str, Any] = await runtime.store.fetchval(
        "SELECT c.receipt FROM voucher p"
        " JOIN cause c ON c.chat_id = p.chat_id AND c.message_id = p.message_id"
        " WHERE p.holder_id = $1 AND p.id = $2 AND c.receipt->>'prepayment_id' = $3",
        merchant_id, prepayment_id, str(prepayment_id),
    )  # fmt: skip
    return found
