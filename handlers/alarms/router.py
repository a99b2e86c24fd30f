"""Alarms in the chat: those that stand, what one goes by, and who sees to it."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.books import Ledger
from core.delivery.outbox import Say
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.parties.district import Parties
from core.people.alarms import RIGHT
from core.people.district import People
from core.people.parked import AlarmParked
from core.supply.channels import AlarmChannel
from core.supply.district import Supply
from core.trade.callbacks import AlarmRefused
from core.trade.district import Trade
from core.trade.orders import AlarmContradiction, together
from handlers.alarms.buttons import CareFor, OnAlarm, TurnAlarms
from handlers.alarms.screens import (
    AlarmsNotice,
    OneAlarm,
    ParkedMessages,
    Sightings,
    given_up,
    sent_again,
    trouble_of,
)
from handlers.alarms.words import ShowAlarms
from handlers.kit.chat import Chat
from handlers.kit.context import Press, Presses, Wants
from handlers.kit.vocabulary import word
from handlers.orders.trace import tell_refused


def add_routes(routes: Router) -> None:
    """Something is wrong: what, why is that said, and who sees to it?"""
    routes.message.register(show, Wants(ShowAlarms))
    routes.callback_query.register(turn, Presses(TurnAlarms))
    routes.callback_query.register(care_for, Presses(CareFor))
    routes.callback_query.register(on_alarm, Presses(OnAlarm))


async def show(_: Message, chat: Chat, people: People) -> None:
    """The oldest of those that stand."""
    await chat.say(await _page(chat, people, 1))


async def turn(_: CallbackQuery, chat: Chat, button: TurnAlarms, people: People) -> None:
    """Another page, in the place of the one that carries the button."""
    await chat.replace(await _page(chat, people, button.page))


async def _page(chat: Chat, people: People, page: int) -> AlarmsNotice:
    return AlarmsNotice(await people.alarms.standing(chat.actor, page), await chat.zone())


async def care_for(
    _: CallbackQuery, chat: Chat, button: CareFor, press: Press, people: People, supply: Supply
) -> None:
    """Open an alarm in reply, or do what its button says. Ops groups' messages are edited by
    themselves; one that was opened elsewhere is shown as it is then."""
    actor, alarm_id = chat.actor, button.alarm_id
    match button.care:
        case "open":
            actor.need_among_staff(RIGHT)
            shown = OneAlarm(await people.alarms.get(alarm_id), await chat.zone())
            await chat.put(
                Say(shown, reply_to=chat.message_id, remember="alarm", ref=str(alarm_id))
            )
            return
        case "take":
            await people.alarms.take(actor, alarm_id)
        case "close":
            await people.alarms.close(actor, alarm_id)
        case "know":
            await people.lookalikes.know(actor, alarm_id)
        case "warn":
            await people.lookalikes.warn(actor, alarm_id)
        case "resume" | "off" as move:
            trouble = trouble_of(await people.alarms.get(alarm_id))
            if not isinstance(trouble, AlarmChannel):
                raise Refusal("record_not_found")
            await supply.catalogue.turn(actor, trouble.channel_no, move, None)
    await press.answer(word("alarm_care", button.care, actor.language))
    if actor.group is None:
        await chat.replace(OneAlarm(await people.alarms.get(alarm_id), await chat.zone()))


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
    """Answer the alarm with what it goes by, send again what could not be sent, or give it up."""
    actor = chat.actor
    if button.action != "evidence":
        trouble = trouble_of(await people.alarms.get(button.alarm_id))
        if not isinstance(trouble, AlarmParked):
            raise Refusal("record_not_found")
        if button.action == "again":
            count = await people.parked.send_again(actor, trouble.chat_id)
            await press.answer(sent_again(count, actor.language))
        else:
            count = await people.parked.drop(actor, trouble.chat_id)
            await press.answer(given_up(count, actor.language))
        return
    actor.need_for(RIGHT)
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
            await chat.say(ParkedMessages(button.alarm_id, trouble.chat, zone, tuple(lines)))
        case _:
            raise Refusal("record_not_found")
