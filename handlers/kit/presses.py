"""What happens before the handler of a button: who pressed is known, and the press is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from aiogram import BaseMiddleware
from aiogram.types import CallbackQuery, TelegramObject

from core.kernel.errors import Refusal
from core.people.district import People
from handlers.kit.buttons import Button
from handlers.kit.chat import Chats
from handlers.kit.context import Press, is_channel
from handlers.kit.refusals import already_done, refusal_words

_Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]

# A press that takes longer is answered with nothing, so that the button stops turning.
ANSWER_WITHIN_S: Final = 1.5


class AnswerPress(BaseMiddleware):
    """Answers every button press at once, a refusal as an alert in the person's language.

    Hands on `button`, `chat` and `press`.
    """

    def __init__(
        self, chats: Chats, people: People, read_button: Callable[[str], Button | None]
    ) -> None:
        self._chats = chats
        self._people = people
        self._read_button = read_button

    async def __call__(self, handler: _Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        if not isinstance(event, CallbackQuery):
            return None
        press = Press(event)
        button = self._read_button(event.data or "")
        if event.message is None or button is None or is_channel(event.message):
            return await press.answer()
        timer = asyncio.create_task(press.answer_after(ANSWER_WITHIN_S))
        try:
            actor = await self._chats.actor(event.from_user, event.message)
            if not actor.known and not button.welcomes(actor):
                return None
            chat = self._chats.of(actor, event.message)
            handed = {**data, "button": button, "press": press, "chat": chat}
            done = await self._done(button, event.message)
            try:
                result = await handler(event, handed)
                if done:
                    await press.answer(already_done(actor.language))
                return result
            except Refusal as refusal:
                facts = await chat.on_clocks_here(refusal)
                text = refusal_words(refusal.code, facts, actor.language)
                if not await press.answer(text, alert=True):
                    await chat.refuse_with(refusal)
        finally:
            timer.cancel()
            with suppress(asyncio.CancelledError):
                await timer
            await press.answer()
        return None

    async def _done(self, button: Button, message: Any) -> bool:
        """Whether what the button asks for was decided before: a second press changes nothing."""
        voucher_id = getattr(button, "voucher_id", None)
        if voucher_id is not None:
            return await self._people.receipts.undone(
                message.chat.id, message.message_id, voucher_id
            )
        asked = getattr(button, "approval_id", None)
        return asked is not None and await self._people.approvals.answered(asked)
