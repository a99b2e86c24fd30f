"""Fair shares of a crew's hands: whoever is silent keeps a few of them, and never all.

A holder (a merchant, a supplier) has lanes (the origins that it is told at). What is under way is
counted in each lane, for each holder and overall. A lane is *proven* while its last call did not
take long and none of those under way does; all others are *unproven*, those of which nothing is
known yet among them. Unproven lanes have rooms of their own, which are smaller: so there are always
hands left for those that answer.

What is known is this process's own: each finds out by itself, and none needs another's word.
"""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import count
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from core.kernel.clock import Clock

SLOW: Final = timedelta(seconds=3)
MAX_LANES: Final = 10_000
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Lane:
    """name: tells a holder's lanes from each other."""

    holder: UUID
    name: UUID | int = 0


def name_of(url: str) -> int:
    """The name of the lane to an address: one for each scheme, host and port. Not negative."""
    parts = urlsplit(url)
    try:
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        port = None  # no address that is called
    origin = f"{parts.scheme}://{(parts.hostname or '').rstrip('.')}:{port}"
    return int.from_bytes(blake2b(origin.encode(), digest_size=8).digest()) >> 1


@dataclass(frozen=True, slots=True)
class Rooms:
    """How much may be under way at once: in one lane, for one holder, and overall."""

    lane: int
    holder: int
    overall: int


@dataclass(slots=True)
class _State:
    """room: of the lane, as far as it has grown. under_way: when each that is under way began."""

    room: int
    proven: bool = False
    under_way: dict[object, datetime] = field(default_factory=dict)

    def is_proven(self, now: datetime) -> bool:
        if not self.proven:
            return False
        oldest = next(iter(self.under_way.values()), now)
        return now - oldest < SLOW


