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
    EphemeralMessageParameters,
    InputRichMessage,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)

from core.errors import Bug
from core.orders import get_attempts, get_order
from core.outbox import Bill, Card, Fact, Leaving, Say
from core.runtime import Runtime
from core.throttle import Limit
from handlers.screens import CardContext, Screen, render_bill, render_card, render_say

_LOG = structlog.get_logger(__name__)
BATCH: Final = 10
_OVERALL: Final = Limit(25, 1.0)
_MINUTE_S: Final = 60.0
_BACK_OFF_S: Final = (1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600)
_UNCHANGED: Final = "message is not modified"
_GONE: Final = ("message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID")


class _Full(Exception):
    """The chat's budget is used up for so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"no room for {seconds:.1f} s")


class Courier:
    """Sends, edits and pins on behalf of the desk."""

    def __init__(self, runtime: Runtime, bot: Bot, *, group_per_min: int) -> None:
        self._runtime = runtime
        self._bot = bot
        self._per_group = Limit(group_per_min, _MINUTE_S)

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
        except _Full as full:
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
            case Card() as card:
                await self._card(chat_id, card)
            case Bill() as bill:
                await self._bill(chat_id, bill)

    async def _say(self, chat_id: int, say: Say, merchant_id: UUID) -> None:
        screen = render_say(say, await self._language(chat_id))
        if say.edit_message_id is not None and await self._edit(
            chat_id, say.edit_message_id, screen
        ):
            return
        message_id = await self._send(chat_id, screen, reply_to=say.reply_to, only_for=say.only_for)
        if say.remember is not None:
            await self._remember(chat_id, message_id, say.remember, say.ref, merchant_id, screen)

    async def _card(self, chat_id: int, card: Card) -> None:
        merchant_id, order_id = UUID(card.merchant_id), UUID(card.order_id)
        screen = await self._card_screen(chat_id, merchant_id, order_id)
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
        screen = await self._card_screen(chat_id, merchant_id, order_id)
        if await self._changed(chat_id, message_id, screen):
            await self._runtime.outbox.say(
                self._runtime.store,
                chat_id,
                Card(card.merchant_id, card.order_id, edit_message_id=message_id),
                merchant_id=merchant_id,
                dedupe_key=f"card:{chat_id}:{message_id}",
            )

    async def _card_screen(self, chat_id: int, merchant_id: UUID, order_id: UUID) -> Screen:
        store = self._runtime.store
        order = await get_order(store, merchant_id, order_id)
        attempts = await get_attempts(store, merchant_id, order_id)
        merchant = await self._runtime.merchants.by_id(merchant_id)
        group = await self._runtime.groups.find(chat_id)
        context = CardContext(
            merchant_no=merchant.merchant_no,
            merchant_name=merchant.name,
            products=await self._runtime.channels.products(),
            notification=await self._runtime.notifications.state_of(merchant_id, order_id),
            zone=merchant.day_cut.zone,
            label=group.label if group else "预付",
            staff=group is None or group.kind == "ops",
        )
        return render_card(order, attempts, context, await self._language(chat_id))

    async def _bill(self, chat_id: int, fact: Bill) -> None:
        merchant_id = UUID(fact.merchant_id)
        group = await self._runtime.groups.find(chat_id)
        live = fact.reply_to is None and fact.edit_message_id is None
        if live and (group is None or merchant_id not in group.merchant_ids):
            return  # unbound meanwhile
        bill = await self._runtime.bills.bill(
            merchant_id, date.fromisoformat(fact.day) if fact.day else None
        )
        screen = render_bill(
            bill,
            group.label if group else "预付",
            await self._language(chat_id),
            live=live,
            products=await self._runtime.channels.products(),
        )
        if fact.edit_message_id is not None:
            await self._edit(chat_id, fact.edit_message_id, screen)
            return
        if not live:
            await self._send(chat_id, screen, reply_to=fact.reply_to)
            return
        await self._live_bill(chat_id, merchant_id, bill.day, screen)

    async def _live_bill(self, chat_id: int, merchant_id: UUID, day: date, screen: Screen) -> None:
        """The group's one pinned bill of this day: edited in place, posted anew when it is gone."""
        ref = f"{merchant_id}:{day.isoformat()}"
        message_id = await self._runtime.store.fetchval(
            "SELECT message_id FROM post WHERE chat_id = $1 AND merchant_id = $2"
            " AND kind = 'bill' AND ref = $3 ORDER BY message_id DESC LIMIT 1",
            chat_id,
            merchant_id,
            ref,
        )
        if message_id is not None:
            if not await self._changed(chat_id, message_id, screen):
                return
            if await self._edit(chat_id, message_id, screen):
                await self._shown(chat_id, message_id, screen)
                return
            await self._forget(chat_id, message_id)
        message_id = await self._send(chat_id, screen, quiet=True)
        await self._remember(chat_id, message_id, "bill", ref, merchant_id, screen)
        await self._finish_former(chat_id, merchant_id, day)
        try:
            await self._bot.pin_chat_message(chat_id, message_id, disable_notification=True)
        except TelegramBadRequest as error:
            _LOG.warning("bill not pinned", chat_id=chat_id, fault=str(error))

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
                Bill(str(merchant_id), row["day"], edit_message_id=row["message_id"]),
                merchant_id=merchant_id,
            )

    async def _send(
        self,
        chat_id: int,
        screen: Screen,
        *,
        reply_to: int | None = None,
        only_for: int | None = None,
        quiet: bool = False,
    ) -> int:
        await self._room(chat_id)
        reply = (
            ReplyParameters(message_id=reply_to, allow_sending_without_reply=True)
            if reply_to is not None
            else None
        )
        if only_for is not None and chat_id < 0:
            try:
                sent = await self._bot.send_message(
                    chat_id,
                    screen.html,
                    reply_markup=screen.keyboard,
                    ephemeral_message_parameters=EphemeralMessageParameters(
                        receiver_user_id=only_for
                    ),
                )
            except (TelegramBadRequest, TelegramForbiddenError):
                _LOG.info("no ephemeral message here; replying instead", chat_id=chat_id)
            else:
                return sent.message_id
        sent = await self._post(chat_id, screen, reply, quiet)
        return sent.message_id

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
            if _UNCHANGED in str(error):
                return True
            if any(words in str(error) for words in _GONE):
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
                if any(words in str(error) for words in (_UNCHANGED, *_GONE)):
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

    async def _room(self, chat_id: int) -> None:
        """Telegram counts messages of a group in a sliding minute, and all in a second."""
        room = self._runtime.throttle.room
        # The group first: a full one must not use up what others may send.
        wait_s = await room(f"telegram:{chat_id}", self._per_group) if chat_id < 0 else 0.0
        wait_s = wait_s or await room("telegram:all", _OVERALL)
        if wait_s:
            raise _Full(wait_s)

    async def _language(self, chat_id: int) -> str:
        if chat_id < 0:
            group = await self._runtime.groups.find(chat_id)
            return group.language if group else "zh"
        person = await self._runtime.people.find(chat_id)
        return (person.language if person else None) or "zh"

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


def _elsewhere(fact: Fact) -> Fact | None:
    """What is left to say where a group moved to: message ids mean other messages there."""
    match fact:
        case Say():
            return replace(fact, reply_to=None, edit_message_id=None)
        case Card(edit_message_id=None):
            return replace(fact, reply_to=None)
        case Bill(reply_to=None, edit_message_id=None):
            return fact
        case _:
            return None


def _digest(screen: Screen) -> str:
    keyboard = screen.keyboard.model_dump_json(exclude_none=True) if screen.keyboard else ""
    text = json.dumps([screen.html, screen.rich, keyboard], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
