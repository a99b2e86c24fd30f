"""Refunds that only a person gets on: the buttons under the alarm, and the question they ask."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import CallbackQuery

from core.trade.district import Trade
from handlers.kit.chat import Chat
from handlers.kit.context import Presses
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


async def answer(_: CallbackQuery, chat: Chat, button: AnswerRefund, trade: Trade) -> None:
    """End the refund, or leave it. A second press finds the question answered."""
    by_hand = trade.refunds_by_hand
    do = by_hand.confirm if button.yes else by_hand.drop
    await do(chat.actor, button.approval_id, message_id=chat.message_id)
