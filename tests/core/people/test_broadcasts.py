"""A broadcast reaches each chat once: stopped, tried again, corrected and taken back everywhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import time, timedelta
from uuid import UUID

import pytest

from core.delivery.board import Subject
from core.delivery.outbox import BULK, Copy, Leaving, MediaGroup, PinCopy, Revise, Withdraw
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.broadcasts import AHEAD, MAX_LATER, MAX_OPEN, Broadcast, BroadcastView, Content
from core.people.groups import Audience, BotRights, Quiet, QuietHours
from core.runtime import Runtime
from tests.core.support import (
    ADMIN,
    CHAT,
    NORTHWIND_CHAT,
    OPERATOR,
    SUPPLIER_CHAT,
    SetClock,
    alarms,
    refused,
)

TEXT = Content(ADMIN, 50, "text", "hello")
MERCHANTS = Audience("merchants")
ALL = Audience("all")


class Office:
    """Who sends broadcasts, and what leaves for chats: each is out at once."""

    def __init__(self, runtime: Runtime, clock: SetClock) -> None:
        self.runtime, self.clock = runtime, clock
        self.broadcasts = runtime.people.broadcasts
        self._message_id = 1000

    async def actor(self, user_id: int = ADMIN, chat_id: int | None = None) -> Actor:
        chat_id = chat_id or user_id
        access = self.runtime.people.access
        return await access.actor(user_id, "x", chat_id, private=chat_id > 0)

    async def draft(self, audience: Audience = MERCHANTS, content: Content = TEXT) -> Broadcast:
        return await self.broadcasts.draft(await self.actor(), content, audience)

    async def send(self, audience: Audience = MERCHANTS, content: Content = TEXT) -> Broadcast:
        draft = await self.draft(audience, content)
        return await self.broadcasts.send(await self.actor(), draft.id)

    async def go_on(self, seconds: float = 2.0) -> None:
        self.clock.advance(seconds)
        await self.runtime.people.broadcast_delivery.go_on(50)

    async def leave(self, kicked: tuple[int, ...] = ()) -> list[Leaving]:
        """What leaves for others than whoever sends; nothing arrives where the bot was kicked."""
        found: list[Leaving] = []
        outbox = self.runtime.delivery.outbox
        while taken := await outbox.take(50):
            for leaving in taken:
                self._message_id += 1
                is_new = isinstance(leaving.fact, Copy | MediaGroup)
                if leaving.chat_id in kicked:
                    await outbox.park(leaving, fault="Forbidden: bot was kicked")
                else:
                    await outbox.sent(leaving, message_id=self._message_id if is_new else None)
                if leaving.chat_id != ADMIN:
                    found.append(leaving)
        return found

    async def view(self, broadcast_id: UUID) -> BroadcastView:
        found = await self.broadcasts.view(broadcast_id)
        assert found is not None
        return found

    async def run(self, kicked: tuple[int, ...] = ()) -> list[Leaving]:
        """All that is under way comes to its end."""
        found: list[Leaving] = []
        for _ in range(20):
            await self.go_on()
            left = await self.leave(kicked)
            found += left
            if not left:
                break
        return found


@pytest.fixture
async def office(runtime: Runtime, clock: SetClock) -> Office:
    await runtime.system.store.execute("DELETE FROM outbox")
    return Office(runtime, clock)


def where(left: list[Leaving]) -> list[int]:
    return sorted(one.chat_id for one in left)


async def test_each_chat_gets_it_once_behind_whatever_somebody_waits_for(office: Office) -> None:
    sent = await office.send()
    left = await office.run()
    assert where(left) == sorted({CHAT, NORTHWIND_CHAT, *where(left)})
    assert CHAT in where(left)
    for one in left:
        assert isinstance(one.fact, Copy)
        assert (one.rank, one.fact.from_chat_id, one.fact.from_message_id) == (BULK, ADMIN, 50)
    view = await office.view(sent.id)
    assert (view.broadcast.state, view.counts.sent, view.counts.total) == (
        "done", len(left), len(left)
    )  # fmt: skip
    assert await office.run() == [], "what is done is done"


async def test_nothing_is_said_of_a_draft_but_to_whoever_tries_it(office: Office) -> None:
    draft = await office.draft()
    await office.broadcasts.test(await office.actor(), draft.id)
    assert await office.run() == []
    view = await office.view(draft.id)
    assert view.plan is not None
    assert view.plan.total >= 2
    assert view.plan.seconds == 1
    dropped = await office.broadcasts.drop(await office.actor(), draft.id)
    assert dropped.state == "dropped"
    with pytest.raises(Refusal) as error:
        await office.broadcasts.send(await office.actor(), draft.id)
    assert refused(error.value) == "broadcast_state"


async def test_where_it_cannot_arrive_is_reported_and_tried_again(office: Office) -> None:
    sent = await office.send(ALL)
    kicked = (CHAT, SUPPLIER_CHAT)
    await office.run(kicked)
    view = await office.view(sent.id)
    assert view.counts.failed == 2
    assert view.broadcast.state == "done"
    assert {failure.fault for failure in view.failures} == {"Forbidden: bot was kicked"}
    assert await alarms(office.runtime) == [], "its card tells of it, no alarm"
    await office.broadcasts.retry(await office.actor(), sent.id)
    again = await office.run((CHAT,))
    assert where(again) == sorted(kicked), "nobody else gets it a second time"
    assert (await office.view(sent.id)).counts.failed == 1


async def test_a_stopped_one_goes_no_further_and_can_go_on(office: Office, clock: SetClock) -> None:
    many = [-1009000000000 - n for n in range(AHEAD + 20)]
    for chat_id in many:
        await office.runtime.people.groups.seen(
            chat_id, chat_type="supergroup", title=f"G{chat_id}", bot_status="administrator",
            rights=BotRights(may_post=True), added_by=ADMIN,
        )  # fmt: skip
    await office.runtime.system.store.execute("DELETE FROM outbox")
    sent = await office.send(Audience("picked", chat_ids=tuple(many)))
    await office.go_on()
    stopped = await office.broadcasts.stop(await office.actor(), sent.id)
    assert stopped.state == "stopped"
    on_their_way = await office.run()
    assert len(on_their_way) == AHEAD
    counts = (await office.view(sent.id)).counts
    assert (counts.sent, counts.stopped, counts.left) == (AHEAD, 20, 0)
    await office.broadcasts.retry(await office.actor(), sent.id)
    rest = await office.run()
    assert sorted(where(on_their_way) + where(rest)) == sorted(many)


async def test_quiet_groups_hear_of_it_when_they_are_quiet_no_more(
    office: Office, clock: SetClock
) -> None:
    noon = clock.go_to_noon()
    async with office.runtime.system.store.transaction() as tx:
        quiet = Quiet(QuietHours(time(11), time(15)))
        await office.runtime.people.groups.put(tx, CHAT, quiet)
    await office.leave()
    draft = await office.draft()
    plan = (await office.view(draft.id)).plan
    assert plan is not None
    assert plan.quiet == 1
    over_at = noon.replace(hour=7, minute=0)  # 15 o'clock in Shanghai
    assert plan.quiet_until == over_at
    await office.broadcasts.send(await office.actor(), draft.id)
    assert CHAT not in where(await office.run())
    view = await office.view(draft.id)
    assert (view.broadcast.state, view.counts.left, view.next_at) == ("running", 1, over_at)
    clock.go_to(over_at)
    assert where(await office.run()) == [CHAT]


async def test_what_is_tried_again_wakes_nobody(office: Office, clock: SetClock) -> None:
    noon = clock.go_to_noon()
    await office.leave()
    sent = await office.send()
    await office.run((CHAT, NORTHWIND_CHAT))
    async with office.runtime.system.store.transaction() as tx:
        quiet = Quiet(QuietHours(time(11), time(15)))
        await office.runtime.people.groups.put(tx, CHAT, quiet)
    await office.broadcasts.retry(await office.actor(), sent.id)
    assert where(await office.run()) == [NORTHWIND_CHAT]
    clock.go_to(noon.replace(hour=7))
    assert where(await office.run()) == [CHAT]


async def test_it_is_sent_at_its_time_in_its_own_table(office: Office, clock: SetClock) -> None:
    """Nothing waits in front of what is said there meanwhile."""
    draft, actor = await office.draft(), await office.actor()
    at = clock.now() + timedelta(hours=3)
    await office.broadcasts.time(actor, draft.id, at)
    await office.broadcasts.send(actor, draft.id)
    assert await office.run() == []
    assert await office.runtime.delivery.outbox.backlog() == {}
    clock.go_to(at)
    assert CHAT in where(await office.run())
    for wrong in (clock.now() - timedelta(minutes=1), clock.now() + MAX_LATER * 2):
        late = await office.draft()
        with pytest.raises(Refusal) as error:
            await office.broadcasts.time(actor, late.id, wrong)
        assert refused(error.value) == "broadcast_time"


async def test_it_is_corrected_and_taken_back_wherever_it_stands(office: Office) -> None:
    sent, actor = await office.send(), await office.actor()
    arrived = await office.run((NORTHWIND_CHAT,))
    new = Content(ADMIN, 60, "text", "<b>hello</b>")
    await office.broadcasts.revise(actor, sent.id, new)
    revised = await office.run()
    assert NORTHWIND_CHAT not in where(revised)
    for one in revised:
        assert isinstance(one.fact, Revise)
        assert (one.fact.words, one.fact.captioned) == ("<b>hello</b>", False)
    await office.broadcasts.withdraw(actor, sent.id)
    gone = await office.run()
    assert all(isinstance(one.fact, Withdraw) for one in gone)
    assert len(gone) == len(arrived) - 1
    counts = (await office.view(sent.id)).counts
    assert counts.withdrawn == len(gone)
    with pytest.raises(Refusal) as error:
        await office.broadcasts.withdraw(actor, sent.id)
    assert refused(error.value) == "broadcast_empty"


async def test_other_words_are_of_the_same_kind(office: Office) -> None:
    sent, actor = await office.send(), await office.actor()
    await office.run()
    for kind in ("photo", "other"):
        with pytest.raises(Refusal) as error:
            await office.broadcasts.revise(actor, sent.id, Content(ADMIN, 61, kind, "x"))
        assert refused(error.value) == "broadcast_kind"


def content(kind: str, *files: str) -> Content:
    """files: their kinds, or as one word the album's."""
    return Content(ADMIN, 62, kind, kind, tuple((one, one) for one in files))


