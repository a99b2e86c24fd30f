"""Enquiries: what a merchant asks about an order is passed to its supplier's group, and whatever is
replied there comes back to whoever asked. Paid orders end them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, cast
from uuid import UUID

from core.delivery.district import Delivery
from core.delivery.outbox import Copy, EnquiryCard, Fact, Leaving, MediaGroup, Say, Saying
from core.kernel.errors import Refusal
from core.kernel.ids import NUMBER_CHARS, read_number
from core.people.actors import Actor
from core.people.desk_settings import DeskSettings
from core.people.groups import Groups
from core.system.district import System
from core.system.store import Queries, Tx
from core.trade.enquiries import rows
from core.trade.enquiries.model import (
    EVIDENCE,
    KEEPER,
    Enquiry,
    EnquiryView,
    Media,
    Part,
    Said,
    Thread,
)
from core.trade.enquiries.notices import (
    EnquiryAnswerLost,
    EnquiryPaid,
    EnquiryReminder,
    EnquiryUnbound,
)
from core.trade.orders import Attempt, Order, OrderKey, get_attempts, get_order

# A supplier is reminded of an order so often at most.
CHASED_EVERY: Final = timedelta(minutes=1)
# The messages of an album come one after the other.
GATHERED_AFTER: Final = timedelta(seconds=0.7)
_NUMBER: Final = re.compile(rf"(?<![0-9A-Z])[A-Z0-9]{{{NUMBER_CHARS}}}(?![0-9A-Z])")


# Told of a message: its chat, and its id.
Seen = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _About:
    """An order that can be asked about, and the attempt that its supplier knows it by."""

    order: Order
    attempt: Attempt


class Enquiries:
    """Passes questions on, answers back, and sees to their ends.

    More than seven verbs: both sides of a conversation, which one row holds together.
    """

    def __init__(
        self, system: System, delivery: Delivery, groups: Groups, settings: DeskSettings
    ) -> None:
        self._store = system.store
        self._clock = system.clock
        self._ids = system.ids
        self._outbox = delivery.outbox
        self._albums = delivery.albums
        self._groups = groups
        self._settings = settings
        self._outbox.on_sent(KEEPER, self._keep)
        self._on_passed: list[Seen] = []
        self._on_paid: list[Seen] = []

    def look_on(self, passed: Seen, paid: Seen) -> None:
        """Have `passed` called with each message that is passed to the other side, and `paid` with
        each that asked about an order that is paid: its chat and its id."""
        self._on_passed.append(passed)
        self._on_paid.append(paid)

    async def ask(self, actor: Actor, orders: Sequence[OrderKey], said: Said) -> int:
        """Pass a question about orders to their suppliers, where they are unpaid and live; how many
        that are. What is passed already gets what is new beside it. A message that is delivered
        again is passed once. No picture is passed where the orders have several suppliers: nobody
        knows whose it is. Refusals: anonymous_admin, not_permitted."""
        actor.need("chase")
        found = [await self._about(key) for key in orders]
        unpaid = [about for about in found if about is not None and not about.order.settled]
        if len({about.attempt.supplier_id for about in unpaid}) > 1:
            said = replace(said, media=(), album=None)
        said = await self._whole(said)
        passed = 0
        for about in unpaid:
            async with self._store.transaction() as tx:
                passed += await self._ask(tx, about, said)
        if passed:
            _call(self._on_passed, said.chat_id, said.message_id)
        return passed

    async def chase(self, actor: Actor, key: OrderKey, said: Said, *, again: bool = False) -> None:
        """Remind the supplier of an order, or ask about it where nobody did. again: a button may be
        pressed more than once; what somebody wrote counts once, however often it is delivered.

        Refusals: anonymous_admin, not_permitted, order_state (it is paid), enquiry_not_sent,
        chased_already.
        """
        actor.need("chase")
        about = await self._about(key)
        if about is None:
            order = await get_order(self._store, key.merchant_id, key.order_id)
            raise Refusal("enquiry_not_sent", number=order.order_no)
        order, attempt = about.order, about.attempt
        said = await self._whole(said)
        if order.settled:
            raise Refusal("order_state", number=order.order_no, status=order.state)
        async with self._store.transaction() as tx:
            enquiry = await rows.lock_newest(tx, attempt)
            if enquiry is None:
                await self._ask(tx, about, said)
                return
            if not await rows.note_said(tx, enquiry.id, said, "asked") and not again:
                return
            wait = enquiry.last_passed_at + CHASED_EVERY - self._clock.now()
            if wait > timedelta(0):
                seconds = max(1, round(wait.total_seconds()))
                raise Refusal("chased_already", number=order.order_no, retry_after_s=seconds)
            await self._reopen(tx, enquiry)
            await self.remind(tx, enquiry)

    async def find_thread(self, chat_id: int, message_id: int, text: str) -> Thread | None:
        """Where a reply to a message of ours belongs; None where that is no part of an enquiry.
        text: what that message says."""
        numbers = {
            number
            for number in _NUMBER.findall(text.upper())
            if (facts := read_number(number)) is not None and facts.what == "attempt"
        }
        return await rows.find_thread(self._store, chat_id, message_id, sorted(numbers))

    async def find_album(self, chat_id: int, album: str) -> tuple[UUID, ...]:
        """What other parts of an album asked; nothing where that went to several suppliers, for
        nobody knows whose another part is."""
        pieces = await self._albums.pieces(chat_id, album)
        asked = await rows.asked_by(self._store, chat_id, [one.message_id for one in pieces])
        found = {pair for pairs in asked.values() for pair in pairs}
        one_supplier = len({supplier_id for _, supplier_id in found}) == 1
        return tuple(sorted(enquiry_id for enquiry_id, _ in found)) if one_supplier else ()

    async def add(self, actor: Actor, enquiry_ids: Sequence[UUID], said: Said) -> None:
        """Another part of an album goes with what its other parts asked, where that was not passed
        yet; else under it, with our number and without its words. Once, however often it is
        delivered. Refusals: anonymous_admin, not_permitted."""
        actor.need("chase")
        for enquiry_id in sorted(enquiry_ids):
            async with self._store.transaction() as tx:
                enquiry = await rows.lock(tx, enquiry_id)
                if not await rows.note_said(tx, enquiry.id, said, "asked"):
                    continue
                if enquiry.gathers:
                    media = _kept((*enquiry.media, *said.media))
                    await rows.change(tx, enquiry.id, {"media": media})
                else:
                    await self._pass_pictures(tx, enquiry, said)
        _call(self._on_passed, said.chat_id, said.message_id)

    async def gather(self, enquiry_id: UUID) -> float:
        """Whoever shows a question with an album asks first: the seconds to wait until all of that
        is there; 0 where it is, and what comes after this goes by itself."""
        async with self._store.transaction() as tx:
            enquiry = await rows.lock(tx, enquiry_id)
            over_at, now = enquiry.asked_at + GATHERED_AFTER, self._clock.now()
            if enquiry.gathers and now < over_at:
                return (over_at - now).total_seconds()
            if enquiry.gathers:
                await rows.change(tx, enquiry.id, {"gathered_at": now})
        return 0.0

    def hears(self, actor: Actor, thread: Thread) -> bool:
        """Whether a reply of this person belongs there. In the supplier's group everybody answers
        but our own people, who ask; in ops our own people do. What came back is replied to by whom
        may ask."""
        if thread.part == "returned":
            return actor.may("chase")
        return actor.staff != actor.in_suppliers_group

    async def reply(self, actor: Actor, thread: Thread, said: Said) -> None:
        """Somebody replied: to what the supplier was asked, so that it goes back to whoever asked;
        or to what came back, so that it goes to the supplier. Once, however often it is
        delivered. Whom it does not hear is passed over."""
        if not self.hears(actor, thread):
            return
        async with self._store.transaction() as tx:
            enquiry = await rows.lock(tx, thread.enquiry_id)
            if thread.part == "passed":
                await self._answer(tx, actor, enquiry, said)
            elif await rows.note_said(tx, enquiry.id, said, "asked"):
                await self._pass_beside(tx, enquiry, said)
                await self._reopen(tx, enquiry)
        _call(self._on_passed, said.chat_id, said.message_id)

    async def lose(self, ref: str) -> None:
        """What was to be passed was taken away before. Where it was the only answer, the supplier
        owes one again and is told so; once, however often it is told of. ref: of the copy."""
        part, enquiry_id, chat_id, message_id = ref.split(":")
        if part != "returned":
            return
        async with self._store.transaction() as tx:
            if await rows.find(tx, UUID(enquiry_id)) is None:
                return  # forgotten meanwhile
            enquiry = await rows.lock(tx, UUID(enquiry_id))
            none_left = await rows.forget_answer(tx, enquiry.id, int(chat_id), int(message_id))
            if enquiry.state != "answered" or not none_left:
                return
            await self._reopen(tx, enquiry)
            lost = EnquiryAnswerLost(enquiry.attempt_no)
            ref = _ref("passed", enquiry, f"lost:{chat_id}:{message_id}")
            for spot in await self._at_supplier(tx, enquiry):
                said = Say(lost, reply_to=spot.message_id, remember="copy", keeper=KEEPER, ref=ref)
                await self._outbox.say(tx, spot.chat_id, said)

    async def take(self, actor: Actor, enquiry_id: UUID) -> bool:
        """Somebody of the supplier's looks after it. False: somebody does already. Who of ours is
        there asks, and is not named to the supplier. Refusals: record_not_found (it is none of this
        chat's), enquiry_of_supplier (somebody of ours pressed)."""
        if actor.staff:
            raise Refusal("enquiry_of_supplier")
        async with self._store.transaction() as tx:
            spots = await rows.spots(tx, enquiry_id, "passed")
            if all(spot.chat_id != actor.home for spot in spots):
                raise Refusal("record_not_found")
            enquiry = await rows.lock(tx, enquiry_id)
            if enquiry.taken_by_name:
                return False
            await self._take(tx, enquiry, actor.name)
            await self._show(tx, enquiry)
            return True

    async def pass_on(self, actor: Actor, enquiry_id: UUID) -> None:
        """Pass on what waits because its supplier had no group: it is asked now, and is to answer
        from now on. Refusals: anonymous_admin,
        not_permitted, staff_only, record_not_found, supplier_unbound."""
        actor.need_among_staff("chase")
        async with self._store.transaction() as tx:
            if await rows.find(tx, enquiry_id) is None:
                raise Refusal("record_not_found")
            enquiry = await rows.lock(tx, enquiry_id)
            if not await self._post(tx, enquiry):
                raise Refusal("supplier_unbound")
            now = self._clock.now()
            await rows.begin(tx, enquiry.id, now, now + await self.wait(tx))

    async def view(self, enquiry_id: UUID) -> EnquiryView | None:
        """What its card shows, as it stands; None where it is forgotten."""
        return await rows.view(self._store, enquiry_id)

    async def settle(self, tx: Tx, enquiry_ids: Sequence[UUID]) -> None:
        """The orders of these moved: of those that are paid, or closed by their merchant, the cards
        say so; whoever asked is told that it is paid."""
        for enquiry_id in sorted(enquiry_ids):
            enquiry = await rows.lock(tx, enquiry_id)
            order = await get_order(tx, enquiry.merchant_id, enquiry.order_id)
            if enquiry.state in ("paid", "closed") or not (
                order.settled or order.state == "closed"
            ):
                continue
            state = "paid" if order.settled else "closed"
            ended = {"state": state, "ended_at": self._clock.now(), "chase_at": None}
            await rows.change(tx, enquiry.id, ended)
            await self._show(tx, enquiry)
            if order.settled:
                paid = EnquiryPaid(
                    order.order_no,
                    order.merchant_order_no,
                    order.amount.minor,
                    order.amount.currency,
                )
                for spot in await rows.spots(tx, enquiry.id, "asked"):
                    await self._outbox.say(tx, spot.chat_id, Say(paid, reply_to=spot.message_id))
                    if spot.message_id is not None:
                        _call(self._on_paid, spot.chat_id, spot.message_id)

    async def remind(self, tx: Tx, enquiry: Enquiry, chats: Collection[int] | None = None) -> None:
        """Ask the supplier again, under what it was asked. chats: in these groups of its alone."""
        now = self._clock.now()
        minutes = int((now - enquiry.asked_at).total_seconds() // 60)
        ref = _ref("passed", enquiry, f"again:{enquiry.id}:{now.isoformat()}")
        for spot in await self._at_supplier(tx, enquiry):
            if chats is not None and spot.chat_id not in chats:
                continue
            again = Say(
                EnquiryReminder(enquiry.attempt_no, minutes), reply_to=spot.message_id,
                remember="copy", keeper=KEEPER, ref=ref,
            )  # fmt: skip
            await self._outbox.say(tx, spot.chat_id, again)
        await rows.change(tx, enquiry.id, {"chased_at": now})

    async def wait(self, tx: Queries) -> timedelta:
        """So long after it was asked the timetable reminds the supplier."""
        return await self._settings.wait("chase_after", tx)

    async def tell_unbound(self, tx: Tx, enquiry: Enquiry) -> None:
        """Tell ops that its supplier has no group: nobody is asked until it has one."""
        numbers = await rows.numbers(tx, enquiry)
        if numbers is None:
            return
        unbound = EnquiryUnbound(
            enquiry.id,
            numbers["order_no"],
            enquiry.attempt_no,
            numbers["merchant_no"],
            numbers["supplier_no"],
            enquiry.asked_by_name,
        )
        ref = _ref("passed", enquiry, f"unbound:{self._clock.now().isoformat()}")
        await self._groups.tell_ops(tx, Say(unbound, remember="copy", keeper=KEEPER, ref=ref))

    # ── what the verbs share ─────────────────────────────────────────────────────────────────────
    async def _about(self, key: OrderKey) -> _About | None:
        """None: nothing of the order went to a supplier, or no money moves in it."""
        order = await get_order(self._store, key.merchant_id, key.order_id)
        attempts = await get_attempts(self._store, key.merchant_id, key.order_id)
        sent = [one for one in attempts if not one.unsent]
        if order.mode != "live" or not sent:
            return None
        live = [one for one in sent if one.attempt_no == order.live_attempt_no]
        return _About(order, (live or sent)[-1])

    async def _whole(self, said: Said) -> Said:
        """With all that came of its album before, but for what asks something by itself."""
        if said.album is None:
            return said
        pieces = await self._albums.pieces(said.chat_id, said.album)
        asked = await rows.asked_by(self._store, said.chat_id, [one.message_id for one in pieces])
        own = [one for one in pieces if one.message_id not in asked and one.kind in EVIDENCE]
        media = tuple(Media(one.kind, one.file_id) for one in own)
        others = tuple(one.message_id for one in own if one.message_id != said.message_id)
        return replace(said, media=media or said.media, others=others)

    async def _ask(self, tx: Tx, about: _About, said: Said) -> int:
        """Whether it is new to the supplier: 1 or 0."""
        order, attempt, now = about.order, about.attempt, self._clock.now()
        if await rows.was_said(tx, attempt, said):
            return 0
        opened = await rows.open_one(
            tx,
            {
                "id": self._ids.uuid7(),
                "merchant_id": order.merchant_id,
                "order_id": order.id,
                "supplier_id": attempt.supplier_id,
                "attempt_no": attempt.attempt_no,
                "from_chat_id": said.chat_id,
                "from_message_id": said.message_id,
                "media": _kept(said.media),
                "album": said.album,
                "asked_at": now,
                "asked_by_name": said.by_name,
            },
        )
        if opened is not None:
            await rows.note_said(tx, opened.id, said, "asked")
            await rows.note(tx, opened.id, said.chat_id, said.others, "asked")
            if await self._post(tx, opened):
                await rows.begin(tx, opened.id, now, now + await self.wait(tx))
            else:
                await self.tell_unbound(tx, opened)
            return 1
        enquiry = await rows.lock_newest(tx, attempt)
        if enquiry is None:
            return 0  # it was answered at this very moment
        await rows.note_said(tx, enquiry.id, said, "asked")
        await rows.note(tx, enquiry.id, said.chat_id, said.others, "asked")
        if said.media:
            await self._pass_pictures(tx, enquiry, said)
        return 1

    async def _answer(self, tx: Tx, actor: Actor, enquiry: Enquiry, said: Said) -> None:
        if not await rows.note_said(tx, enquiry.id, said, "answered"):
            return
        for spot in await rows.spots(tx, enquiry.id, "asked"):
            await self._outbox.say(
                tx, spot.chat_id, self._copy("returned", enquiry, said, spot.message_id)
            )
        # Who of ours answers in ops is nobody's business at the supplier.
        taken = actor.in_suppliers_group and not enquiry.taken_by_name
        if taken:
            await self._take(tx, enquiry, said.by_name)
        if enquiry.state == "open":
            answered_at = enquiry.answered_at or self._clock.now()
            answered = {"state": "answered", "answered_at": answered_at, "chase_at": None}
            await rows.change(tx, enquiry.id, answered)
        if enquiry.state == "open" or taken:
            await self._show(tx, enquiry)

    async def _pass_pictures(self, tx: Tx, enquiry: Enquiry, said: Said) -> None:
        """Another picture, or album, goes under what was passed: with our number, and nothing of
        its words."""
        if len(said.media) < 2:
            await self._pass_beside(tx, enquiry, replace(said, caption=enquiry.attempt_no))
            return
        items = tuple((one.kind, one.file_id) for one in said.media)
        ref = _ref("passed", enquiry, f"{said.chat_id}:{said.message_id}")
        for spot in await self._at_supplier(tx, enquiry):
            album = MediaGroup(items, enquiry.attempt_no, spot.message_id, KEEPER, ref)
            await self._outbox.say(tx, spot.chat_id, album)

    async def _pass_beside(self, tx: Tx, enquiry: Enquiry, said: Said) -> None:
        """Something more about what was passed goes under it."""
        for spot in await self._at_supplier(tx, enquiry):
            await self._outbox.say(
                tx, spot.chat_id, self._copy("passed", enquiry, said, spot.message_id)
            )

    def _copy(self, part: Part, enquiry: Enquiry, said: Said, reply_to: int | None) -> Fact:
        ref = _ref(part, enquiry, f"{said.chat_id}:{said.message_id}")
        return Copy(said.chat_id, said.message_id, reply_to, said.text, said.caption, KEEPER, ref)

    async def _reopen(self, tx: Tx, enquiry: Enquiry) -> None:
        """The supplier owes an answer again, where it gave one. What is open stays as it is, for
        whoever asks again and again must not keep it from ops."""
        if enquiry.state != "answered" or await rows.is_open(tx, enquiry):
            return
        chase_at = self._clock.now() + await self.wait(tx)
        waits = {"state": "open", "chases": 0, "chase_at": chase_at}
        await rows.change(tx, enquiry.id, waits)
        await self._show(tx, enquiry)

    async def _take(self, tx: Tx, enquiry: Enquiry, name: str) -> None:
        await rows.change(tx, enquiry.id, {"taken_by_name": name, "taken_at": self._clock.now()})

    async def _at_supplier(self, tx: Queries, enquiry: Enquiry) -> list[rows.Spot]:
        """The card in each of the supplier's groups; or the group, where none is posted yet."""
        posted = {spot.chat_id: spot for spot in await self._cards(tx, enquiry)}
        chats = await self._groups.of_holder(tx, enquiry.supplier_id)
        return [posted.get(chat_id, rows.Spot(chat_id, None)) for chat_id in chats]

    async def _cards(self, tx: Queries, enquiry: Enquiry) -> list[rows.Spot]:
        return await rows.spots(tx, enquiry.id, "passed", newest=False)

    async def _post(self, tx: Tx, enquiry: Enquiry) -> bool:
        """Post its card in the supplier's groups. False where there are none."""
        chats = await self._groups.of_holder(tx, enquiry.supplier_id)
        await self._outbox.say_all(tx, [_card(chat_id, enquiry) for chat_id in chats])
        return bool(chats)

    async def _show(self, tx: Tx, enquiry: Enquiry) -> None:
        """Its cards show how it is by the time they leave."""
        bound = set(await self._groups.of_holder(tx, enquiry.supplier_id))
        chats = [spot.chat_id for spot in await self._cards(tx, enquiry) if spot.chat_id in bound]
        await self._outbox.say_all(tx, [_card(chat, enquiry, posted=True) for chat in chats])

    async def _keep(self, tx: Tx, leaving: Leaving, message_ids: Sequence[int]) -> None:
        """What left belongs to its enquiry: a reply to it does as well."""
        ref: str = getattr(leaving.fact, "ref", "")
        part, enquiry_id = ref.split(":")[:2]
        enquiry = await rows.find(tx, UUID(enquiry_id))
        if enquiry is None:
            return  # forgotten meanwhile
        enquiry = await rows.lock(tx, enquiry.id)
        await rows.note(tx, enquiry.id, leaving.chat_id, message_ids, cast(Part, part))
        # Whatever changed while it was on its way was shown nowhere.
        if isinstance(leaving.fact, EnquiryCard):
            if enquiry.gathers:
                await rows.change(tx, enquiry.id, {"gathered_at": self._clock.now()})
            if _changed(enquiry):
                await self._show(tx, enquiry)


def _kept(media: Sequence[Media]) -> list[list[str]]:
    """As a row keeps them."""
    return [[one.kind, one.file_id] for one in media]


def _call(listeners: Sequence[Seen], chat_id: int, message_id: int) -> None:
    for seen in listeners:
        seen(chat_id, message_id)


def _changed(enquiry: Enquiry) -> bool:
    return enquiry.state != "open" or bool(enquiry.taken_by_name)


def _ref(part: Part, enquiry: Enquiry, name: str) -> str:
    """What a message is kept by: the part that it is, its enquiry, and what tells it from others
    of that part."""
    return f"{part}:{enquiry.id}:{name}"


def _card(chat_id: int, enquiry: Enquiry, *, posted: bool = False) -> Saying:
    return Saying(
        chat_id,
        EnquiryCard(str(enquiry.id), posted=posted),
        dedupe_key=f"enquiry:{chat_id}:{enquiry.id}",
    )
