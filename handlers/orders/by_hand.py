"""Completion by hand: asked with a reason, answered by a button of the same person. A wrong one is
reversed the same way, but by two people."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.people.actors import Actor
from core.runtime import Runtime
from handlers.kit.context import Presses, Wants, proof_of, request_id
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


async def ask(message: Message, intent: Complete, actor: Actor, runtime: Runtime) -> None:
    """Ask the supplier, then put the question. A picture whose caption this is becomes evidence."""
    actor.need("complete")
    await runtime.trade.completions.ask(
        actor, intent.number, intent.reason, message_id=message.message_id,
        request_id=request_id(message),
        proof_file_id=proof_of(message),
    )  # fmt: skip


async def answer(
    query: CallbackQuery, button: AnswerCompletion, actor: Actor, runtime: Runtime
) -> None:
    """Complete, or drop it. A second press finds the question answered."""
    if query.message is None:
        return
    message_id = query.message.message_id
    if not button.yes:
        await runtime.trade.completions.drop(actor, button.approval_id, message_id=message_id)
        return
    await runtime.trade.completions.confirm(
        actor, button.approval_id, message_id=message_id,
        request_id=request_id(query.message),
    )  # fmt: skip


async def ask_reversal(
    message: Message, intent: Uncomplete, actor: Actor, runtime: Runtime
) -> None:
    """Put the question, which a second person answers."""
    actor.need("uncomplete")
    await runtime.trade.completions.ask_reversal(
        actor, intent.number, intent.reason, message_id=message.message_id,
        request_id=request_id(message),
    )  # fmt: skip


async def answer_reversal(
    query: CallbackQuery, button: AnswerReversal, actor: Actor, runtime: Runtime
) -> None:
    """Reverse the completion, or drop the question."""
    if query.message is None:
        return
    message_id = query.message.message_id
    if not button.yes:
        await runtime.trade.completions.drop_reversal(
            actor, button.approval_id, message_id=message_id
        )
        return
    await runtime.trade.completions.confirm_reversal(
        actor, button.approval_id, message_id=message_id,
        request_id=request_id(query.message),
    )  # fmt: skip
