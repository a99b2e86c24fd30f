"""Refusals of messages: answered, and only the person who asked sees it. All else goes up."""

from __future__ import annotations

from aiogram import Router
from aiogram.filters import ExceptionTypeFilter
from aiogram.types import ErrorEvent

from core.kernel.errors import Refusal
from handlers.kit.chat import Chats


def add_routes(routes: Router) -> None:
    """What ends a message that was refused."""
    routes.error.register(refused, ExceptionTypeFilter(Refusal))


async def refused(event: ErrorEvent, chats: Chats) -> None:
    """Say why not. Presses answer their refusals themselves."""
    message = event.update.message or event.update.edited_message
    refusal = event.exception
    if message is None or message.from_user is None or not isinstance(refusal, Refusal):
        raise refusal
    actor = await chats.actor(message.from_user, message)
    await chats.of(actor, message).refuse_with(refusal)
