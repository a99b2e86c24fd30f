"""Bills and the day's prepayments."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.access import Actor
from core.errors import Refusal
from core.merchants import Merchant
from core.outbox import Bill
from core.runtime import Runtime
from handlers.buttons import TurnBill
from handlers.context import Presses, Wants, say
from handlers.intents import ShowBill, ShowPrepaid

_Day = date | Literal["today", "yesterday"]


def router() -> Router:
    """What a business day came to."""
    routes = Router(name="bills")
    routes.message.register(show_bill, Wants(ShowBill))
    routes.message.register(show_prepaid, Wants(ShowPrepaid))
    routes.callback_query.register(turn_bill, Presses(TurnBill))
    return routes


async def show_bill(message: Message, intent: ShowBill, actor: Actor, runtime: Runtime) -> None:
    """One bill for each merchant of the group, or the one that is named."""
    actor.need("read_money")
    for merchant in await _merchants(runtime, actor, intent.merchant_no):
        day = await _resolve(runtime, merchant, intent.day)
        await runtime.outbox.say(
            runtime.store, actor.chat_id,
            Bill(str(merchant.id), day=day.isoformat(), reply_to=message.message_id),
            merchant_id=merchant.id,
        )  # fmt: skip


async def show_prepaid(
    message: Message, intent: ShowPrepaid, actor: Actor, runtime: Runtime
) -> None:
    """The day's prepayments, with who and what was undone."""
    actor.need("read_money")
    for merchant in await _merchants(runtime, actor, intent.merchant_no):
        day = await _resolve(runtime, merchant, intent.day)
        bill = await runtime.bills.bill(merchant.id, day)
        facts = {
            "merchant_no": merchant.merchant_no,
            "merchant_name": merchant.name,
            "currency": bill.currency,
            "zone": bill.zone,
            "day": day.isoformat(),
            "count": bill.prepaid_count,
            "sum_minor": bill.prepaid_minor,
            "lines": [
                {
                    "at": line.at.isoformat(),
                    "record_no": line.record_no,
                    "minor": line.minor,
                    "actor_name": line.actor_name,
                    "remark": line.remark,
                    "undone_by": line.undone_by,
                }
                for line in bill.prepaid_lines
            ],
        }
        await say(runtime, actor, "prepaid_history", facts, message.message_id)


async def turn_bill(query: CallbackQuery, button: TurnBill, actor: Actor, runtime: Runtime) -> None:
    """Another day in the same message; beside the live bill, which stays, in a new one."""
    actor.need("read_money")
    if query.message is None:
        return
    if not actor.sees(button.merchant_id):
        raise Refusal("record_not_found")
    merchant = await runtime.merchants.by_id(button.merchant_id)
    day = (await _resolve(runtime, merchant, button.day)).isoformat()
    message_id = query.message.message_id
    bill = (
        Bill(str(merchant.id), day=day, reply_to=message_id)
        if button.fresh
        else Bill(str(merchant.id), day=day, edit_message_id=message_id)
    )
    await runtime.outbox.say(runtime.store, actor.chat_id, bill, merchant_id=merchant.id)


async def _merchants(runtime: Runtime, actor: Actor, merchant_no: str | None) -> list[Merchant]:
    """The merchant that is named, or every one this group is bound to."""
    if merchant_no is None and actor.group is not None and len(actor.group.merchant_ids) > 1:
        return [await runtime.merchants.by_id(m) for m in actor.group.merchant_ids]
    return [await runtime.access.merchant_in(actor, merchant_no)]


async def _resolve(runtime: Runtime, merchant: Merchant, day: _Day) -> date:
    if isinstance(day, date):
        return day
    today = await runtime.bills.open_day(merchant)
    return today if day == "today" else today - timedelta(days=1)
