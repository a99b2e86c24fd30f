"""What staff sees of groups and channels, what is set about them, and whom a broadcast reaches."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.delivery.outbox import Say, TopicUse
from core.kernel.errors import Refusal
from core.people.groups import (
    Audience,
    BotRights,
    Entry,
    InSegment,
    InTopic,
    Label,
    Quiet,
    QuietHours,
    Target,
    TopicLost,
    Topics,
    Zone,
)
from core.people.groups.changes import GroupChange
from core.runtime import Runtime
from tests.core.support import CHAT, NORTHWIND_CHAT, OPS_CHAT, facts

HENGTONG, FRESH, NEW, CHANNEL = -1002000000201, -1002000000301, -1003000000001, -1004000000001
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
NIGHT = QuietHours(time(23), time(8))


async def put(runtime: Runtime, chat_id: int, *changes: GroupChange) -> None:
    async with runtime.system.store.transaction() as tx:
        for change in changes:
            await runtime.people.groups.put(tx, chat_id, change)


async def entry(runtime: Runtime, chat_id: int) -> Entry:
    group = await runtime.people.groups.find(chat_id)
    assert group is not None
    return await runtime.people.directory.by_no(group.no)


async def channel(runtime: Runtime, *, may_post: bool = True) -> None:
    await runtime.people.groups.seen(
        CHANNEL, chat_type="channel", title="公告", bot_status="administrator",
        rights=BotRights(may_post=may_post), added_by=1001,
    )  # fmt: skip


async def targets(runtime: Runtime, audience: Audience) -> list[Target]:
    return await runtime.people.directory.targets(runtime.system.store, audience)


async def test_what_is_set_is_there_and_can_be_taken_back(runtime: Runtime) -> None:
    await put(
        runtime, CHAT, Label("下发"), Zone("Europe/Berlin"), Quiet(NIGHT), InSegment("VIP", True),
        InSegment("北区", True), InSegment("vip", True), InTopic("bills", 12),
        InTopic("alarms", 13),
    )  # fmt: skip
    found = await entry(runtime, CHAT)
    assert (found.label, found.own_zone, found.zone) == ("下发", "Europe/Berlin", "Europe/Berlin")
    assert (found.quiet, str(found.quiet)) == (NIGHT, "23:00-08:00")
    assert found.segments == ("VIP", "北区"), "a segment is written as it was written first"
    assert found.topics == Topics(bills=12, alarms=13)
    group = await runtime.people.groups.find(CHAT)
    assert group is not None
    assert (group.quiet, group.zone, group.topics) == (NIGHT, "Europe/Berlin", found.topics)
    await put(
        runtime, CHAT, Zone(None), Quiet(None), InSegment("Vip", False), InSegment("none", False),
        InTopic("bills", None), InTopic("lookups", None),
    )  # fmt: skip
    after = await entry(runtime, CHAT)
    assert (after.own_zone, after.zone, after.quiet) == (None, "Asia/Shanghai", None)
    assert (after.segments, after.topics) == (("北区",), Topics(alarms=13))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (Label(" "), "label_invalid"),
        (Label("长" * 13), "label_invalid"),
        (Label("a\u202eb"), "label_invalid"),
        (InSegment("two words", True), "segment_invalid"),
        (InSegment("-x", True), "segment_invalid"),
        (InSegment("长" * 21, True), "segment_invalid"),
        (InSegment("", False), "segment_invalid"),
        (Quiet(QuietHours(time(8), time(8))), "quiet_invalid"),
    ],
)
async def test_what_cannot_be_is_refused(runtime: Runtime, change: GroupChange, code: str) -> None:
    before = await entry(runtime, CHAT)
    with pytest.raises(Refusal) as error:
        await put(runtime, CHAT, change)
    assert error.value.code == code
    assert await entry(runtime, CHAT) == before


async def test_segments_have_an_end(runtime: Runtime) -> None:
    await put(runtime, CHAT, *(InSegment(f"s{n}", True) for n in range(10)))
    await put(runtime, CHAT, InSegment("S3", True))  # it is in there already
    with pytest.raises(Refusal) as error:
        await put(runtime, CHAT, InSegment("s10", True))
    assert error.value.code == "segments_full"
    with pytest.raises(Refusal) as error:
        await put(runtime, NEW, InSegment("s1", True))
    assert error.value.code == "group_not_bound", "nobody saw the bot there"


async def test_what_a_group_was_set_to_moves_along(runtime: Runtime) -> None:
    await put(runtime, CHAT, Label("下发"), Zone("Europe/Berlin"), Quiet(NIGHT))
    await put(runtime, CHAT, InSegment("VIP", True))
    await runtime.people.groups.moved(CHAT, NEW)
    found = await entry(runtime, CHAT)
    assert (found.chat_id, found.label, found.zone) == (NEW, "下发", "Europe/Berlin")
    assert (found.quiet, found.segments) == (NIGHT, ("VIP",))
    listed = await runtime.people.directory.page("", 1)
    assert CHAT not in [one.chat_id for one in listed.entries]


async def test_a_list_by_pages_with_search(runtime: Runtime) -> None:
    directory = runtime.people.directory
    whole = await directory.page("", 1)
    assert (whole.total, whole.pages, len(whole.entries)) == (5, 1, 5)
    assert [one.chat_id for one in whole.entries][-1] == FRESH, "what is nobody's comes last"
    for search, chat_id in (
        ("云杉", CHAT), ("m1002", NORTHWIND_CHAT), ("northwind", NORTHWIND_CHAT), ("S01", HENGTONG),
        (f"g{(await entry(runtime, FRESH)).no}", FRESH), (str(OPS_CHAT), OPS_CHAT),
    ):  # fmt: skip
        found = await directory.page(search, 1)
        assert chat_id in [one.chat_id for one in found.entries], search
    for search in ("%", "_", "无此群", "' OR true --"):
        assert (await directory.page(search, 1)).entries == (), search
    await put(runtime, HENGTONG, InSegment("VIP", True))
    assert [one.chat_id for one in (await directory.page("vip", 1)).entries] == [HENGTONG]
    for number in range(12):
        await runtime.people.groups.seen(
            NEW - number, chat_type="group", title=f"群 {number:02}", bot_status="member"
        )
    pages = [await directory.page("", number) for number in (1, 2, 3, 4, 0)]
    assert [(one.page, len(one.entries)) for one in pages] == [
        (1, 8),
        (2, 8),
        (3, 1),
        (3, 1),
        (1, 8),
    ]
    seen = [one.chat_id for page in pages[:3] for one in page.entries]
    assert len(set(seen)) == 17, "each is on one page"


async def test_a_card_tells_how_it_is_with_a_group(runtime: Runtime) -> None:
    store, groups = runtime.system.store, runtime.people.groups
    well = await entry(runtime, CHAT)
    assert (well.health, well.parked, well.kind) == ("well", 0, "merchant")
    assert [one.no for one in well.holders] == ["M1001"]
    await groups.counted(CHAT, 17)
    await facts(runtime, CHAT)
    await runtime.delivery.outbox.say(store, CHAT, Say(TopicLost("bills")))
    await store.execute(
        "UPDATE outbox SET state = 'parked' WHERE chat_id = $1 AND topic = 'say'", CHAT
    )
    parked = await entry(runtime, CHAT)
    assert (parked.health, parked.parked, parked.members) == ("parked", 1, 17)
    await store.execute("UPDATE outbox SET state = 'sent', message_id = 9 WHERE chat_id = $1", CHAT)
    sent = await entry(runtime, CHAT)
    assert sent.health == "well"
    assert sent.sent_at is not None
    await runtime.delivery.outbox.chats.gone(CHAT)
    assert (await entry(runtime, CHAT)).health == "gone"
    assert [one.chat_id for one in (await runtime.people.directory.page("", 1)).entries][-1] == CHAT
    await runtime.delivery.outbox.chats.back(store, CHAT)
    for status, health in (("kicked", "gone"), ("left", "gone"), ("member", "well")):
        await groups.seen(CHAT, chat_type="supergroup", title="x", bot_status=status)
        assert (await entry(runtime, CHAT)).health == health
    with pytest.raises(Refusal) as error:
        await runtime.people.directory.by_no(99_999)
    assert error.value.code == "group_not_found"


async def test_a_channel_is_a_target_and_belongs_to_nobody(runtime: Runtime) -> None:
    await channel(runtime)
    found = await entry(runtime, CHANNEL)
    assert (found.type, found.kind, found.health, found.added_by) == (
        "channel", "unbound", "well", 1001,
    )  # fmt: skip
    merchant = await runtime.parties.merchants.by_no("M1001")
    async with runtime.system.store.transaction() as tx:
        for bind in (
            partial(runtime.people.groups.bind_ops, tx, CHANNEL),
            partial(runtime.people.groups.bind_merchant, tx, CHANNEL, merchant.id),
        ):
            with pytest.raises(Refusal) as error:
                await bind()
            assert error.value.code == "channel_not_bound"
    await channel(runtime, may_post=False)
    assert (await entry(runtime, CHANNEL)).health == "mute"
    (told,) = [one for one in await targets(runtime, Audience("all")) if one.type == "channel"]
    assert not told.reachable


async def test_whom_a_broadcast_reaches(runtime: Runtime) -> None:
    await channel(runtime)
    await put(runtime, CHAT, InSegment("VIP", True), Quiet(NIGHT))
    await put(runtime, OPS_CHAT, InSegment("VIP", True))
    for audience, chat_ids in (
        (Audience("all"), {CHAT, NORTHWIND_CHAT, HENGTONG, CHANNEL}),
        (Audience("merchants"), {CHAT, NORTHWIND_CHAT}),
        (Audience("suppliers"), {HENGTONG}),
        (Audience("segment", segment="vip"), {CHAT, OPS_CHAT}),
        (Audience("picked", chat_ids=(FRESH, CHANNEL, -5)), {FRESH, CHANNEL}),
        (Audience("picked"), set()),
    ):
        found = await targets(runtime, audience)
        assert {one.chat_id for one in found} == chat_ids, audience
        assert all(one.reachable for one in found)
    with pytest.raises(Refusal) as error:
        await targets(runtime, Audience("segment", segment="none"))
    assert error.value.code == "segment_not_found"
    assert [(one.name, one.chats) for one in await runtime.people.directory.segments()] == [
        ("VIP", 2)
    ]
    await runtime.people.groups.seen(
        HENGTONG, chat_type="supergroup", title="x", bot_status="kicked"
    )
    assert [one.reachable for one in await targets(runtime, Audience("suppliers"))] == [False]
    (spruce,) = await targets(runtime, Audience("picked", chat_ids=(CHAT,)))
    night = datetime(2026, 11, 30, 16, tzinfo=UTC)  # midnight in Shanghai
    assert spruce.from_on(night) == datetime(2026, 12, 1, 0, tzinfo=UTC)
    noon = night + timedelta(hours=12)
    assert spruce.from_on(noon) == noon


async def test_a_topic_that_is_lost_is_told_of_once(runtime: Runtime) -> None:
    await put(runtime, CHAT, InTopic("bills", 12), InTopic("alarms", 12))
    told: tuple[tuple[TopicUse, int], ...] = (
        ("bills", 12), ("bills", 12), ("alarms", 11), ("lookups", 12),
    )  # fmt: skip
    for use, thread_id in told:
        await runtime.people.groups.topic_lost(CHAT, use, thread_id)
    assert (await entry(runtime, CHAT)).topics == Topics(alarms=12)
    lost = [one for one in await facts(runtime, CHAT) if isinstance(one, Say)]
    assert [(one.screen, one.facts) for one in lost] == [("topic_lost", {"use": "bills"})]


_TIMES = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))


@given(
    start=_TIMES, end=_TIMES,
    now=st.integers(0, 730 * 24 * 60).map(lambda n: FIRST + timedelta(minutes=n)),
    zone=st.sampled_from(("Asia/Shanghai", "Europe/Berlin", "America/New_York", "UTC")),
)  # fmt: skip
def test_quiet_hours_end_at_their_end(start: time, end: time, now: datetime, zone: str) -> None:
    if start == end:
        return
    over_at = QuietHours(start, end).over_at(now, zone)
    here = now.astimezone(ZoneInfo(zone)).time()
    quiet = start <= here < end if start < end else here >= start or here < end
    assert (over_at is not None) == quiet
    if over_at is not None:
        assert timedelta(0) <= over_at - now + timedelta(hours=1), "no further back than a change"
        assert over_at - now <= timedelta(hours=25)
        ends = over_at.astimezone(ZoneInfo(zone))
        assert ends.time() == end or ends.dst() is not None
