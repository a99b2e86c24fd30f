"""Completion by hand: asked with a reason, answered by a button of the same person. A wrong one is
reversed the same way, but by two people."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.trade.district import Trade
from handlers.kit.chat import Chat, proof_of, request_id
from handlers.kit.context import Presses, Wants
from handlers.orders.buttons import AnswerCompletion, AnswerReversal
from handlers.orders.words import Complete, Uncomplete


def router() -> Router:
    """An order is paid although no callback came, or is not although somebody said so."""
    routes = Router(name="completion")
    routes.message.register(ask, Wants(Complete))
    routes.callback_query.register(answer, Presses(AnswerCompletion))
    routes.message.register(ask_reversal, Wants(Uncomplete))
    routes.callback_query.register(answer_reversal, Presses(AnswerReversal))
    return routes


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


async def answer(_: CallbackQuery, chat: Chat, button: AnswerCompletion, trade: Trade) -> None:
    """Complete, or drop it. A second press finds the question answered."""
    asked, message_id = button.approval_id, chat.message_id
    if not button.yes:
        await trade.completions.drop(chat.actor, asked, message_id=message_id)
        return
    await trade.completions.confirm(
        chat.actor, asked, message_id=message_id, request_id=request_id(chat.message)
    )


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
