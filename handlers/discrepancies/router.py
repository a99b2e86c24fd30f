"""Discrepancies: the list of money in suspense, a card for each, and what is decided about it,
with the reason that is given in reply."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.people.actors import Actor
from core.people.district import People
from core.system.district import System
from core.trade.discrepancies import PAGE_SIZE, Discrepancies, seen_by
from core.trade.district import Trade
from handlers.approvals.proofs import ask_proof
from handlers.discrepancies.buttons import (
    AnswerResolution,
    OnDiscrepancy,
    OpenDiscrepancies,
    TurnDiscrepancies,
)
from handlers.discrepancies.screens import DiscrepanciesNotice, DiscrepancyLine
from handlers.discrepancies.words import ShowDiscrepancies
from handlers.kit.chat import Chat, request_id
from handlers.kit.context import GiveReason, GivesReason, Press, Presses, Wants
from handlers.kit.dialogues import Dialogues

HISTORY_DAYS: Final = 7
HISTORY_LINES: Final = 5


def add_routes(routes: Router) -> None:
    """Money came, and nobody knows yet whose it is."""
    routes.message.register(show, Wants(ShowDiscrepancies))
    routes.callback_query.register(turn, Presses(TurnDiscrepancies))
    routes.callback_query.register(open_list, Presses(OpenDiscrepancies))
    routes.callback_query.register(press, Presses(OnDiscrepancy))
    routes.message.register(give_reason, GivesReason("resolve"))
    routes.callback_query.register(answer, Presses(AnswerResolution))


async def show(
    _: Message, chat: Chat, intent: ShowDiscrepancies, people: People, trade: Trade, system: System
) -> None:
    """The first page, and what was decided lately."""
    actor = chat.actor
    actor.need("resolve")
    merchant_id = None
    if intent.merchant_no is not None or actor.merchant_ids == ():  # nothing is seen here
        merchant = await people.access.merchant_in(
            actor, intent.merchant_no, example="/discrepancies M1001"
        )
        merchant_id = merchant.id
    wanted = TurnDiscrepancies(1, merchant_id, intent.test)
    await chat.say(await _page(trade.discrepancies, actor, wanted, system.clock.now()))


async def turn(
    _: CallbackQuery, chat: Chat, button: TurnDiscrepancies, trade: Trade, system: System
) -> None:
    """Another page, in the place of the one that carries the button."""
    chat.actor.need("resolve")
    await chat.replace(await _page(trade.discrepancies, chat.actor, button, system.clock.now()))


async def open_list(
    _: CallbackQuery, chat: Chat, button: OpenDiscrepancies, trade: Trade, system: System
) -> None:
    """A merchant's first page, in reply to the alarm that carries the button."""
    chat.actor.need("resolve")
    wanted = TurnDiscrepancies(1, button.merchant_id)
    await chat.say(await _page(trade.discrepancies, chat.actor, wanted, system.clock.now()))


async def press(_: CallbackQuery, chat: Chat, button: OnDiscrepancy, trade: Trade) -> None:
    """Open a card in reply; or turn it into the question why to do what its button says."""
    actor, which = chat.actor, button.discrepancy_id
    if button.action == "open":
        await trade.discrepancies.show(actor, which, reply_to=chat.message_id)
        return
    await trade.discrepancies.ask(actor, which, button.action, message_id=chat.message_id)


async def give_reason(message: Message, chat: Chat, intent: GiveReason, trade: Trade) -> None:
    """The question asks whether to do it now; a completion is asked as every other is."""
    await trade.discrepancies.give_reason(
        chat.actor,
        intent.why.approval_id,
        intent.reason,
        message_id=intent.question_message_id,
        reply_id=chat.message_id,
        request_id=request_id(message),
    )


async def answer(
    _: CallbackQuery,
    chat: Chat,
    button: AnswerResolution,
    press: Press,
    system: System,
    people: People,
    trade: Trade,
    dialogues: Dialogues,
) -> None:
    """Have a yes proven in private, or show the card again. A second press finds the question
    answered."""
    asked, message_id = button.approval_id, chat.message_id
    if not button.yes:
        await trade.discrepancies.drop(chat.actor, asked, message_id=message_id)
    elif await trade.discrepancies.accept(chat.actor, asked, message_id=message_id):
        await ask_proof(chat, press, system, people, dialogues, asked)


async def _page(
    discrepancies: Discrepancies, actor: Actor, wanted: TurnDiscrepancies, now: datetime
) -> DiscrepanciesNotice:
    """A page: of one merchant, or of all that the actor sees here."""
    scope, merchant_id = actor.merchant_ids, wanted.merchant_id
    if merchant_id is not None:
        scope = (merchant_id,) if actor.sees(merchant_id) else ()
    mode = "test" if wanted.test else "live"
    page = await discrepancies.open_ones(scope, wanted.page, mode=mode)
    resolved = await discrepancies.history(scope, HISTORY_DAYS, mode=mode, limit=HISTORY_LINES)
    return DiscrepanciesNotice(
        merchant_id=merchant_id,
        mode=mode,
        page=page.number,
        pages=page.pages,
        first=(page.number - 1) * PAGE_SIZE + 1,
        total=page.total,
        lines=tuple(
            DiscrepancyLine(seen_by(actor, one), int((now - one.at).total_seconds() // 60))
            for one in page.items
        ),
        days=HISTORY_DAYS,
        resolved=tuple(resolved),
    )
