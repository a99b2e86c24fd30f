"""Completion by hand: asked with a reason, answered by a button of the same person, who proves it
in private. A wrong one is reversed by two people. What was completed is listed by pages."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.kernel.days import Days
from core.kernel.holder import HOUSE
from core.parties.district import Parties
from core.parties.merchants import Merchant
from core.people.district import People
from core.reports.district import Reports
from core.system.district import System
from core.trade.district import Trade
from handlers.approvals.proofs import ask_proof
from handlers.kit.chat import Chat, proof_of, request_id
from handlers.kit.context import GiveReason, GivesReason, Press, Presses, Wants
from handlers.kit.dialogues import Dialogues
from handlers.orders.buttons import AnswerCompletion, AnswerReversal, TurnCompletions
from handlers.orders.screens import CompletionsNotice
from handlers.orders.words import Complete, ShowCompletions, Uncomplete
from texts.days import resolve


def add_routes(routes: Router) -> None:
    """An order is paid although no callback came, or is not although somebody said so."""
    routes.message.register(ask, Wants(Complete))
    routes.message.register(give_reason, GivesReason("complete"))
    routes.callback_query.register(answer, Presses(AnswerCompletion))
    routes.message.register(show_completions, Wants(ShowCompletions))
    routes.callback_query.register(turn_completions, Presses(TurnCompletions))
    routes.message.register(ask_reversal, Wants(Uncomplete))
    routes.callback_query.register(answer_reversal, Presses(AnswerReversal))


async def show_completions(
    _: Message, chat: Chat, intent: ShowCompletions, people: People, reports: Reports, trade: Trade
) -> None:
    """The first page of the days: of one merchant, or of all."""
    chat.actor.need_among_staff("see_channel")
    merchant = None
    if intent.number is not None:
        merchant = await people.access.merchant_in(chat.actor, intent.number)
    days = resolve(intent.days, await reports.bills.open_day(merchant.id if merchant else HOUSE))
    await chat.say(await _page(chat, trade, merchant, days, 1))


async def turn_completions(
    _: CallbackQuery, chat: Chat, button: TurnCompletions, parties: Parties, trade: Trade
) -> None:
    """Another page: in the place of the one that carries the button, or beside a bill."""
    chat.actor.need_among_staff("see_channel")
    merchant = None
    if button.merchant_id is not None:
        merchant = await parties.merchants.by_id(button.merchant_id)
    days = Days(button.first, button.last)
    page = await _page(chat, trade, merchant, days, button.page)
    await (chat.say(page) if button.fresh else chat.replace(page))


async def _page(
    chat: Chat, trade: Trade, merchant: Merchant | None, days: Days, page: int
) -> CompletionsNotice:
    merchant_id = merchant.id if merchant else None
    found = await trade.lookups.completions(chat.actor, merchant_id, (days.first, days.last), page)
    return CompletionsNotice(
        merchant_id=merchant_id,
        merchant_no=merchant.merchant_no if merchant else "",
        merchant_name=merchant.name if merchant else "",
        zone=merchant.day_cut.zone if merchant else await chat.zone(),
        first=days.first,
        last=days.last,
        page=found.number,
        pages=found.pages,
        count=found.count,
        lines=found.lines,
    )


async def ask(message: Message, chat: Chat, intent: Complete, trade: Trade) -> None:
    """Ask the supplier, then put the question. A picture whose caption this is becomes evidence."""
    chat.actor.need("complete")
    await trade.completions.ask(
        chat.actor,
        intent.number,
        intent.reason,
        message_id=chat.message_id,
        request_id=request_id(message),
        proof_file_id=proof_of(message),
    )


async def give_reason(message: Message, chat: Chat, intent: GiveReason, trade: Trade) -> None:
    """The reply to who pressed the card's button: as if it stood behind the command."""
    asked = await trade.reasons.open(chat.actor, intent.why)
    await ask(message, chat, Complete(asked.question.order_no, intent.reason), trade)
    await trade.reasons.close(chat.actor, asked, message_id=intent.question_message_id)


async def answer(
    _: CallbackQuery,
    chat: Chat,
    button: AnswerCompletion,
    press: Press,
    system: System,
    people: People,
    trade: Trade,
    dialogues: Dialogues,
) -> None:
    """Have a yes proven in private, or drop it. A second press finds the question answered."""
    asked, message_id = button.approval_id, chat.message_id
    if not button.yes:
        await trade.completions.drop(chat.actor, asked, message_id=message_id)
    elif await trade.completions.accept(chat.actor, asked, message_id=message_id):
        await ask_proof(chat, press, system, people, dialogues, asked)


async def ask_reversal(message: Message, chat: Chat, intent: Uncomplete, trade: Trade) -> None:
    """Put the question, which a second person answers."""
    chat.actor.need("uncomplete")
    await trade.completions.ask_reversal(
        chat.actor,
        intent.number,
        intent.reason,
        message_id=chat.message_id,
        request_id=request_id(message),
    )


async def answer_reversal(
    _: CallbackQuery, chat: Chat, button: AnswerReversal, trade: Trade
) -> None:
    """Reverse the completion, or drop the question."""
    asked, message_id = button.approval_id, chat.message_id
    if not button.yes:
        await trade.completions.drop_reversal(chat.actor, asked, message_id=message_id)
        return
    await trade.completions.confirm_reversal(
        chat.actor, asked, message_id=message_id, request_id=request_id(chat.message)
    )
