"""Makes the charts and files that people ask for, and sends them.

What is asked for is a row with a lease. Whoever builds it renews the lease; where a process dies
in the middle, the lease ends and another builds it again. Files are built in a temporary folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from aiogram import Bot
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.types import FSInputFile, InlineKeyboardMarkup, InputMediaPhoto, Message

from bot.file_builder import LIMITS, Builder, Built, Limits, Progress
from bot.poster import in_reply
from bot.scratch import scratch_folder
from bot.send_limits import GONE, UNCHANGED, Budget, Full, is_out
from core.delivery.outbox import LIVE_BILL, SAID, Notice, Say, TakeAway, Twins
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.reports.exports import QUEUE, Paper, Taken
from core.runtime import Runtime
from core.system.leases import hold
from core.system.pool import fresh_context
from handlers.files.chart import chart_buttons, export_progress
from handlers.files.screens import ExportFailed
from handlers.kit.refusals import RefusalNotice

_LOG = structlog.get_logger(__name__)
_UPLOAD_TIMEOUT_S: Final = 120
_CHUNK_BYTES: Final = 1_000_000
TELL_AFTER_S: Final = 2.0
TELL_EVERY_S: Final = 3.0  # so often a message may be edited
_TWIN_WITHIN: Final = 11  # messages, where it is no reply


class Exporter:
    """Builds and sends, one at a time. pause: how the teller of progress waits."""

    def __init__(
        self,
        runtime: Runtime,
        bot: Bot,
        *,
        group_per_min: int,
        limits: Limits = LIMITS,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._runtime = runtime
        self._queue = runtime.reports.exports.queue
        self._bot = bot
        self._builder = Builder(runtime, limits)
        self._budget = Budget(runtime.system.throttle, group_per_min)
        self._pause = pause

    async def batch(self) -> int:
        """Take the oldest that is due, build and send it; how many there were (0 or 1)."""
        taken = await self._queue.take()
        if taken is None:
            return 0
        held = _Held(taken)
        renew = partial(self._queue.renew, taken)
        await hold(self._serve(held), renew, every_s=QUEUE.renew_every_s)
        return 1

    async def _serve(self, held: _Held) -> None:
        try:
            sent = await self._make(held)
        except _NotTheirs:
            _LOG.warning("a file is not sent", chat_id=held.taken.chat_id)
            await self._queue.fail(held.taken, fault="the group is no longer its holder's")
        except Refusal as refusal:
            await self._refuse(held.taken, refusal)
        except Full as full:
            await self._queue.wait_for_room(held.taken, seconds=full.seconds)
        except TelegramRetryAfter as error:
            await self._queue.wait_for_room(held.taken, seconds=float(error.retry_after))
        except TelegramMigrateToChat as error:
            await self._runtime.people.groups.moved(held.taken.chat_id, error.migrate_to_chat_id)
            await self._queue.move(held.taken, error.migrate_to_chat_id)
        except (TelegramForbiddenError, TelegramBadRequest) as error:
            _LOG.error("export not sent", chat_id=held.taken.chat_id, fault=str(error))
            await self._queue.fail(held.taken, fault=str(error))
            if not is_out(error):
                await self._say(held.taken, ExportFailed())
        except (TelegramNetworkError, TelegramServerError) as error:
            await self._put_off(held.taken, str(error))
        except Exception as error:  # noqa: BLE001 (one bad paper must not stop the others)
            _LOG.exception("export failed", export_id=str(held.taken.id))
            await self._put_off(held.taken, repr(error))
        else:
            await self._finish(held.taken, sent)

    async def _finish(self, taken: Taken, sent: _Sent) -> None:
        if taken.tries > 1 and sent.message_id is not None:
            # Of a former try nobody knows what became, or its builder died.
            after = taken.reply_to or sent.message_id - _TWIN_WITHIN
            await self._runtime.delivery.outbox.say(
                self._runtime.system.store, taken.chat_id, Twins(after, before=sent.message_id)
            )
        await self._queue.finish(
            taken, digest=sent.digest, file_id=sent.file_id, message_id=sent.message_id
        )

    async def _make(self, held: _Held) -> _Sent:
        """Build and send."""
        paper = held.taken.paper
        await self._take_away(held)  # the progress that a dead process left behind
        with scratch_folder() as folder:
            built = await self._build(held, folder)
            if built.file_id is not None:
                try:
                    return await self._send(held.taken, paper, built)
                except TelegramBadRequest as error:
                    _LOG.info("a file is built anew", fault=str(error))
                    await self._queue.forget_file(built.digest)
                    built = await self._build(held, folder)
            return await self._send(held.taken, paper, built)

    async def _build(self, held: _Held, folder: Path) -> Built:
        taken = held.taken
        if taken.paper.what == "chart":
            return await self._builder.chart(taken.paper, taken.language, folder)
        progress = Progress()
        teller = asyncio.create_task(self._tell(held, progress), context=fresh_context())
        try:
            return await self._builder.file(taken.paper, taken.language, folder, progress)
        finally:
            teller.cancel()
            await asyncio.gather(teller, return_exceptions=True)
            await self._take_away(held)

    async def _tell(self, held: _Held, progress: Progress) -> None:
        """Show how far it is, once it takes long. Never a reason to stop building."""
        await self._pause(TELL_AFTER_S)
        shown = ""
        while True:
            text = export_progress(progress.done, progress.total, held.taken.language)
            try:
                if text != shown:  # only where the group has room to spare
                    await self._budget.take(held.taken.chat_id, LIVE_BILL)
                if held.message_id is None:
                    sent = await self._bot.send_message(
                        held.taken.chat_id,
                        text,
                        reply_parameters=in_reply(held.taken.reply_to),
                        disable_notification=True,
                    )
                    held.message_id = sent.message_id
                    await self._queue.show_at(held.taken, sent.message_id)
                elif text != shown:
                    await self._bot.edit_message_text(
                        text, chat_id=held.taken.chat_id, message_id=held.message_id
                    )
                shown = text
            except (TelegramAPIError, Full) as error:
                _LOG.info("progress not shown", fault=str(error))
            await self._pause(TELL_EVERY_S)

    async def _take_away(self, held: _Held) -> None:
        """Have the message deleted that shows the progress, where there is one."""
        if held.message_id is None:
            return
        await self._runtime.delivery.outbox.say(
            self._runtime.system.store, held.taken.chat_id, TakeAway(held.message_id)
        )
        held.message_id = None
        await self._queue.show_at(held.taken, None)

    async def _send(self, taken: Taken, paper: Paper, built: Built) -> _Sent:
        staff = paper.staff or paper.what == "calls"
        may_read = self._runtime.people.groups.may_read
        for holder_id in paper.holder_ids:
            if not await may_read(taken.chat_id, holder_id, staff=staff):
                raise _NotTheirs
        if paper.what == "chart":
            return await self._send_chart(taken, paper, built)
        await self._budget.take(taken.chat_id, SAID)
        sent = await self._bot.send_document(
            taken.chat_id,
            _content(built),
            caption=built.caption,
            reply_parameters=in_reply(taken.reply_to),
            request_timeout=_UPLOAD_TIMEOUT_S,
        )
        file_id = sent.document.file_id if sent.document else ""
        return _Sent(built.digest, file_id, sent.message_id)

    async def _send_chart(self, taken: Taken, paper: Paper, built: Built) -> _Sent:
        today = await self._runtime.reports.bills.open_day(
            HOUSE if paper.holder == "p" else paper.holder_id
        )
        buttons = chart_buttons(paper, taken.language, open_day=today)
        return await self._place(taken, built, buttons)

    async def _place(
        self, taken: Taken, built: Built, buttons: InlineKeyboardMarkup | None
    ) -> _Sent:
        """In the place of another chart, or in a reply."""
        if taken.replaces is not None:
            await self._budget.take(taken.chat_id, SAID)
            try:
                edited = await self._bot.edit_message_media(
                    InputMediaPhoto(media=_content(built), caption=built.caption),
                    chat_id=taken.chat_id,
                    message_id=taken.replaces,
                    reply_markup=buttons,
                    request_timeout=_UPLOAD_TIMEOUT_S,
                )
            except TelegramBadRequest as error:
                if UNCHANGED in str(error):
                    return _Sent(built.digest, built.file_id or "")
                if not any(words in str(error) for words in GONE):
                    raise
            else:
                return _Sent(built.digest, _photo_id(edited))
        await self._budget.take(taken.chat_id, SAID)
        sent = await self._bot.send_photo(
            taken.chat_id,
            _content(built),
            caption=built.caption,
            reply_markup=buttons,
            reply_parameters=in_reply(taken.reply_to),
            request_timeout=_UPLOAD_TIMEOUT_S,
        )
        return _Sent(built.digest, _photo_id(sent), sent.message_id)

    async def _put_off(self, taken: Taken, fault: str) -> None:
        if not await self._queue.put_off(taken, fault=fault):
            await self._say(taken, ExportFailed())

    async def _refuse(self, taken: Taken, refusal: Refusal) -> None:
        await self._queue.fail(taken, fault=refusal.code)
        await self._say(taken, RefusalNotice(refusal.code, refusal.facts))

    async def _say(self, taken: Taken, notice: Notice) -> None:
        await self._runtime.delivery.outbox.say(
            self._runtime.system.store, taken.chat_id, Say(notice, reply_to=taken.reply_to)
        )


class _NotTheirs(Exception):
    """The group was bound to somebody else meanwhile, or to nobody."""


class Upload(FSInputFile):
    """A file on its way. It is open only while a chunk of it is read: the library may give up at
    any point, and then nobody would be left to close it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, chunk_size=_CHUNK_BYTES)

    async def read(self, bot: Bot) -> AsyncGenerator[bytes, None]:
        at = 0
        while chunk := await asyncio.to_thread(self._chunk, at):
            yield chunk
            at += len(chunk)

    def _chunk(self, at: int) -> bytes:
        with Path(self.path).open("rb") as file:
            file.seek(at)
            return file.read(self.chunk_size)


@dataclass(frozen=True, slots=True)
class _Sent:
    """What was sent: the digest of what it says, Telegram's id of the file, and the message, where
    it is a new one."""

    digest: str
    file_id: str
    message_id: int | None = None


class _Held:
    """What is being built, and the message that shows its progress."""

    def __init__(self, taken: Taken) -> None:
        self.taken = taken
        self.message_id = taken.message_id


def _content(built: Built) -> str | Upload:
    """What to send: the id of a file that is there already, or the file."""
    if built.file_id is not None:
        return built.file_id
    assert built.path is not None
    return Upload(built.path)


def _photo_id(sent: Message | bool) -> str:
    """The id of the largest size of a photo."""
    if isinstance(sent, bool) or not sent.photo:
        return ""
    return sent.photo[-1].file_id
