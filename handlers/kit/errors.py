"""Refusals of messages: answered, and only the person who asked sees it. All else goes up."""

from __future__ import annotations

from aiogram import Router
from aiogram.filters import ExceptionTypeFilter
from aiogram.types import ErrorEvent

from core.kernel.errors import Refusal
from core.runtime import Runtime
from handlers.kit.context import actor_of, chats_of


def router() -> Router:
    """What ends a message that was refused."""
    routes = Router(name="errors")
    routes.error.register(refused, ExceptionTypeFilter(Refusal))
    return routes


async def refused(event: ErrorEvent, runtime: Runtime) -> None:
    """Say why not. Presses answer their refusals themselves."""
    message = event.update.message or event.update.edited_message
    refusal = event.exception
    if message is None or message.from_user is None or not isinstance(refusal, Refusal):
        raise refusal
    actor = await actor_of(runtime, message.from_user, message)
    await chats_of(runtime).of(actor, message).refuse_with(refusal)
