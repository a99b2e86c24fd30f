"""Acts on Telegram's updates that are stored: chats side by side, one chat in order."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from aiogram import Bot, Dispatcher
from aiogram.types import Update
from pydantic import ValidationError

from bot.loops import Job
from bot.webhook import opened
from core.delivery.inbox import QUEUE, TakenUpdate
from core.delivery.outbox import Say
from core.people.receipts import records_of
from core.runtime import Runtime
from core.system.leases import hold
from core.system.store import Tx
from handlers.alarms.screens import AlarmUnreadable, AlarmUpdate, UpdateParked

_LOG = structlog.get_logger(__name__)
# Longer than the longest work: a completion asks a supplier twice, 13 s at most each time. What
# hangs for longer has failed, and does not hold up its chat for ever.
MAX_WORK_S: Final = 90
_MAX_ID: Final = 2**63 - 1
_SAID: Final = ("message", "edited_message", "callback_query")


@dataclass(frozen=True, slots=True)
class _Given:
    """An update that was given up, as far as it can be read."""

    arrived: TakenUpdate
    kind: str  # Telegram's name of what it is
    message_id: int | None  # the message it is, or whose button it pressed
    is_known: bool  # whether who speaks or presses is somebody we know


class UpdateWorker:
    """Acts on stored updates through the dispatcher. What cannot be read is parked at once; what
    fails is tried again, and parked at last."""

    def __init__(
        self,
        runtime: Runtime,
        dispatcher: Dispatcher,
        bot: Bot,
        *,
        renew_s: float = QUEUE.renew_every_s,
    ) -> None:
        self._runtime = runtime
        self._inbox = runtime.delivery.inbox
        self._dispatcher = dispatcher
        self._bot = bot
        self._renew_s = renew_s

    async def take(self, free: int) -> list[Job]:
        """Take at most so many updates, of different chats; each is a job."""
        return [partial(self._carry, arrived) for arrived in await self._inbox.take(free)]

    async def _carry(self, arrived: TakenUpdate) -> None:
        renew = partial(self._inbox.renew, arrived)
        await hold(self._act(arrived), renew, every_s=self._renew_s)

    async def _act(self, arrived: TakenUpdate) -> None:
        structlog.contextvars.bind_contextvars(
            request_id=f"tg-{arrived.update_id}", chat_id=arrived.chat_id
        )
        private = "sealed" in arrived.body
        try:
            arrived = opened(self._runtime.system.vault, arrived)
            try:
                update = Update.model_validate(arrived.body, context={"bot": self._bot})
            except ValidationError as error:
                await self._park_unread(arrived, error)
                return
            async with asyncio.timeout(MAX_WORK_S):
                await self._dispatcher.feed_update(self._bot, update)
        except Exception as error:  # noqa: BLE001 (kept, tried again, then parked and shown)
            await self._failed(arrived, error, private=private)
        else:
            await self._inbox.done(arrived)

    async def _failed(self, arrived: TakenUpdate, error: Exception, *, private: bool) -> None:
        fault = repr(error)
        if private:  # what it says may hold what somebody wrote
            fault = f"{type(error).__name__} at {_where(error)}"
            _LOG.error(
                "update failed", update_id=arrived.update_id, tries=arrived.tries, fault=fault
            )
        else:
            _LOG.exception("update failed", update_id=arrived.update_id, tries=arrived.tries)
        given = await self._given_up(arrived)
        async with self._runtime.system.store.transaction() as tx:
            if not await self._inbox.failed(tx, arrived, fault):
                return
            await self._answer(tx, given, unread=False)
            trouble = AlarmUpdate(
                chat=await self._title(tx, arrived.chat_id),
                update_id=arrived.update_id,
                tries=arrived.tries,
                fault=type(error).__name__,  # what it says may hold what people wrote
            )
            await self._runtime.people.alarms.sound(tx, trouble, str(arrived.chat_id))

    async def _park_unread(self, arrived: TakenUpdate, error: ValidationError) -> None:
        """Telegram is newer than the desk, or it is no update: no other try would read it."""
        given = await self._given_up(arrived)
        # Where it stands and why, but never what stands there: people wrote it.
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        fault = f"{'.'.join(str(part) for part in first['loc'])}: {first['type']}"
        _LOG.error("update not read", update_id=arrived.update_id, kind=given.kind, fault=fault)
        async with self._runtime.system.store.transaction() as tx:
            if not await self._inbox.park(tx, arrived, fault):
                return
            await self._answer(tx, given, unread=True)
            trouble = AlarmUnreadable(
                update_kind=given.kind,
                chat=await self._title(tx, arrived.chat_id),
                update_id=arrived.update_id,
                fault=fault,
            )
            await self._runtime.people.alarms.sound(tx, trouble, given.kind)

    async def _answer(self, tx: Tx, given: _Given, *, unread: bool) -> None:
        """Whoever waits for it is told, where it is somebody we know."""
        if not given.is_known:
            return
        chat_id = given.arrived.chat_id
        # What was booked before it failed would be booked twice, if it were sent again.
        told = UpdateParked(
            records=tuple(await records_of(tx, chat_id, given.message_id)),
            pressed=given.kind == "callback_query",
            unread=unread,
        )
        answer = Say(told, reply_to=given.message_id)
        await self._runtime.delivery.outbox.say(tx, chat_id, answer)

    async def _given_up(self, arrived: TakenUpdate) -> _Given:
        """This also serves updates that nobody can read."""
        body, chat_id = arrived.body, arrived.chat_id
        kind = next((name for name in body if name not in ("update_id", "sealed")), "?")
        said = body.get(kind) if kind in _SAID else None
        said = said if isinstance(said, dict) else {}
        message = said.get("message") if kind == "callback_query" else said
        user_id, is_known = _id_in(said.get("from"), "id"), False
        if chat_id and user_id is not None:
            actor = await self._runtime.people.access.actor(
                user_id, "", chat_id, private=chat_id > 0
            )
            is_known = actor.known
        return _Given(arrived, kind[:40], _id_in(message, "message_id"), is_known)

    async def _title(self, tx: Tx, chat_id: int) -> str:
        group = await self._runtime.people.groups.find(chat_id, tx=tx)
        return group.title if group else str(chat_id)


def _where(error: Exception) -> str:
    """The line of code that raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"


def _id_in(thing: object, name: str) -> int | None:
    found = thing.get(name) if isinstance(thing, dict) else None
    return found if type(found) is int and 0 < found <= _MAX_ID else None
