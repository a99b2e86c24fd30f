"""Takes facts from the outbox to Telegram: rendered now, in the order of each chat, once each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from aiogram import Bot
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramRetryAfter,
)
from aiogram.types import BufferedInputFile
from aiohttp import ClientConnectorError

from bot.announcer import Announcer
from bot.copier import Copier
from bot.painter import Painter
from bot.poster import Place, Poster, TopicGone, Unreachable, Whisper, digest_of
from bot.send_limits import Budget, Full, is_out
from core.delivery.board import CardPost, LiveBill, Subject
from core.delivery.outbox import (
    QUEUE,
    AlarmCard,
    ApprovalCard,
    Bill,
    BroadcastCard,
    Card,
    Copy,
    DeskBill,
    EnquiryCard,
    Fact,
    Leaving,
    MediaGroup,
    Picture,
    Pin,
    PinCopy,
    Revise,
    Say,
    TakeAway,
    TextFile,
    Twins,
    Unpin,
    Unread,
    Withdraw,
    use_of,
)
from core.kernel.errors import Bug
from core.kernel.holder import HOUSE
from core.people.groups import Group
from core.runtime import Runtime
from core.system.leases import hold
from core.system.store import DATABASE_AWAY
from handlers.kit.qr import qr_png
from handlers.screens import Repeated, Screen, render_say

_LOG = structlog.get_logger(__name__)
# A chat waits behind its oldest message: the pauses are short, or it would be deaf for long after
# Telegram is back.
_BACK_OFF_S: Final = (1, 2, 5, 10, 20, 30)
_TRIES_OF_FAULTY: Final = 3  # of what fails by our own fault
_LONGEST_REST_S: Final = 60.0
_BUILDING_S: Final = 2.0  # so soon is looked again whether a file is on its way


class Courier:
    """Sends, edits and pins on behalf of the desk."""

    def __init__(self, runtime: Runtime, bot: Bot, *, group_per_min: int) -> None:
        self._runtime = runtime
        self._painter = Painter(runtime)
        self._board = runtime.delivery.board
        self._posts = self._board.posts
        self._budget = Budget(runtime.system.throttle, group_per_min)
        self._poster = Poster(bot, self._budget)
        self._copier = Copier(runtime, self._painter, self._poster)
        self._announcer = Announcer(runtime, self._painter, self._poster)

    async def take(self, hands: int) -> list[Callable[[], Awaitable[None]]]:
        """Take the lanes of so many chats at most; a job for each, which lets go of it."""
        leaving = await self._runtime.delivery.outbox.take(hands)
        return [partial(self._carry, one) for one in leaving]

    async def _carry(self, leaving: Leaving) -> None:
        renew = partial(self._runtime.delivery.outbox.renew, leaving)
        await hold(self._deliver(leaving), renew, every_s=QUEUE.renew_every_s)

    async def _deliver(self, leaving: Leaving) -> None:
        outbox = self._runtime.delivery.outbox
        again_s = _BACK_OFF_S[min(leaving.tries, len(_BACK_OFF_S)) - 1]
        if leaving.gone and not leaving.told:
            await outbox.drop(leaving)
            return
        place = Place(leaving.chat_id, leaving.rank)
        try:
            self._budget.need_room(place.chat_id, place.rank)
            place.thread_id = await self._topic(leaving)
            became = await self._show(place, leaving)
        except Full as full:
            await outbox.wait_for_room(leaving, seconds=full.seconds)
        except TopicGone:
            await self._without_topic(leaving, place)
        except TelegramRetryAfter as error:
            await outbox.wait_for_room(leaving, seconds=float(error.retry_after))
        except TelegramMigrateToChat as error:
            await self._follow(leaving, error.migrate_to_chat_id)
        except Unreachable as error:
            await outbox.park(leaving, fault=str(error))
        except (TelegramForbiddenError, TelegramBadRequest) as error:
            await self._give_up(leaving, error)
        except (TelegramAPIError, *DATABASE_AWAY) as error:
            maybe_out = place.maybe_there and not _never_reached(error)
            fault = str(error) or repr(error)
            await outbox.put_off(leaving, seconds=again_s, fault=fault, maybe_out=maybe_out)
        except Exception as error:  # noqa: BLE001 (one bad row must not stop the others)
            _LOG.exception("message failed", chat_id=leaving.chat_id)
            await outbox.put_off(
                leaving,
                seconds=again_s,
                fault=repr(error),
                most_tries=_TRIES_OF_FAULTY,
                maybe_out=place.maybe_there,
            )
        else:
            if isinstance(became, tuple):
                await outbox.sent(leaving, message_ids=became)
            else:
                await outbox.sent(leaving, message_id=became)

    async def _topic(self, leaving: Leaving) -> int | None:
        """The topic of a forum into which this comes; None for the general one."""
        use = use_of(leaving.fact)
        if use is None or leaving.chat_id > 0:
            return None
        group = await self._runtime.people.groups.find(leaving.chat_id)
        return None if group is None else group.topics.of(use)

    async def _without_topic(self, leaving: Leaving, place: Place) -> None:
        """It comes into the general topic instead, next."""
        use = use_of(leaving.fact)
        if use is not None and place.thread_id is not None:
            groups = self._runtime.people.groups
            await groups.topic_lost(leaving.chat_id, use, place.thread_id)
        await self._runtime.delivery.outbox.wait_for_room(leaving, seconds=0)

    async def _follow(self, leaving: Leaving, chat_id: int) -> None:
        """Its chat has moved: it waits for its turn there."""
        await self._runtime.people.groups.moved(leaving.chat_id, chat_id)
        await self._runtime.delivery.outbox.move(leaving, chat_id, _elsewhere(leaving.fact))

    async def _give_up(
        self, leaving: Leaving, error: TelegramForbiddenError | TelegramBadRequest
    ) -> None:
        outbox = self._runtime.delivery.outbox
        if is_out(error):
            await outbox.chats.gone(leaving.chat_id)
            if not leaving.told:
                await outbox.drop(leaving)
                return
        if await outbox.park(leaving, fault=str(error)):
            _LOG.error("message parked", chat_id=leaving.chat_id, fault=str(error))

    async def _show(self, place: Place, leaving: Leaving) -> int | tuple[int, ...] | None:
        """Show it in its chat; the id of the new message, where it is one, or of several."""
        match leaving.fact:
            case EnquiryCard() | Copy() | MediaGroup():
                return await self._copier.show(place, leaving)
            case BroadcastCard() | Revise() | Withdraw() | PinCopy():
                return await self._announcer.show(place, leaving.fact)
            case Say() as say:
                return await self._say(place, say, leaving)
            case AlarmCard(alarm_id):
                screen = await self._painter.alarm(place.chat_id, UUID(alarm_id))
                return await self._in_place(place, Subject.alarm(UUID(alarm_id)), screen)
            case ApprovalCard(approval_id):
                screen = await self._painter.approval(place.chat_id, UUID(approval_id))
                return await self._in_place(place, Subject.approval(UUID(approval_id)), screen)
            case Card() as card:
                return await self._card(place, card, leaving)
            case Bill() as bill:
                return await self._bill(place, bill)
            case DeskBill() as bill:
                return await self._desk_bill(place, bill)
            case TextFile() as file:
                under = Say(file.notice)
                screen = render_say(under, await self._painter.language(place.chat_id))
                content = BufferedInputFile(file.text.encode(), file.name)
                return await self._poster.file(place, content, screen, reply_to=file.reply_to)
            case Picture() as picture:
                under = Say(picture.notice)
                screen = render_say(under, await self._painter.language(place.chat_id))
                png = await asyncio.to_thread(qr_png, picture.text)
                code = BufferedInputFile(png, "code.png")
                return await self._poster.picture(place, code, screen, reply_to=picture.reply_to)
            case TakeAway(message_id):
                await self._poster.delete(place, message_id)
                return None
            case Twins() as twins:
                await self._part(place, twins)
                return None
            case Pin(message_id):
                await self._pin(place, message_id, leaving.merchant_id)
                return None
            case Unpin(message_id):
                await self._unpin(place, message_id)
                return None
            case Unread(topic):
                raise Bug(f"this desk cannot read what leaves: {topic}")

    async def _part(self, place: Place, twins: Twins) -> None:
        """Leave one of twins: what is ours among these, and unknown to us, is the other.
        A file on its way is unknown as well, until its sender has said what it became."""
        if await self._runtime.reports.exports.queue.is_under_way(place.chat_id):
            raise Full(_BUILDING_S)
        repeated = render_say(Say(Repeated()), await self._painter.language(place.chat_id))
        for message_id in await self._posts.strangers(place.chat_id, twins.after, twins.before):
            if await self._poster.is_ours(place, message_id):
                _LOG.warning("a twin is taken away", chat_id=place.chat_id, message_id=message_id)
                await self._poster.repeal(place, message_id, repeated)

    async def _say(self, place: Place, say: Say, leaving: Leaving) -> int | None:
        language = await self._painter.language(place.chat_id)
        screen = render_say(say, language)
        if say.edit_message_id is not None and await self._poster.edit(
            place, say.edit_message_id, screen
        ):
            return None
        # What everybody reads, where one person alone cannot be told.
        aloud = screen
        if say.aloud and place.chat_id < 0:
            aloud = render_say(replace(say, notice=say.aloud), language)
        about = None
        if say.remember is not None:
            about = Subject(say.remember, say.ref, leaving.merchant_id)
        message_id = await self._out(leaving, about)
        if message_id is not None:
            await self._redraw(place, message_id, aloud)  # it may say something else by now
            return message_id
        if say.only_for is not None and place.chat_id < 0:
            message_id = await self._poster.whisper(
                place, Whisper(screen, aloud, say.only_for, say.reply_to, say.thread_id)
            )
        else:
            message_id = await self._poster.post(place, screen, reply_to=say.reply_to)
        if about is not None and message_id is not None:
            await self._posts.posted(place.chat_id, message_id, about, digest_of(screen))
        return message_id

    async def _out(self, leaving: Leaving, about: Subject | None) -> int | None:
        """The message that it became already, where whoever sent it died before saying so."""
        if about is None or not leaving.maybe_out:
            return None
        post = await self._posts.find(leaving.chat_id, about)
        return post.message_id if post and post.message_id > leaving.behind else None

    async def _card(self, place: Place, card: Card, leaving: Leaving) -> int | None:
        chat_id, merchant_id, order_id = place.chat_id, UUID(card.merchant_id), UUID(card.order_id)
        seen = await self._painter.look(chat_id, merchant_id, order_id)
        screen = seen.screen() if seen is not None else None
        if card.edit_message_id is not None:
            await self._redraw(place, card.edit_message_id, screen)
            return None
        if screen is None:
            return None
        about = Subject.card(merchant_id, order_id)
        message_id = await self._out(leaving, about)
        if message_id is not None:
            await self._redraw(place, message_id, screen)
            return message_id
        message_id = await self._poster.post(place, screen, reply_to=card.reply_to)
        await self._posts.posted(chat_id, message_id, about, digest_of(screen))
        # What changed between the reading above and the remembering would never be shown. The
        # edit goes through the outbox: should it fail here, the card would be posted twice.
        if await self._painter.look(chat_id, merchant_id, order_id) != seen:
            store = self._runtime.system.store
            posted = CardPost(chat_id, message_id, merchant_id, order_id)
            await self._board.show_cards(store, [posted])
        return message_id

    async def _redraw(self, place: Place, message_id: int, screen: Screen | None) -> None:
        """Edit a card that is there; None: it is no longer for this chat."""
        if screen is not None:
            digest = digest_of(screen)
            post = await self._posts.get(place.chat_id, message_id)
            if post is not None and post.digest == digest:
                return
            if await self._poster.edit(place, message_id, screen):
                await self._posts.shown(place.chat_id, message_id, digest)
                return
        await self._posts.forget(place.chat_id, message_id)

    async def _bill(self, place: Place, fact: Bill) -> int | None:
        merchant_id = UUID(fact.merchant_id)
        group = await self._runtime.people.groups.find(place.chat_id)
        live = fact.reply_to is None and fact.edit_message_id is None
        if not await self._may_show(place.chat_id, group, merchant_id, live=live):
            return None
        # The live bill stays what it is when its day is over: its buttons never turn it.
        stays = live or await self._is_live_bill(place.chat_id, fact.edit_message_id)
        screen, day = await self._painter.bill(place.chat_id, group, fact, stays=stays)
        if live:
            bill = LiveBill("merchant", merchant_id, place.chat_id)
            return await self._live_bill(place, bill, day, screen)
        return await self._answer(place, fact, screen)

    async def _may_show(
        self, chat_id: int, group: Group | None, holder_id: UUID, *, live: bool
    ) -> bool:
        """Whether a chat may still be shown a holder's bill: the group may have been unbound
        meanwhile, and another one's people read along. live: only the holder's own groups."""
        if group is not None and group.has_bill_of(holder_id):
            return True
        return not live and await self._runtime.people.groups.may_read(chat_id, holder_id)

    async def _is_live_bill(self, chat_id: int, message_id: int | None) -> bool:
        """Whether a message is, or was, the live bill of a day."""
        post = None if message_id is None else await self._posts.get(chat_id, message_id)
        return post is not None and post.subject.kind == "bill"

    async def _desk_bill(self, place: Place, fact: DeskBill) -> int | None:
        holder_id = HOUSE if fact.supplier_id is None else UUID(fact.supplier_id)
        group = await self._runtime.people.groups.find(place.chat_id)
        live = fact.first is None
        if not await self._may_show(place.chat_id, group, holder_id, live=live):
            return None
        stays = live or await self._is_live_bill(place.chat_id, fact.edit_message_id)
        screen, day = await self._painter.desk_bill(place.chat_id, fact, stays=stays)
        if live:
            bill = LiveBill.of_desk(holder_id, place.chat_id)
            return await self._live_bill(place, bill, day, screen)
        return await self._answer(place, fact, screen)

    async def _answer(self, place: Place, fact: Bill | DeskBill, screen: Screen) -> int | None:
        """In the place of the bill whose button was pressed, or in reply."""
        if fact.edit_message_id is not None:
            await self._poster.edit(place, fact.edit_message_id, screen)
            return None
        return await self._poster.post(place, screen, reply_to=fact.reply_to)

    async def _live_bill(
        self, place: Place, bill: LiveBill, day: date, screen: Screen
    ) -> int | None:
        """The group's one pinned bill of this day: edited in place, posted anew when it is gone."""
        rest_s = await self._bill_rest_s(bill)
        about = Subject.live_bill(bill.holder_id, day)
        await self._need_loud(place.chat_id, about)
        message_id = await self._in_place(place, about, screen, quiet=True, rest_s=rest_s)
        if message_id is not None:
            await self._board.replace_bill(bill, day)
        return message_id

    async def _need_loud(self, chat_id: int, about: Subject) -> None:
        """A new day's bill is not posted in the group's quiet hours: Full until they are over. One
        that is there is edited, which nobody hears."""
        group = await self._runtime.people.groups.find(chat_id)
        if group is None or group.quiet is None or await self._posts.find(chat_id, about):
            return
        now = self._runtime.system.clock.now()
        over_at = group.quiet.over_at(now, await self._painter.zone(group, about.holder_id))
        if over_at is not None:
            raise Full(max(1.0, (over_at - now).total_seconds()))

    async def _pin(self, place: Place, message_id: int, holder_id: UUID) -> None:
        """Pin a live bill while it is the newest of a holder of this group. Without the right it
        is left alone, until the bot has it."""
        chat_id = place.chat_id
        group = await self._runtime.people.groups.find(chat_id)
        if group is None or not group.has_bill_of(holder_id):
            return
        post = await self._posts.get(chat_id, message_id)
        if post is None or post.subject.kind != "bill" or post.pinned or not post.newest:
            return
        if await self._poster.pin(place, message_id):
            await self._posts.pinned(chat_id, message_id, is_pinned=True)

    async def _unpin(self, place: Place, message_id: int) -> None:
        if await self._poster.unpin(place, message_id):
            await self._posts.pinned(place.chat_id, message_id, is_pinned=False)

    async def _bill_rest_s(self, bill: LiveBill) -> float:
        """How long a live bill stands before it is edited again: the longer, the less room is left
        for what people say and are told."""
        left = 1 - await self._budget.used(bill.chat_id)
        most = _LONGEST_REST_S
        return min(most, bill.rest.total_seconds() / left**2) if left else most

    async def _in_place(
        self,
        place: Place,
        about: Subject,
        screen: Screen,
        *,
        quiet: bool = False,
        rest_s: float = 0.0,
    ) -> int | None:
        """The group's one message about this: edited where it shows something else, and posted
        anew when it is gone. Returns the id of one that was posted.

        rest_s: so long it is to stand; Full where it does not yet."""
        post = await self._posts.find(place.chat_id, about)
        digest = digest_of(screen)
        if post is not None:
            if post.digest == digest:
                return None
            stood_s = (self._runtime.system.clock.now() - post.shown_at).total_seconds()
            if stood_s < rest_s:
                raise Full(rest_s - stood_s)
            if await self._poster.edit(place, post.message_id, screen):
                await self._posts.shown(place.chat_id, post.message_id, digest)
                return None
            await self._posts.forget(place.chat_id, post.message_id)
        posted = await self._poster.post(place, screen, quiet=quiet)
        await self._posts.posted(place.chat_id, posted, about, digest)
        return posted


def _never_reached(error: BaseException) -> bool:
    """Whether nobody heard of the call."""
    return isinstance(error.__cause__, ClientConnectorError)


def _elsewhere(fact: Fact) -> Fact | None:
    """What is left to say where a group moved to: message ids mean other messages there."""
    match fact:
        case Say():
            return replace(fact, reply_to=None, edit_message_id=None)
        case TextFile() | Picture() | Copy() | MediaGroup():
            return replace(fact, reply_to=None)
        case Card(edit_message_id=None):
            return replace(fact, reply_to=None)
        case AlarmCard() | ApprovalCard() | EnquiryCard():
            return fact
        case Bill(reply_to=None, edit_message_id=None):
            return fact
        case DeskBill(edit_message_id=None):
            return replace(fact, reply_to=None)
        case _:
            return None
