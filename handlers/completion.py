"""Completion by hand: asked with a reason, answered by a button of the same person."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.access import Actor
from core.runtime import Runtime
from handlers.buttons import AnswerCompletion
from handlers.context import Presses, Wants, request_id
from handlers.intents import Complete


def router() -> Router:
    """An order is paid although no callback came."""
    routes = Router(name="completion")
    routes.message.register(ask, Wants(Complete))
    routes.callback_query.register(answer, Presses(AnswerCompletion))
    return routes


async def ask(message: Message, intent: Complete, actor: Actor, runtime: Runtime) -> None:
    """Ask the supplier, then put the question."""
    await runtime.completions.ask(
        actor, intent.number, intent.reason, message_id=message.message_id,
        request_id=request_id(message),
    )  # fmt: skip


async def answer(
    query: CallbackQuery, button: AnswerCompletion, actor: Actor, runtime: Runtime
) -> None:
    """Complete, or drop it. A second press finds the question answered."""
    if query.message is None:
        return
    message_id = query.message.message_id
    if not button.yes:
        await runtime.completions.drop(actor, button.confirmation_id, message_id=message_id)
        return
    await runtime.completions.confirm(
        actor, button.confirmation_id, message_id=message_id,
        request_id=request_id(query.message),
    )  # fmt: skip
