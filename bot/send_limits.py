"""What everybody who sends to Telegram obeys: its limits, and its word that a chat is closed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any, Final

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramRetryAfter
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType

from core.delivery.outbox import ANSWER, BULK, CARD, LIVE_BILL, SAID, Chats
from core.system.throttle import Limit, Pass, Throttle

# Telegram takes 30 in a second. A call counts from its answer on: it arrived before that, so that
# whatever is held up on its way, no more than 30 arrive in any second. Two of them are the desk's
# clock's, which knows milliseconds.
_ALL_TIMES: Final = 30
_ALL_WINDOW_S: Final = 1.002
_ALL: Final = "telegram:all"
_IN_PRIVATE: Final = Limit(3, 3.0)  # one a second is advised; short bursts are fine
_MINUTE_S: Final = 60.0
# Of every window so much is for each rank, so that whoever asks finds room beside what is shown.
_SHARES: Final = {ANSWER: 1.0, SAID: 1.0, CARD: 14 / 18, LIVE_BILL: 10 / 18, BULK: 14 / 18}
# Of very many as many leave as may: one of them at a time asks for room, so that whoever else asks
# gets at least every other that comes free.
_ALL_SHARES: Final = {**_SHARES, BULK: 1.0}
# They leave one after the other: where thirty left at once, all else would wait for a second.
_EVENLY: Final = {"telegram:bulk": Limit(1, 0.025)}
# Where there is room so soon, it is waited for in the chat's lane; the longer, the sooner somebody
# wants to read it.
_PATIENCE_S: Final = 1.0
_ASKED_AT_MOST: Final = {ANSWER: 20, SAID: 20, CARD: 4, LIVE_BILL: 4, BULK: 20}

UNCHANGED: Final = "message is not modified"
NOT_THERE: Final = ("message to delete not found", "message can't be deleted")
NO_TOPIC: Final = ("message thread not found", "TOPIC_CLOSED", "TOPIC_DELETED")
NO_PIN: Final = "message to unpin not found"
GONE: Final = ("message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID")
_NO_CHAT: Final = ("chat not found", "group chat was deactivated", "PEER_ID_INVALID")


class Full(Exception):
    """The chat's window is used up for so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"no room for {seconds:.1f} s")


class Budget:
    """What may be sent, edited and deleted: Telegram counts what happens in a group in a sliding
    minute, and all in a second. Both are taken, or neither: what waits uses up nothing.

    While Redis is away, each process counts what is its own: two of them may then be too much for
    a group, and its 429 stops them.
    """

    def __init__(self, throttle: Throttle, group_per_min: int) -> None:
        self._throttle = throttle
        self._per_group = group_per_min
        self._bulk_turn = asyncio.Lock()

    def need_room(self, chat_id: int, rank: int) -> None:
        """Raises Full where this process knows that a call for a chat would have to wait for long:
        then nothing needs to be read and drawn for it yet. Nothing is counted."""
        wait_s = self._throttle.known_wait_s(self._limits(chat_id, rank))
        if wait_s > _PATIENCE_S:
            raise Full(wait_s)

    @asynccontextmanager
    async def call(self, chat_id: int, rank: int, messages: int = 1) -> AsyncIterator[None]:
        """Make one call for a chat within it, of so many messages: of more than a window takes,
        where it is empty. Raises Full."""
        passed = [await self.take(chat_id, rank, beside=messages - 1)]
        for _ in range(messages - 1):
            asked = await self._throttle.ask(self._windows(chat_id, rank))
            if not isinstance(asked, Pass):
                break
            passed.append(asked)
        try:
            yield
        finally:
            for one in passed:
                await self._throttle.count_again((_ALL,), one)

    async def take(self, chat_id: int, rank: int, *, beside: int = 0) -> Pass:
        """Count one call for a chat. beside: there is to be room for so many others. Raises
        Full."""
        async with self._bulk_turn if rank == BULK else nullcontext():
            return await self._take(chat_id, rank, beside)

    async def _take(self, chat_id: int, rank: int, beside: int) -> Pass:
        limits, wait_s = self._limits(chat_id, rank, beside), 0.0
        for _ in range(_ASKED_AT_MOST[rank]):
            asked = await self._throttle.ask(limits)
            if isinstance(asked, Pass):
                return asked
            wait_s = asked
            if wait_s > _PATIENCE_S:
                break
            await asyncio.sleep(wait_s)
        raise Full(wait_s)

    def _limits(self, chat_id: int, rank: int, beside: int = 0) -> dict[str, Limit]:
        limits = {
            name: Limit(max(1, limit.times - beside), limit.window_s)
            for name, limit in self._windows(chat_id, rank).items()
        }
        return limits | _EVENLY if rank == BULK else limits

    def _windows(self, chat_id: int, rank: int) -> dict[str, Limit]:
        in_group = Limit(_share(self._per_group, _SHARES[rank]), _MINUTE_S)
        return {
            _ALL: Limit(_share(_ALL_TIMES, _ALL_SHARES[rank]), _ALL_WINDOW_S),
            _window(chat_id): in_group if chat_id < 0 else _IN_PRIVATE,
        }

    async def used(self, chat_id: int) -> float:
        """How much of a group's window is used up, from 0 to 1; in private nothing counts."""
        if chat_id > 0:
            return 0.0
        return min(1.0, await self._throttle.used(_window(chat_id), _MINUTE_S) / self._per_group)


class Gate(BaseRequestMiddleware):
    """Lets nothing through to a chat that Telegram has closed, whoever asks, and hears of it when
    one is closed: a 429 means the chat, not the call that met it. Raises TelegramRetryAfter."""

    def __init__(self, chats: Chats) -> None:
        self._chats = chats

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        chat_id: Any = getattr(method, "chat_id", None)
        if not isinstance(chat_id, int):
            return await make_request(bot, method)
        if wait_s := await self._chats.closed_s(chat_id):
            raise TelegramRetryAfter(
                method=method, message="the chat is closed", retry_after=math.ceil(wait_s)
            )
        try:
            return await make_request(bot, method)
        except TelegramRetryAfter as error:
            await self._chats.close(chat_id, error.retry_after)
            raise


def is_out(error: TelegramForbiddenError | TelegramBadRequest) -> bool:
    """Whether the bot was removed or blocked, or the chat is no more."""
    return isinstance(error, TelegramForbiddenError) or any(word in str(error) for word in _NO_CHAT)


def _window(chat_id: int) -> str:
    return f"telegram:{chat_id}"


def _share(most: int, share: float) -> int:
    return max(1, int(most * share))
