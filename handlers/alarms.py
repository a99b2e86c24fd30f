"""The buttons under alarms: what an alarm goes by, shown to staff among themselves."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery

from core.access import Actor
from core.alarms import Alarm
from core.ledger import HOUSE
from core.orders import together
from core.runtime import Runtime
from handlers.buttons import OnAlarm
from handlers.context import Presses, say
from handlers.tracing import tell_refused


def router() -> Router:
    """Something is wrong: why is that said?"""
    routes = Router(name="alarms")
    routes.callback_query.register(press, Presses(OnAlarm))
    return routes


async def press(query: CallbackQuery, button: OnAlarm, actor: Actor, runtime: Runtime) -> None:
    """Answer the alarm with what it goes by."""
    if query.message is None:
        return
    actor.need_for("see_channel")
    alarm = await runtime.alarms.get(button.alarm_id)
    reply_to, refused = query.message.message_id, runtime.refused_callbacks
    match alarm.kind:
        case "refused":
            supplier = await runtime.suppliers.by_no(alarm.facts["supplier_no"])
            found = await refused.of_supplier(supplier.id)
            await tell_refused(runtime, actor, found, reply_to, supplier_no=supplier.supplier_no)
        case "contradiction" if not alarm.facts["upstream_no"]:
            # It was refused before anything could be booked under a number.
            merchant_id = UUID(alarm.facts["merchant_id"])
            found = await refused.of_attempts(merchant_id, [alarm.facts["attempt_no"]])
            order_no = alarm.facts["order_no"]
            await tell_refused(runtime, actor, found, reply_to, order_no=order_no)
        case _:
            facts = await _sightings(runtime, alarm)
            facts["zone"] = (await runtime.ledger.cut_of(HOUSE)).zone
            await say(runtime, actor, "sightings", facts, reply_to)


async def _sightings(runtime: Runtime, alarm: Alarm) -> dict[str, Any]:
    """All that a supplier said under a payment number, side by side."""
    supplier_no, upstream_no = alarm.facts["supplier_no"], alarm.facts["upstream_no"]
    supplier = await runtime.suppliers.by_no(supplier_no)
    sightings = await runtime.contradictions.sightings(supplier.id, upstream_no)
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
