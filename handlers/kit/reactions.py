"""Reactions: 👀 where an answer takes longer than a moment, or is somebody else's to give, 👍 where
what was asked about is paid, 👎 where a refusal is told later.

They are the least of what the desk says: none is tried twice, and none holds anything up.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError
from aiogram.types import ReactionTypeEmoji

from core.delivery.district import Delivery
from core.people.district import People
from core.people.refusals import HeldRefusal
from core.reports.district import Reports
from core.system.district import System
from core.system.pool import fresh_context
from core.system.throttle import Limit

_LOG = structlog.get_logger(__name__)
READ: Final = "👀"
REFUSED: Final = "👎"
SOLVED: Final = "👍"
# An answer that comes sooner needs no sign that it will.
ANSWER_WITHIN_S: Final = 1.0
PER_CHAT: Final = Limit(18, 60.0)
MAX_AT_ONCE: Final = 100
_CALL_TIMEOUT_S: Final = 3
# So many messages are remembered with what was set last: none is set twice, and what is paid is
# not shown to be only read.
_REMEMBERED: Final = 1_000


class Reactions:
    """Sets reactions in tasks of its own, which `stop` ends. answer_within_s: see above."""

    def __init__(
        self,
        system: System,
        delivery: Delivery,
        people: People,
        reports: Reports,
        bot: Bot,
        *,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self._throttle = system.throttle
        self._outbox = delivery.outbox
        self._exports = reports.exports
        self._bot = bot
        self._answer_within_s = answer_within_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._set: OrderedDict[tuple[int, int], str] = OrderedDict()
        people.refusals.on_held(self._refused)

    @asynccontextmanager
    async def while_answered(self, chat_id: int, message_id: int) -> AsyncIterator[None]:
        """While a message is acted on, and until its answer is out: 👀 if that takes a while."""
        acted_on = asyncio.Event()
        self._begin(self._show_read(chat_id, message_id, acted_on))
        try:
            yield
        finally:
            acted_on.set()

    def show_passed(self, chat_id: int, message_id: int) -> None:
        """A message was passed on, or asks about what is not paid yet: whoever wrote it waits for
        somebody else."""
        self._begin(self._react(chat_id, message_id, READ))

    def show_solved(self, chat_id: int, message_id: int) -> None:
        """What a message asked about is paid."""
        self._begin(self._react(chat_id, message_id, SOLVED))

    @property
    def idle(self) -> bool:
        """Whether none is under way."""
        return not self._tasks

    async def stop(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _refused(self, held: HeldRefusal) -> None:
        """What only one person may know is not shown to all by a thumb."""
        if held.aloud:
            self._begin(self._react(held.chat_id, held.message_id, REFUSED))

    async def _show_read(self, chat_id: int, message_id: int, acted_on: asyncio.Event) -> None:
        await asyncio.sleep(self._answer_within_s)
        if not acted_on.is_set() or await self._is_waited_for(chat_id, message_id):
            await self._react(chat_id, message_id, READ)

    async def _is_waited_for(self, chat_id: int, message_id: int) -> bool:
        return await self._outbox.has_unsent_reply(
            chat_id, message_id
        ) or await self._exports.queue.is_waited_for(chat_id, message_id)

    def _is_needless(self, chat_id: int, message_id: int, emoji: str) -> bool:
        """Whether it is set already, or says less than what is; else it is remembered."""
        message = (chat_id, message_id)
        if emoji in (READ, self._set.get(message)) and message in self._set:
            return True
        self._set[message] = emoji
        self._set.move_to_end(message)
        while len(self._set) > _REMEMBERED:
            self._set.popitem(last=False)
        return False

    async def _react(self, chat_id: int, message_id: int, emoji: str) -> None:
        if self._is_needless(chat_id, message_id, emoji):
            return
        if await self._throttle.room({f"reaction:{chat_id}": PER_CHAT}):
            return
        try:
            await self._bot.set_message_reaction(
                chat_id, message_id, [ReactionTypeEmoji(emoji=emoji)],
                request_timeout=_CALL_TIMEOUT_S,
            )  # fmt: skip
        except TelegramAPIError as error:
            _LOG.info("no reaction", chat_id=chat_id, fault=str(error))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        if len(self._tasks) >= MAX_AT_ONCE:
            work.close()
            return
        task = asyncio.create_task(_quietly(work), context=fresh_context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _quietly(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:  # noqa: BLE001 (a reaction is never a reason for anything to fail)
        _LOG.exception("a reaction failed")
