"""Refunds that only a person gets on: the buttons under the alarm, and the question they ask."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import CallbackQuery

from core.people.actors import Actor
from core.runtime import Runtime
from handlers.kit.context import Presses
from handlers.refunds.buttons import AnswerRefund, OnRefund


def router() -> Router:
    """A supplier takes no refunds, or nobody knows what it made of one."""
    routes = Router(name="refunds")
    routes.callback_query.register(press, Presses(OnRefund))
    routes.callback_query.register(answer, Presses(AnswerRefund))
    return routes


async def press(query: CallbackQuery, button: OnRefund, actor: Actor, runtime: Runtime) -> None:
    """Ask whether that is sure; the alarm stays as it is."""
    if query.message is None:
        return
    await runtime.trade.refunds_by_hand.ask(
        actor, button.merchant_id, button.refund_id, button.how,
        message_id=query.message.message_id,
    )  # fmt: skip


async def answer(
    query: CallbackQuery, button: AnswerRefund, actor: Actor, runtime: Runtime
) -> None:
    """End the refund, or leave it. A second press finds the question answered."""
    if query.message is None:
        return
    by_hand = runtime.trade.refunds_by_hand
    do = by_hand.confirm if button.yes else by_hand.drop
    await do(actor, button.approval_id, message_id=query.message.message_id)
