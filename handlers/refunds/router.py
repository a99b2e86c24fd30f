"""Refunds that only a person gets on: the buttons under the alarm, and the question they ask."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import CallbackQuery

from core.people.district import People
from core.system.district import System
from core.trade.district import Trade
from handlers.approvals.proofs import ask_proof
from handlers.kit.chat import Chat
from handlers.kit.context import Press, Presses
from handlers.kit.dialogues import Dialogues
from handlers.refunds.buttons import AnswerRefund, OnRefund


def add_routes(routes: Router) -> None:
    """A supplier takes no refunds, or nobody knows what it made of one."""
    routes.callback_query.register(press, Presses(OnRefund))
    routes.callback_query.register(answer, Presses(AnswerRefund))


async def press(_: CallbackQuery, chat: Chat, button: OnRefund, trade: Trade) -> None:
    """Ask whether that is sure; the alarm stays as it is."""
    await trade.refunds_by_hand.ask(
        chat.actor, button.merchant_id, button.refund_id, button.how, message_id=chat.message_id
    )


async def answer(
    _: CallbackQuery,
    chat: Chat,
    button: AnswerRefund,
    press: Press,
    system: System,
    people: People,
    trade: Trade,
    dialogues: Dialogues,
) -> None:
    """Have a yes proven in private, or leave the refund as it is. A second press finds the
    question answered."""
    asked, message_id = button.approval_id, chat.message_id
    if not button.yes:
        await trade.refunds_by_hand.drop(chat.actor, asked, message_id=message_id)
    elif await trade.refunds_by_hand.accept(chat.actor, asked, message_id=message_id):
        await ask_proof(chat, press, system, people, dialogues, asked)
