"""Fair shares of a crew's hands: of any holders and lanes, whatever they did before."""

from __future__ import annotations

from collections import Counter, deque
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from core.system.lanes import SLOW, Lane, Lanes, Rooms, name_of
from tests.core.support import SetClock

PROVEN, UNPROVEN = Rooms(lane=8, holder=16, overall=40), Rooms(lane=4, holder=6, overall=20)
HOLDERS = [UUID(int=n) for n in range(1, 6)]
lanes_drawn = st.builds(Lane, st.sampled_from(HOLDERS), st.integers(0, 4))
# What happens to a lane: so much begins in it, and ends after so long, with an answer or without.
pasts = st.lists(
    st.tuples(lanes_drawn, st.integers(1, 3), st.sampled_from([0.1, 20.0]), st.booleans()),
    max_size=12,
)
wanted = st.dictionaries(lanes_drawn, st.integers(0, 50), max_size=25)


def made() -> tuple[Lanes, SetClock]:
    clock = SetClock()
    return Lanes(clock, proven=PROVEN, unproven=UNPROVEN), clock


def call(lanes: Lanes, clock: SetClock, lane: Lane, took_s: float, *, silent: bool = False) -> None:
    token = lanes.begin(lane)
    clock.advance(took_s)
    lanes.end(lane, token, silent=silent)


@given(pasts, wanted, st.integers(0, 60))
def test_no_room_is_overrun_and_no_hand_is_idle_that_might_work(
    past: list[tuple[Lane, int, float, bool]], waiting: dict[Lane, int], hands: int
) -> None:
    lanes, clock = made()
    for lane, number, took_s, silent in past:
        for _ in range(number):
            call(lanes, clock, lane, took_s, silent=silent)
    shares = lanes.share(hands, waiting)
    of_holder: Counter[UUID] = Counter()
    for lane, share in shares.items():
        assert 0 < share <= min(waiting[lane], PROVEN.lane)
        of_holder[lane.holder] += share
    assert sum(shares.values()) <= min(hands, PROVEN.overall)
    assert all(share <= PROVEN.holder for share in of_holder.values())
    if sum(shares.values()) < min(hands, UNPROVEN.overall):
        for lane, count in waiting.items():
            full = of_holder[lane.holder] >= UNPROVEN.holder
            assert shares.get(lane, 0) == count or full or shares.get(lane, 0) >= 1


@given(wanted, st.integers(1, 20))
def test_holders_that_want_more_get_the_same_but_for_one(
    waiting: dict[Lane, int], hands: int
) -> None:
    lanes, _ = made()
    shares = lanes.share(hands, waiting)
    got: Counter[UUID] = Counter()
    for lane, share in shares.items():
        got[lane.holder] += share
    hungry = [
        holder
        for holder in HOLDERS
        if any(
            shares.get(lane, 0) < min(count, UNPROVEN.lane)
            for lane, count in waiting.items()
            if lane.holder == holder
        )
        and got[holder] < UNPROVEN.holder
    ]
    for holder in hungry:
        assert got[holder] >= max(got.values(), default=0) - 1


@given(st.integers(1, 5), st.integers(1, 300))
def test_a_holder_of_silent_lanes_leaves_hands_to_its_proven_one(holders: int, silent: int) -> None:
    lanes, clock = made()
    for holder in HOLDERS[:holders]:
        call(lanes, clock, Lane(holder, 1000), 0.1)
    waiting = {Lane(h, n): 1 for h in HOLDERS[:holders] for n in range(silent)}
    for lane, share in lanes.share(100, waiting).items():
        for _ in range(share):
            lanes.begin(lane)
    proven = {Lane(holder, 1000): 1 for holder in HOLDERS[:holders]}
    assert lanes.share(100, proven) == proven


def test_a_silent_lane_is_down_to_one_probe_and_comes_back_with_the_first_answer() -> None:
    lanes, clock = made()
    lane = Lane(HOLDERS[0])
    assert lanes.share(99, {lane: 99}) == {lane: 4}
    for room in (2, 1, 1):
        call(lanes, clock, lane, 20.0, silent=True)
        assert lanes.share(99, {lane: 99}) == {lane: room}
    for room in (2, 4, 8, 8):
        call(lanes, clock, lane, 0.1)
        assert lanes.share(99, {lane: 99}) == {lane: room}


def test_a_lane_that_answers_late_keeps_the_room_of_an_unproven_one() -> None:
    lanes, clock = made()
    lane = Lane(HOLDERS[0])
    for _ in range(5):
        call(lanes, clock, lane, 10.0)
    assert lanes.share(99, {lane: 99}) == {lane: 4}


def test_a_proven_lane_is_none_while_one_of_its_calls_takes_long() -> None:
    lanes, clock = made()
    lane = Lane(HOLDERS[0])
    for _ in range(3):
        call(lanes, clock, lane, 0.1)
    token = lanes.begin(lane)
    assert lanes.share(99, {lane: 99}) == {lane: 7}
    clock.advance((SLOW + timedelta(seconds=1)).total_seconds())
    assert lanes.share(99, {lane: 99}) == {lane: 3}
    lanes.end(lane, token, silent=True)
    assert lanes.share(99, {lane: 99}) == {lane: 2}


def test_proven_lanes_come_first_and_then_who_has_the_least_under_way() -> None:
    lanes, clock = made()
    one, two, other = Lane(HOLDERS[0], 1), Lane(HOLDERS[0], 2), Lane(HOLDERS[1], 1)
    call(lanes, clock, two, 0.1)
    assert lanes.share(1, {one: 5, two: 5}) == {two: 1}
    lanes.begin(one)
    assert lanes.share(1, {one: 5, two: 5, other: 5}) == {other: 1}


@given(st.integers(2, 12), st.integers(1, 5), st.booleans())
def test_of_holders_that_always_have_enough_to_do_each_has_its_turn(
    holders: int, hands: int, silent: bool
) -> None:
    lanes, clock = made()
    waiting = {Lane(UUID(int=n)): 1000 for n in range(holders)}
    under_way: deque[tuple[Lane, object]] = deque()
    had: Counter[Lane] = Counter()
    for _ in range(5 * holders):
        for lane, share in lanes.share(hands - len(under_way), waiting).items():
            had[lane] += share
            under_way.extend((lane, lanes.begin(lane)) for _ in range(share))
        clock.advance(20.0 if silent else 0.1)
        lane, token = under_way.popleft()
        lanes.end(lane, token, silent=silent)
    assert set(had) == set(waiting)
    assert max(had.values()) - min(had.values()) <= hands + 1


@given(st.integers(3, 12))
def test_of_a_holders_lanes_that_are_all_stuck_each_has_its_turn(number: int) -> None:
    lanes, clock = made()
    waiting = {Lane(HOLDERS[0], n): 1000 for n in range(number)}
    had: Counter[Lane] = Counter()
    for _ in range(5 * number):
        ((lane, _),) = lanes.share(1, waiting).items()
        had[lane] += 1
        call(lanes, clock, lane, 20.0, silent=True)
    assert set(had.values()) == {5}


def test_one_lane_for_one_scheme_host_and_port() -> None:
    same = ["https://Shop.example/a", "https://shop.example:443/b?c", "https://shop.example./"]
    others = ["http://shop.example/a", "https://shop.example:8443/", "https://x.shop.example/"]
    assert len({name_of(url) for url in same}) == 1
    assert len({name_of(url) for url in (*same, *others)}) == 4
    assert all(
        0 <= name_of(url) < 2**63 for url in (*others, "http://[::1]:1/", "nothing:99999999")
    )