class Lanes:
    """Says who gets the hands that are free.

    proven: the rooms of all lanes together. unproven: of those that are not proven. A lane begins
    with the room of an unproven one; each call that is not slow doubles it, up to that of a proven
    one, and each that is halves it. It keeps an unproven one's room as long as answers come, and
    room for one where none do.
    """

    def __init__(self, clock: Clock, *, proven: Rooms, unproven: Rooms) -> None:
        self._clock = clock
        self._proven = proven
        self._unproven = unproven
        self._states: dict[Lane, _State] = {}
        self._busy: set[Lane] = set()
        self._given = _Given()

    def share(self, hands: int, waiting: Mapping[Lane, int]) -> dict[Lane, int]:
        """How much to begin in which lane. waiting: how much there is to do.

        One by one, to the holder with the least under way; of its lanes to proven ones first, then
        to the one with the least under way. Of equals, to whoever got none for the longest time:
        by any other order the last would never have a turn while the first have enough to do.
        """
        sharing = _Sharing(self._states, self._proven, self._unproven, self._clock.now())
        for lane in self._busy:
            sharing.count(lane, len(self._states[lane].under_way))
        shares = sharing.share(hands, self._given.longest_without(waiting))
        self._given.note(shares)
        return shares

    def begin(self, lane: Lane) -> object:
        """Something is under way from now on; what `end` is to be told."""
        state = self._states.pop(lane, None) or _State(self._unproven.lane)
        if len(self._states) >= MAX_LANES:
            self._forget_idle()
        self._states[lane] = state  # the newest last
        token = object()
        state.under_way[token] = self._clock.now()
        self._busy.add(lane)
        return token

    def end(self, lane: Lane, token: object, *, silent: bool) -> None:
        """It is over. silent: no answer came; it matters only where that took long."""
        state = self._states[lane]
        state.proven = self._clock.now() - state.under_way.pop(token) < SLOW
        if not state.under_way:
            self._busy.discard(lane)
        if state.proven:
            state.room = min(state.room * 2, self._proven.lane)
        else:
            least = 1 if silent else self._unproven.lane
            state.room = max(least, min(state.room, self._unproven.lane) // 2)

    def _forget_idle(self) -> None:
        idle = [lane for lane, state in self._states.items() if not state.under_way]
        for lane in idle[: MAX_LANES // 10]:
            del self._states[lane]


class _Given:
    """Which lanes, and which holders, were given hands in which order; of so many at most."""

    def __init__(self) -> None:
        self._times = count()
        self._last: OrderedDict[Lane | UUID, int] = OrderedDict()

    def longest_without(self, waiting: Mapping[Lane, int]) -> dict[Lane, int]:
        """The same, those first that were given none for the longest time."""

        def since(lane: Lane) -> tuple[int, int]:
            return self._last.get(lane.holder, -1), self._last.get(lane, -1)

        return {lane: waiting[lane] for lane in sorted(waiting, key=since)}

    def note(self, shares: Mapping[Lane, int]) -> None:
        time = next(self._times)
        for lane in shares:
            for name in (lane, lane.holder):
                self._last[name] = time
                self._last.move_to_end(name)
        while len(self._last) > 2 * MAX_LANES:
            self._last.popitem(last=False)


class _Sharing:
    """One decision: what is under way is counted first, then what is given out beside it."""

    def __init__(
        self, states: Mapping[Lane, _State], proven: Rooms, unproven: Rooms, now: datetime
    ) -> None:
        self._states = states
        self._rooms = {True: proven, False: unproven}
        self._now = now
        self._proven: dict[Lane, bool] = {}
        self._in_lane: Counter[Lane] = Counter()
        self._of_holder: Counter[UUID] = Counter()
        self._unproven_of_holder: Counter[UUID] = Counter()
        self._overall, self._unproven_overall = 0, 0

    def share(self, hands: int, waiting: Mapping[Lane, int]) -> dict[Lane, int]:
        left = {lane: count for lane, count in waiting.items() if count > 0}
        lanes: dict[UUID, list[tuple[bool, int, int, Lane]]] = {}
        for place, lane in enumerate(left):
            entry = (not self._is_proven(lane), self._in_lane[lane], place, lane)
            lanes.setdefault(lane.holder, []).append(entry)
        for own in lanes.values():
            heapq.heapify(own)
        holders = [(self._of_holder[holder], place, holder) for place, holder in enumerate(lanes)]
        heapq.heapify(holders)
        given: Counter[Lane] = Counter()
        while holders and hands > 0:
            _, place, holder = heapq.heappop(holders)
            own = lanes[holder]
            while own and not self._has_room(own[0][-1]):
                heapq.heappop(own)  # what is full stays so: nothing ends meanwhile
            if not own:
                continue
            unproven, _, lane_place, lane = heapq.heappop(own)
            self.count(lane, 1)
            given[lane] += 1
            left[lane] -= 1
            hands -= 1
            if left[lane]:
                heapq.heappush(own, (unproven, self._in_lane[lane], lane_place, lane))
            heapq.heappush(holders, (self._of_holder[holder], place, holder))
        return dict(given)

    def _is_proven(self, lane: Lane) -> bool:
        known = self._proven.get(lane)
        if known is None:
            state = self._states.get(lane)
            known = self._proven[lane] = state is not None and state.is_proven(self._now)
        return known

    def _has_room(self, lane: Lane) -> bool:
        state = self._states.get(lane)
        proven, unproven = self._rooms[True], self._rooms[False]
        room = unproven.lane if state is None else state.room
        if not self._is_proven(lane):
            room = min(room, unproven.lane)
            if (
                self._unproven_of_holder[lane.holder] >= unproven.holder
                or self._unproven_overall >= unproven.overall
            ):
                return False
        return (
            self._in_lane[lane] < room
            and self._of_holder[lane.holder] < proven.holder
            and self._overall < proven.overall
        )

    def count(self, lane: Lane, count: int) -> None:
        self._in_lane[lane] += count
        self._of_holder[lane.holder] += count
        self._overall += count
        if not self._is_proven(lane):
            self._unproven_of_holder[lane.holder] += count
            self._unproven_overall += count