PHOTO, VIDEO = content("photo", "photo"), content("video", "video")
TWO, MIXED = content("photo", "photo", "photo"), content("video", "video", "photo")
PAPERS, VOICE = content("document", "document", "document"), content("voice")


@pytest.mark.parametrize(
    ("before", "newer", "may"),
    [
        (TEXT, TEXT, True), (TEXT, PHOTO, True), (TEXT, TWO, False), (TEXT, VOICE, False),
        (PHOTO, TEXT, True), (PHOTO, VIDEO, True), (PHOTO, TWO, False), (PHOTO, VOICE, False),
        (TWO, TEXT, True), (TWO, MIXED, True), (TWO, PHOTO, False), (TWO, PAPERS, False),
        (PAPERS, PAPERS, True), (VOICE, TEXT, True), (VOICE, PHOTO, False),
        (content("other"), TEXT, False), (TEXT, content("other"), False),
    ],
)  # fmt: skip
def test_what_can_take_the_place_of_what(before: Content, newer: Content, may: bool) -> None:
    if not may:
        with pytest.raises(Refusal) as error:
            before.revised(newer)
        assert refused(error.value) == "broadcast_kind"
        return
    said = before.revised(newer)
    assert said.words == newer.words
    words_alone = before.captioned and not newer.captioned
    assert said.items == (before if words_alone else newer).items
    assert said.replaced == newer.captioned


