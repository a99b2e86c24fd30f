"""The buttons under alarms: what an alarm goes by, shown to staff among themselves."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery

from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.people.actors import Actor
from core.people.alarms import Alarm
from core.people.parked import KIND as PARKED
from core.runtime import Runtime
from core.trade.orders import together
from handlers.alarms.buttons import OnAlarm
from handlers.kit.context import Press, Presses, say
from handlers.kit.refusals import toast
from handlers.orders.trace import tell_refused


def router() -> Router:
    """Something is wrong: why is that said?"""
    routes = Router(name="alarms")
    routes.callback_query.register(on_alarm, Presses(OnAlarm))
    return routes


async def on_alarm(
    query: CallbackQuery, button: OnAlarm, actor: Actor, press: Press, runtime: Runtime
) -> None:
    """Answer the alarm with what it goes by, or send again what could not be sent."""
    if query.message is None:
        return
    if button.action == "again":
        alarm = await runtime.people.alarms.get(button.alarm_id)
        if alarm.kind != PARKED:
            raise Refusal("record_not_found")
        count = await runtime.people.parked.send_again(actor, alarm.facts["chat_id"])
        await press.answer(toast("sent_again", {"count": count}, actor.language))
        return
    actor.need_for("see_channel")
    alarm = await runtime.people.alarms.get(button.alarm_id)
    await _show(runtime, actor, alarm, query.message.message_id)


async def _show(runtime: Runtime, actor: Actor, alarm: Alarm, reply_to: int) -> None:
    refused = runtime.trade.refused_callbacks
    match alarm.kind:
        case "refused":
            supplier = await runtime.parties.suppliers.by_no(alarm.facts["supplier_no"])
            found = await refused.of_supplier(supplier.id)
            await tell_refused(runtime, actor, found, reply_to, supplier_no=supplier.supplier_no)
        case "contradiction" if not alarm.facts["upstream_no"]:
            # It was refused before anything could be booked under a number.
            merchant_id = UUID(alarm.facts["merchant_id"])
            found = await refused.of_attempts(merchant_id, [alarm.facts["attempt_no"]])
            order_no = alarm.facts["order_no"]
            await tell_refused(runtime, actor, found, reply_to, order_no=order_no)
        case "contradiction":
            facts = await _sightings(runtime, alarm)
            await say(runtime, actor, "sightings", facts | await _zone(runtime), reply_to)
        case "parked":
            facts = await _messages(runtime, alarm)
            await say(runtime, actor, "parked_messages", facts | await _zone(runtime), reply_to)
        case _:
            raise Refusal("record_not_found")


async def _zone(runtime: Runtime) -> dict[str, Any]:
    return {"zone": (await runtime.ledger.calendar.cut_of(HOUSE)).zone}


async def _messages(runtime: Runtime, alarm: Alarm) -> dict[str, Any]:
    """What could not be sent to a chat."""
    return {
        "chat": alarm.facts["chat"],
        "lines": [
            {
                "at": message.created_at.isoformat(),
                "topic": message.topic,
                "number": message.number,
                "fault": message.fault,
            }
            for message in await runtime.people.parked.of_chat(alarm.facts["chat_id"])
        ],
    }


async def _sightings(runtime: Runtime, alarm: Alarm) -> dict[str, Any]:
    """All that a supplier said under a payment number, side by side."""
    supplier_no, upstream_no = alarm.facts["supplier_no"], alarm.facts["upstream_no"]
    supplier = await runtime.parties.suppliers.by_no(supplier_no)
    sightings = await runtime.trade.contradictions.sightings(supplier.id, upstream_no)
    sum_ = together(sightings)
    return {
        "supplier_no": supplier_no,
        "upstream_no": upstream_no,
        "together_minor": sum_.minor if sum_ else 0,
        "lines": [
            {
                "at": sighting.at.isoformat(),
                "how": sighting.how,
                "address": sighting.address,
                "merchant_no": sighting.merchant_no,
                "order_no": sighting.order_no,
                "attempt_no": sighting.attempt_no,
                "paid_minor": sighting.paid.minor,
                "currency": sighting.paid.currency,
                "asked_minor": sighting.asked.minor,
                "asked_currency": sighting.asked.currency,
                "meaning": sighting.meaning,
                "contradicts": sighting.contradicts,
                "times": sighting.times,
            }
            for sighting in sightings
        ],
    }
