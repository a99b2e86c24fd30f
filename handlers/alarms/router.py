"""The buttons under alarms: what an alarm goes by, shown to staff among themselves."""

from __future__ import annotations

from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery

from core.books import Ledger
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.parties.district import Parties
from core.people.alarms import Alarm
from core.people.district import People
from core.people.parked import KIND as PARKED
from core.trade.district import Trade
from core.trade.orders import together
from handlers.alarms.buttons import OnAlarm
from handlers.alarms.screens import ParkedMessages, Sightings, sent_again
from handlers.kit.chat import Chat
from handlers.kit.context import Press, Presses
from handlers.orders.trace import tell_refused


def router() -> Router:
    """Something is wrong: why is that said?"""
    routes = Router(name="alarms")
    routes.callback_query.register(on_alarm, Presses(OnAlarm))
    return routes


async def on_alarm(
    _: CallbackQuery,
    chat: Chat,
    button: OnAlarm,
    press: Press,
    people: People,
    parties: Parties,
    trade: Trade,
    ledger: Ledger,
) -> None:
    """Answer the alarm with what it goes by, or send again what could not be sent."""
    actor = chat.actor
    if button.action == "again":
        alarm = await people.alarms.get(button.alarm_id)
        if alarm.kind != PARKED:
            raise Refusal("record_not_found")
        count = await people.parked.send_again(actor, alarm.facts["chat_id"])
        await press.answer(sent_again(count, actor.language))
        return
    actor.need_for("see_channel")
    alarm = await people.alarms.get(button.alarm_id)
    zone = (await ledger.calendar.cut_of(HOUSE)).zone
    match alarm.kind:
        case "refused" | "contradiction" if not alarm.facts.get("upstream_no"):
            await _tell_refused(chat, alarm, parties, trade, ledger)
        case "contradiction":
            await chat.say(await _sightings(alarm, parties, trade, zone))
        case "parked":
            lines = await people.parked.of_chat(alarm.facts["chat_id"])
            await chat.say(ParkedMessages(alarm.facts["chat"], zone, tuple(lines)))
        case _:
            raise Refusal("record_not_found")


async def _tell_refused(
    chat: Chat, alarm: Alarm, parties: Parties, trade: Trade, ledger: Ledger
) -> None:
    refused = trade.refused_callbacks
    if alarm.kind == "refused":
        supplier = await parties.suppliers.by_no(alarm.facts["supplier_no"])
        found = await refused.of_supplier(supplier.id)
        await tell_refused(chat, found, ledger, supplier_no=supplier.supplier_no)
        return
    # It was refused before anything could be booked under a number.
    merchant_id = UUID(alarm.facts["merchant_id"])
    found = await refused.of_attempts(merchant_id, [alarm.facts["attempt_no"]])
    await tell_refused(chat, found, ledger, order_no=alarm.facts["order_no"])


async def _sightings(alarm: Alarm, parties: Parties, trade: Trade, zone: str) -> Sightings:
    """All that a supplier said under a payment number, side by side."""
    supplier_no, upstream_no = alarm.facts["supplier_no"], alarm.facts["upstream_no"]
    supplier = await parties.suppliers.by_no(supplier_no)
    sightings = await trade.contradictions.sightings(supplier.id, upstream_no)
    return Sightings(supplier_no, upstream_no, zone, tuple(sightings), together(sightings))