async def test_files_are_exchanged_only_where_others_came(office: Office) -> None:
    """Also where the words alone are changed later, for a chat may have missed the exchange."""
    sent, actor = await office.send(content=PHOTO), await office.actor()
    await office.run()
    for newer, items in ((TEXT, ()), (VIDEO, VIDEO.items), (TEXT, VIDEO.items)):
        await office.broadcasts.revise(actor, sent.id, newer)
        left = await office.run()
        assert left
        assert {one.fact.items for one in left if isinstance(one.fact, Revise)} == {items}


async def test_an_album_arrives_whole_and_is_pinned(office: Office) -> None:
    items = (("photo", "a"), ("photo", "b"))
    draft = await office.draft(MERCHANTS, Content(ADMIN, 50, "photo", "<b>two</b>", items))
    actor = await office.actor()
    await office.broadcasts.pin(actor, draft.id, is_pinned=True)
    await office.broadcasts.send(actor, draft.id)
    left = await office.run()
    groups = [one for one in left if isinstance(one.fact, MediaGroup)]
    pins = [one for one in left if isinstance(one.fact, PinCopy)]
    assert groups
    assert where(groups) == where(pins)
    assert isinstance(groups[0].fact, MediaGroup)
    assert groups[0].fact.html == "<b>two</b>"


