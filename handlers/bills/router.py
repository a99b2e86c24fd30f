"""Bills, and the prepayments of business days."""

from __future__ import annotations

from typing import Any

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.accounts.vouchers import VoucherLine
from core.delivery.outbox import Bill, DeskBill, Fact, Say, Stored
from core.kernel.days import Days
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.runtime import Runtime
from handlers.bills.buttons import TurnBill, TurnVouchers
from handlers.bills.words import ShowBill, ShowPrepaid
from handlers.kit.context import Presses, Wants
from handlers.kit.holders import Holder, holder_behind, need_to_read, readable
from texts.days import NoSuchDay, Span, resolve


def router() -> Router:
    """What business days came to."""
    routes = Router(name="bills")
    routes.message.register(show_bill, Wants(ShowBill))
    routes.message.register(show_prepaid, Wants(ShowPrepaid))
    routes.callback_query.register(turn_bill, Presses(TurnBill))
    routes.callback_query.register(turn_vouchers, Presses(TurnVouchers))
    return routes


async def show_bill(message: Message, intent: ShowBill, actor: Actor, runtime: Runtime) -> None:
    """A bill for each merchant or supplier of the group, the one that is named, or the
    platform's."""
    for holder in await readable(runtime, actor, intent.number, intent.currency):
        days = await _meant(runtime, holder, intent.days)
        await _tell(runtime, actor, holder, _bill(holder, days, reply_to=message.message_id))


async def turn_bill(query: CallbackQuery, button: TurnBill, actor: Actor, runtime: Runtime) -> None:
    """Other days in the same message; beside a bill that stays what it is, in a new one."""
    if query.message is None:
        return
    holder = await holder_behind(runtime, actor, button.holder, button.holder_id, button.currency)
    need_to_read(actor, holder)
    days = await _meant(runtime, holder, button.days)
    message_id = query.message.message_id
    fact = (
        _bill(holder, days, reply_to=message_id)
        if button.fresh
        else _bill(holder, days, edit_message_id=message_id)
    )
    await _tell(runtime, actor, holder, fact)


async def show_prepaid(
    message: Message, intent: ShowPrepaid, actor: Actor, runtime: Runtime
) -> None:
    """The days' prepayments by pages; in a supplier's group, what it paid in."""
    for holder in await readable(runtime, actor, intent.number):
        if holder.kind == "p":
            raise Refusal("merchant_needed", example="/prepaid M1001")
        days = await _meant(runtime, holder, intent.days)
        facts = await _page(runtime, holder, days, 1)
        await _tell(
            runtime, actor, holder,
            Say(Stored("prepaid_history", facts), reply_to=message.message_id),
        )  # fmt: skip


async def turn_vouchers(
    query: CallbackQuery, button: TurnVouchers, actor: Actor, runtime: Runtime
) -> None:
    """Another page in the same message."""
    if query.message is None:
        return
    holder = await holder_behind(runtime, actor, button.holder, button.holder_id)
    need_to_read(actor, holder)
    days = Days(button.first, button.last)
    facts = await _page(runtime, holder, days, button.page)
    await _tell(
        runtime, actor, holder,
        Say(Stored("prepaid_history", facts), edit_message_id=query.message.message_id),
    )  # fmt: skip


async def _meant(runtime: Runtime, holder: Holder, span: Span | NoSuchDay) -> Days:
    return resolve(span, await runtime.reports.bills.open_day(holder.id))


def _bill(
    holder: Holder, days: Days, *, reply_to: int | None = None, edit_message_id: int | None = None
) -> Fact:
    first, last = days.first.isoformat(), days.last.isoformat()
    if holder.kind == "m":
        return Bill(str(holder.id), first, last, reply_to, edit_message_id)
    if holder.kind == "s":
        return DeskBill(first, last, str(holder.id), reply_to, edit_message_id)
    return DeskBill(first, last, None, reply_to, edit_message_id, holder.currency)


async def _tell(runtime: Runtime, actor: Actor, holder: Holder, fact: Fact) -> None:
    if holder.kind == "m":
        await runtime.delivery.outbox.say(
            runtime.system.store, actor.chat_id, fact, merchant_id=holder.id
        )
    else:
        await runtime.delivery.outbox.say(runtime.system.store, actor.chat_id, fact)


async def _page(runtime: Runtime, holder: Holder, days: Days, page: int) -> dict[str, Any]:
    kind = "payin" if holder.kind == "s" else "prepayment"
    found = await runtime.accounts.vouchers.page(holder.id, kind, (days.first, days.last), page)
    return {
        "holder": holder.kind,
        "holder_id": str(holder.id),
        "holder_no": holder.no,
        "holder_name": holder.name,
        "currency": holder.currency,
        "zone": holder.day_cut.zone,
        "first": days.first.isoformat(),
        "last": days.last.isoformat(),
        "page": found.page,
        "pages": found.pages,
        "count": found.count,
        "sum_minor": found.sum_minor,
        "lines": [_line(line) for line in found.lines],
    }


def _line(line: VoucherLine) -> dict[str, Any]:
    return {
        "at": line.at.isoformat(),
        "record_no": line.record_no,
        "minor": line.minor,
        "original_minor": line.original_minor,
        "original_currency": line.original_currency,
        "conversion_rate": line.conversion_rate,
        "actor_name": line.actor_name,
        "remark": line.remark,
        "proof": line.proof,
        "undone_by": line.undone_by,
    }
