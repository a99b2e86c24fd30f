"""The buttons under alarms: what an alarm goes by, shown to staff among themselves."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import CallbackQuery

from core.books import Ledger
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.parties.district import Parties
from core.people.district import People
from core.people.parked import AlarmParked
from core.trade.callbacks import AlarmRefused
from core.trade.district import Trade
from core.trade.orders import AlarmContradiction, together
from handlers.alarms.buttons import OnAlarm
from handlers.alarms.screens import ParkedMessages, Sightings, sent_again, trouble_of
from handlers.kit.chat import Chat
from handlers.kit.context import Press, Presses
from handlers.orders.trace import tell_refused


def add_routes(routes: Router) -> None:
    """Something is wrong: why is that said?"""
    routes.callback_query.register(on_alarm, Presses(OnAlarm))


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
        trouble = trouble_of(await people.alarms.get(button.alarm_id))
        if not isinstance(trouble, AlarmParked):
            raise Refusal("record_not_found")
        count = await people.parked.send_again(actor, trouble.chat_id)
        await press.answer(sent_again(count, actor.language))
        return
    actor.need_for("see_channel")
    trouble = trouble_of(await people.alarms.get(button.alarm_id))
    zone = (await ledger.calendar.cut_of(HOUSE)).zone
    match trouble:
        case AlarmRefused():
            supplier = await parties.suppliers.by_no(trouble.supplier_no)
            found = await trade.refused_callbacks.of_supplier(supplier.id)
            await tell_refused(chat, found, ledger, supplier_no=supplier.supplier_no)
        case AlarmContradiction(upstream_no=""):
            found = await trade.refused_callbacks.of_attempts(
                trouble.merchant_id, [trouble.attempt_no]
            )
            await tell_refused(chat, found, ledger, order_no=trouble.order_no)
        case AlarmContradiction(supplier_no=supplier_no, upstream_no=upstream_no):
            supplier = await parties.suppliers.by_no(supplier_no)
            seen = await trade.contradictions.sightings(supplier.id, upstream_no)
            shown = Sightings(supplier_no, upstream_no, zone, tuple(seen), together(seen))
            await chat.say(shown)
        case AlarmParked():
            lines = await people.parked.of_chat(trouble.chat_id)
            await chat.say(ParkedMessages(trouble.chat, zone, tuple(lines)))
        case _:
            raise Refusal("record_not_found")