async def test_who_dies_between_two_steps_neither_forgets_nor_doubles(
    office: Office, clock: SetClock
) -> None:
    """The mark of a chat and its message in the outbox are one transaction."""
    sent = await office.send()
    async with office.runtime.system.store.transaction() as tx:
        marked = await tx.fetchval("SELECT count(*) FROM broadcast_target WHERE state = 'queued'")
    assert marked == 0
    await office.go_on()
    await office.runtime.delivery.outbox.take(1)  # whoever took it dies
    clock.advance(10)
    left = await office.run()
    assert len(set(where(left))) == len(left)
    assert (await office.view(sent.id)).counts.sent == len(left)


async def test_a_chat_gets_one_broadcast_at_a_time(office: Office) -> None:
    first, second = await office.send(), await office.send()
    await office.go_on()
    queued = await office.runtime.system.store.fetch(
        "SELECT broadcast_id FROM broadcast_target WHERE state = 'queued'"
    )
    assert {row["broadcast_id"] for row in queued} == {first.id}
    await office.run()
    for one in (first, second):
        assert (await office.view(one.id)).broadcast.state == "done"


async def test_those_that_are_written_are_listed_the_newest_first(office: Office) -> None:
    numbers = [(await office.draft()).no for _ in range(10)]
    page = await office.broadcasts.page(await office.actor(), 99)
    assert (page.page, page.pages, page.total) == (2, 2, 10)
    assert [entry.no for entry, _ in page.entries] == sorted(numbers)[:2][::-1]
    found = await office.broadcasts.by_no(await office.actor(), numbers[0])
    assert found.no == numbers[0]


async def test_few_are_under_way_at_once(office: Office) -> None:
    for _ in range(MAX_OPEN):
        await office.send()
    with pytest.raises(Refusal) as error:
        await office.send()
    assert refused(error.value) == "broadcasts_full"


async def test_who_may_not_send_may_do_nothing_about_it(office: Office) -> None:
    sent, operator = await office.draft(), await office.actor(OPERATOR)
    in_group = await office.actor(ADMIN, CHAT)
    verbs: tuple[Callable[[Actor], Awaitable[object]], ...] = (
        lambda actor: office.broadcasts.draft(actor, TEXT, ALL),
        lambda actor: office.broadcasts.send(actor, sent.id),
        lambda actor: office.broadcasts.test(actor, sent.id),
        lambda actor: office.broadcasts.page(actor, 1),
        lambda actor: office.broadcasts.by_no(actor, sent.no),
    )
    for verb in verbs:
        for actor in (operator, in_group):
            with pytest.raises(Refusal):
                await verb(actor)


async def posts_of(office: Office) -> int:
    return int(await office.runtime.system.store.fetchval("SELECT count(*) FROM post"))


async def test_old_ones_are_forgotten(office: Office, clock: SetClock) -> None:
    sent = await office.send()
    left = await office.run()
    copies = [Subject.copy(one.fact.ref) for one in left if isinstance(one.fact, Copy)]
    ours = (*copies, Subject.broadcast(sent.id), Subject.copy("answer:1"))
    for message_id, subject in enumerate(ours):
        await office.runtime.delivery.board.posts.posted(CHAT, message_id, subject, "")
    draft = await office.draft()
    clock.advance(3 * 86_400)
    await office.broadcasts.forget_old()
    assert await office.broadcasts.view(draft.id) is None
    assert await office.broadcasts.view(sent.id) is not None
    clock.advance(200 * 86_400)
    assert await posts_of(office) == len(ours)
    assert await office.broadcasts.forget_old() == 1
    assert await office.broadcasts.view(sent.id) is None
    assert await posts_of(office) == 1, "what is nobody's is forgotten with it, and nothing else"
