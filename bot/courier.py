"""Takes facts from the outbox to Telegram: rendered now, within Telegram's limits, once each."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from datetime import date
from typing import Final
from uuid import UUID

import structlog
from aiogram import Bot
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.types import (
    BufferedInputFile,
    EphemeralMessageParameters,
    InputRichMessage,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)

from bot.painter import Painter
from bot.sending import GONE, NOT_THERE, UNCHANGED, Budget, Full
from core.errors import Bug
from core.outbox import (
    NOBODY,
    AlarmCard,
    Bill,
    Card,
    DeskBill,
    Fact,
    Leaving,
    Say,
    TakeAway,
    TextFile,
)
from core.runtime import Runtime
from handlers.screens import Screen, render_say

_LOG = structlog.get_logger(__name__)
BATCH: Final = 10
_BACK_OFF_S: Final = (1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600)


class Courier:
    """Sends, edits and pins on behalf of the desk."""

    def __init__(self, runtime: Runtime, bot: Bot, *, group_per_min: int) -> None:
        self._runtime = runtime
        self._bot = bot
        self._painter = Painter(runtime)
        self._budget = Budget(runtime.throttle, group_per_min)

    async def batch(self) -> int:
        """Take what is due, one per chat, and deliver it; how many there were."""
        leaving = await self._runtime.outbox.take(BATCH)
        await asyncio.gather(*(self._deliver(one) for one in leaving))
        return len(leaving)

    async def _deliver(self, leaving: Leaving) -> None:
        outbox = self._runtime.outbox
        again_s = _BACK_OFF_S[min(leaving.tries, len(_BACK_OFF_S)) - 1]
        try:
            await self._follow(leaving)
        except Full as full:
            await outbox.wait_for_room(leaving, seconds=full.seconds)
        except TelegramRetryAfter as error:
            await outbox.wait_for_room(leaving, seconds=float(error.retry_after))
        except (TelegramNetworkError, TelegramServerError) as error:
            await outbox.put_off(leaving, seconds=again_s, fault=str(error))
        except (TelegramForbiddenError, TelegramBadRequest) as error:
            _LOG.error("message parked", chat_id=leaving.chat_id, fault=str(error))
            await outbox.park(leaving, fault=str(error))
        except TelegramAPIError as error:
            await outbox.put_off(leaving, seconds=again_s, fault=str(error))
        except Exception as error:  # noqa: BLE001 (one bad row must not stop the others)
            _LOG.exception("message failed", chat_id=leaving.chat_id)
            await outbox.put_off(leaving, seconds=again_s, fault=repr(error))
        else:
            await outbox.sent(leaving)

    async def _follow(self, leaving: Leaving) -> None:
        """Show it in its chat, or where that chat has moved to."""
        try:
            await self._show(leaving.chat_id, leaving)
        except TelegramMigrateToChat as error:
            await self._runtime.groups.moved(leaving.chat_id, error.migrate_to_chat_id)
            fact = _elsewhere(leaving.fact)
            if fact is not None:
                await self._show(error.migrate_to_chat_id, replace(leaving, fact=fact))

    async def _show(self, chat_id: int, leaving: Leaving) -> None:
        match leaving.fact:
            case Say() as say:
                await self._say(chat_id, say, leaving.merchant_id)
            case AlarmCard(alarm_id):
                screen = await self._painter.alarm(chat_id, UUID(alarm_id))
                await self._in_place(chat_id, NOBODY, "alarm", alarm_id, screen)
            case Card() as card:
                await self._card(chat_id, card)
            case Bill() as bill:
                await self._bill(chat_id, bill)
            case DeskBill() as bill:
                await self._answer(chat_id, bill, await self._painter.desk_bill(chat_id, bill))
            case TextFile() as file:
                await self._file(chat_id, file)
            case TakeAway(message_id):
                await self._take_away(chat_id, message_id)

    async def _file(self, chat_id: int, file: TextFile) -> None:
        under = render_say(Say(file.screen, file.facts), await self._painter.language(chat_id))
        await self._budget.take(chat_id)
        await self._bot.send_document(
            chat_id,
            BufferedInputFile(file.text.encode(), file.name),
            caption=under.html,
            reply_parameters=_in_reply(file.reply_to),
            reply_markup=under.keyboard,
        )

    async def _take_away(self, chat_id: int, message_id: int) -> None:
        try:
            await self._bot.delete_message(chat_id, message_id)
        except TelegramBadRequest as error:
            if not any(words in str(error) for words in NOT_THERE):
                raise

    async def _say(self, chat_id: int, say: Say, merchant_id: UUID) -> None:
        language = await self._painter.language(chat_id)
        screen = render_say(say, language)
        if say.edit_message_id is not None and await self._edit(
            chat_id, say.edit_message_id, screen
        ):
            return
        await self._budget.take(chat_id)
        if say.only_for is not None and chat_id < 0:
            if await self._whispered(chat_id, screen, say.only_for):
                return
            if say.aloud:
                screen = render_say(replace(say, facts=say.aloud), language)
        sent = await self._post(chat_id, screen, _in_reply(say.reply_to), quiet=False)
        message_id = sent.message_id
        if say.remember is not None:
            await self._remember(chat_id, message_id, say.remember, say.ref, merchant_id, screen)

    async def _card(self, chat_id: int, card: Card) -> None:
        merchant_id, order_id = UUID(card.merchant_id), UUID(card.order_id)
        screen = await self._painter.card(chat_id, merchant_id, order_id)
        if screen is None:  # it is no longer for this chat
            if card.edit_message_id is not None:
                await self._forget(chat_id, card.edit_message_id)
            return
        if card.edit_message_id is not None:
            if not await self._changed(chat_id, card.edit_message_id, screen):
                return
            if await self._edit(chat_id, card.edit_message_id, screen):
                await self._shown(chat_id, card.edit_message_id, screen)
            else:
                await self._forget(chat_id, card.edit_message_id)
            return
        message_id = await self._send(chat_id, screen, reply_to=card.reply_to)
        await self._remember(chat_id, message_id, "card", card.order_id, merchant_id, screen)
        # What changed between the reading above and the remembering would never be shown. The
        # edit goes through the outbox: should it fail here, the card would be posted twice.
        screen = await self._painter.card(chat_id, merchant_id, order_id)
        if screen is None or await self._changed(chat_id, message_id, screen):
            await self._runtime.outbox.say(
                self._runtime.store,
                chat_id,
                Card(card.merchant_id, card.order_id, edit_message_id=message_id),
                merchant_id=merchant_id,
                dedupe_key=f"card:{chat_id}:{message_id}",
            )

    async def _bill(self, chat_id: int, fact: Bill) -> None:
        merchant_id = UUID(fact.merchant_id)
        group = await self._runtime.groups.find(chat_id)
        live = fact.reply_to is None and fact.edit_message_id is None
        if live and (group is None or merchant_id not in group.merchant_ids):
            return  # unbound meanwhile
        # The live bill stays what it is when its day is over: its buttons never turn it.
        stays = live or await self._is_live_bill(chat_id, fact.edit_message_id)
        screen, day = await self._painter.bill(chat_id, fact, stays=stays)
        if live:
            await self._live_bill(chat_id, merchant_id, day, screen)
        else:
            await self._answer(chat_id, fact, screen)

    async def _answer(self, chat_id: int, fact: Bill | DeskBill, screen: Screen) -> None:
        """In the place of the bill whose button was pressed, or in reply."""
        if fact.edit_message_id is not None:
            await self._edit(chat_id, fact.edit_message_id, screen)
        else:
            await self._send(chat_id, screen, reply_to=fact.reply_to)

    async def _is_live_bill(self, chat_id: int, message_id: int | None) -> bool:
        return message_id is not None and bool(
            await self._runtime.store.fetchval(
                "SELECT EXISTS (SELECT FROM post WHERE chat_id = $1 AND message_id = $2"
                " AND kind = 'bill')",
                chat_id,
                message_id,
            )
        )

    async def _live_bill(self, chat_id: int, merchant_id: UUID, day: date, screen: Screen) -> None:
        """The group's one pinned bill of this day: edited in place, posted anew when it is gone."""
        ref = f"{merchant_id}:{day.isoformat()}"
        message_id = await self._in_place(chat_id, merchant_id, "bill", ref, screen, quiet=True)
        if message_id is None:
            return
        await self._finish_former(chat_id, merchant_id, day)
        try:
            await self._bot.pin_chat_message(chat_id, message_id, disable_notification=True)
        except TelegramBadRequest as error:
            _LOG.warning("bill not pinned", chat_id=chat_id, fault=str(error))

    async def _in_place(
        self,
        chat_id: int,
        merchant_id: UUID,
        kind: str,
        ref: str,
        screen: Screen,
        *,
        quiet: bool = False,
    ) -> int | None:
        """The group's one message of this kind and ref: edited where it shows something else, and
        posted anew when it is gone. Returns the id of one that was posted."""
        message_id = await self._runtime.store.fetchval(
            "SELECT message_id FROM post WHERE chat_id = $1 AND merchant_id = $2"
            " AND kind = $3 AND ref = $4 ORDER BY message_id DESC LIMIT 1",
            chat_id,
            merchant_id,
            kind,
            ref,
        )
        if message_id is not None:
            if not await self._changed(chat_id, message_id, screen):
                return None
            if await self._edit(chat_id, message_id, screen):
                await self._shown(chat_id, message_id, screen)
                return None
            await self._forget(chat_id, message_id)
        posted = await self._send(chat_id, screen, quiet=quiet)
        await self._remember(chat_id, posted, kind, ref, merchant_id, screen)
        return posted

    async def _finish_former(self, chat_id: int, merchant_id: UUID, day: date) -> None:
        """The bill of the day before is edited once more, to the figures it closed with."""
        row = await self._runtime.store.fetchrow(
            "SELECT message_id, right(ref, 10) AS day FROM post WHERE chat_id = $1"
            " AND merchant_id = $2 AND kind = 'bill' AND right(ref, 10) < $3"
            " ORDER BY message_id DESC LIMIT 1",
            chat_id,
            merchant_id,
            day.isoformat(),
        )
        if row is not None:
            await self._runtime.outbox.say(
                self._runtime.store,
                chat_id,
                Bill(str(merchant_id), row["day"], row["day"], edit_message_id=row["message_id"]),
                merchant_id=merchant_id,
            )

    async def _send(
        self, chat_id: int, screen: Screen, *, reply_to: int | None = None, quiet: bool = False
    ) -> int:
        await self._budget.take(chat_id)
        sent = await self._post(chat_id, screen, _in_reply(reply_to), quiet)
        return sent.message_id

    async def _whispered(self, chat_id: int, screen: Screen, user_id: int) -> bool:
        """Whether it was sent so that one member alone sees it."""
        try:
            await self._bot.send_message(
                chat_id,
                screen.html,
                reply_markup=screen.keyboard,
                ephemeral_message_parameters=EphemeralMessageParameters(receiver_user_id=user_id),
            )
        except (TelegramBadRequest, TelegramForbiddenError):
            _LOG.info("no ephemeral message here; replying instead", chat_id=chat_id)
            return False
        return True

    async def _post(
        self, chat_id: int, screen: Screen, reply: ReplyParameters | None, quiet: bool
    ) -> Message:
        if screen.rich is not None:
            try:
                return await self._bot.send_rich_message(
                    chat_id,
                    InputRichMessage.model_validate(screen.rich),
                    reply_parameters=reply,
                    reply_markup=screen.keyboard,
                    disable_notification=quiet or None,
                )
            except (TelegramBadRequest, TelegramNotFound) as error:
                _LOG.warning("no rich message here", chat_id=chat_id, fault=str(error))
        return await self._bot.send_message(
            chat_id,
            screen.html,
            reply_parameters=reply,
            reply_markup=screen.keyboard,
            disable_notification=quiet or None,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )

    async def _edit(self, chat_id: int, message_id: int, screen: Screen) -> bool:
        """False when the message is gone and another must take its place."""
        try:
            await self._rewrite(chat_id, message_id, screen)
        except TelegramBadRequest as error:
            if UNCHANGED in str(error):
                return True
            if any(words in str(error) for words in GONE):
                return False
            raise
        return True

    async def _rewrite(self, chat_id: int, message_id: int, screen: Screen) -> None:
        if screen.rich is not None:
            try:
                await self._bot.edit_message_text(
                    chat_id=chat_id,
                    message_id=message_id,
                    reply_markup=screen.keyboard,
                    rich_message=InputRichMessage.model_validate(screen.rich),
                )
            except (TelegramBadRequest, TelegramNotFound) as error:
                if any(words in str(error) for words in (UNCHANGED, *GONE)):
                    raise
                _LOG.warning("no rich message here", chat_id=chat_id, fault=str(error))
            else:
                return
        await self._bot.edit_message_text(
            screen.html,
            chat_id=chat_id,
            message_id=message_id,
            reply_markup=screen.keyboard,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )

    async def _remember(
        self, chat_id: int, message_id: int, kind: str, ref: str, merchant_id: UUID, screen: Screen
    ) -> None:
        await self._runtime.store.execute(
            "INSERT INTO post (chat_id, message_id, kind, ref, merchant_id, digest, shown_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            chat_id,
            message_id,
            kind,
            ref,
            merchant_id,
            _digest(screen),
            self._runtime.clock.now(),
        )

    async def _changed(self, chat_id: int, message_id: int, screen: Screen) -> bool:
        shown = await self._runtime.store.fetchval(
            "SELECT digest FROM post WHERE chat_id = $1 AND message_id = $2", chat_id, message_id
        )
        return bool(shown != _digest(screen))

    async def _shown(self, chat_id: int, message_id: int, screen: Screen) -> None:
        touched = await self._runtime.store.execute(
            "UPDATE post SET digest = $3, shown_at = $4 WHERE chat_id = $1 AND message_id = $2",
            chat_id,
            message_id,
            _digest(screen),
            self._runtime.clock.now(),
        )
        if touched > 1:
            raise Bug("one message was remembered twice")

    async def _forget(self, chat_id: int, message_id: int) -> None:
        await self._runtime.store.execute(
            "DELETE FROM post WHERE chat_id = $1 AND message_id = $2", chat_id, message_id
        )


def _in_reply(message_id: int | None) -> ReplyParameters | None:
    if message_id is None:
        return None
    return ReplyParameters(message_id=message_id, allow_sending_without_reply=True)


def _elsewhere(fact: Fact) -> Fact | None:
    """What is left to say where a group moved to: message ids mean other messages there."""
    match fact:
        case Say():
            return replace(fact, reply_to=None, edit_message_id=None)
        case TextFile():
            return replace(fact, reply_to=None)
        case Card(edit_message_id=None):
            return replace(fact, reply_to=None)
        case AlarmCard() | Bill(reply_to=None, edit_message_id=None):
            return fact
        case DeskBill(edit_message_id=None):
            return replace(fact, reply_to=None)
        case _:
            return None


def _digest(screen: Screen) -> str:
    keyboard = screen.keyboard.model_dump_json(exclude_none=True) if screen.keyboard else ""
    text = json.dumps([screen.html, screen.rich, keyboard], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
