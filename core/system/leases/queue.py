"""How a table is a queue, as data; and the statements that follow from it.

The table has these columns beside its own:

    state        one of the queue's own words: waiting, or an end
    tries        how often the row was taken; the present time counts
    due_at       nobody takes the row before
    held_by      the turn in which somebody took the row; null: nobody holds it
    lease_until  when the row becomes free although nobody ended it

A row keeps its state while somebody holds it. A take therefore writes no index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

# A lane in the order of its ring: its name, or its names.
_Place = TypeVar("_Place", int, tuple[int, int])


@dataclass(frozen=True, slots=True)
class LaneTable:
    """Where the lease is the lane's: a row may come to stand before the one that is under way, and
    yet a lane is served one row at a time. `held_by` is in both tables, `lease_until` in this one.

    key: the column that names the lane, in both tables.
    """

    table: str
    key: str


@dataclass(frozen=True, slots=True, eq=False)
class Queue:
    """What is special to one queue.

    key: the columns that find one row.
    lease: for how long a row is held without a sign of life.
    returns: what a take reads, beside the key, `tries` and `held_by`.
    lane: the columns that name a row's lane, and their types.
    order: the column by which the rows of a lane are taken.
    strict: a lane's first row holds up the others, due or not, until it is ended.
    waits: an expression over a free row `f`: until when it must wait for another row, or null.
        What must wait is put off, and not taken.
    own_take: a statement of the queue's own, where it chooses in another way.
    lane_table: where the lease is the lane's.
    put_off: the column that says until when a row waits that was put off.
    waiting, done, parked: its words for the states.
    fault: the column that says why a row was put off or parked.
    by_due: an index has what waits in the order of `due_at`, since very much may wait for long.
    month: the column by whose months the table is cut. No row is of a month that is to come.
    gaps_s: between tries. The row is given up after so many tries and one more.
    """

    table: str
    key: tuple[str, ...]
    lease: timedelta
    returns: tuple[str, ...]
    lane: tuple[tuple[str, str], ...] = ()
    order: str = "due_at"
    strict: bool = False
    waits: str = ""
    own_take: str = ""
    lane_table: LaneTable | None = None
    put_off: str = "due_at"
    waiting: str = "waiting"
    done: str = "done"
    parked: str = "parked"
    fault: str = "fault"
    by_due: bool = False
    month: str = ""
    gaps_s: tuple[float, ...] = ()

    @property
    def renew_every_s(self) -> float:
        """Three looks before a lease ends: one that fails still leaves another."""
        return self.lease.total_seconds() / 3

    @property
    def most_tries(self) -> int:
        return len(self.gaps_s) + 1

    def gap_s(self, tries: int) -> float | None:
        """How long a row waits after so many tries; None: that was the last one."""
        return self.gaps_s[tries - 1] if tries < self.most_tries else None


# More than all instances hold at once of what is due first.
MOST_HELD: Final = 2_000
# $1: now.
_DUE: Final = "{row}state = '{waiting}' AND {row}due_at <= $1"
_UNHELD: Final = "({row}lease_until IS NULL OR {row}lease_until <= $1)"

# So that the tables of later months are not looked at. An hour: clocks differ.
_TO_COME: Final = "$1::timestamptz + interval '1 hour'"


def take(queue: Queue) -> str:
    """Take rows. $1: now, $2: the end of the lease, $3: the turn. The rest says how many:

    strict: $4 lanes, of each its first row; $5 … the lane to go on behind. With lanes: $4, $5 …
    the lanes' columns as arrays, and an array of how many of each. Without: $4 rows.
    """
    if queue.own_take:
        return queue.own_take
    choice = _first_of_lanes if queue.strict else _of_lanes if queue.lane else _of_all
    chosen, keep = "free", "held_by = $3, lease_until = $2, tries = q.tries + 1"
    later = ""
    if queue.waits:
        # MATERIALIZED: each row is looked at once.
        later = f", look AS MATERIALIZED (SELECT f.*, ({queue.waits}) AS later FROM free f)"
        chosen = "look"
        keep = (
            "held_by = CASE WHEN d.later IS NULL THEN $3::uuid END,"
            " lease_until = CASE WHEN d.later IS NULL THEN $2::timestamptz END,"
            " tries = q.tries + (d.later IS NULL)::integer,"
            " due_at = coalesce(d.later, q.due_at)"
        )
    return (
        f"WITH {choice(queue)}{later}"
        f" UPDATE {queue.table} q SET {keep} FROM {chosen} d WHERE {_same(queue.key, 'q', 'd')}"
        f" RETURNING {_columns((*queue.key, 'tries', 'held_by', *queue.returns), 'q')}"
    )


def due(queue: Queue) -> str:
    """Whether a row may be free, as a condition. $1: now. It says yes too often rather than too
    seldom: whether a row is to be taken is for the take to say."""
    if queue.by_due:
        # The rows in the index's order, and a limit: no plan is to read all that waits.
        return (
            f"EXISTS (SELECT FROM (SELECT w.lease_until FROM {queue.table} w"
            f" WHERE {_DUE.format(row='w.', waiting=queue.waiting)}"
            f" ORDER BY w.due_at LIMIT {MOST_HELD}) w WHERE {_UNHELD.format(row='w.')})"
        )
    if (lane := queue.lane_table) is None:
        return f"EXISTS (SELECT FROM {queue.table} w WHERE {_free(queue, 'w')})"
    return (
        f"EXISTS (SELECT FROM {queue.table} w WHERE w.state = '{queue.waiting}'"
        f" AND w.held_by IS NULL AND greatest(w.due_at, w.{queue.put_off}) <= $1)"
        f" OR EXISTS (SELECT FROM {queue.table} w JOIN {lane.table} l USING ({lane.key})"
        " WHERE w.held_by IS NOT NULL AND l.lease_until <= $1)"
    )


def renew(queue: Queue) -> str:
    """Hold a row (or its lane) for another lease. Its key, the turn, the new end."""
    if lane := queue.lane_table:
        return f"UPDATE {lane.table} SET lease_until = $3 WHERE {lane.key} = $1 AND held_by = $2"
    count = len(queue.key)
    return (
        f"UPDATE {queue.table} q SET lease_until = ${count + 2}"
        f" WHERE {_held(queue)} AND q.held_by = ${count + 1}"
    )


def lock(queue: Queue) -> str:
    """Lock a row that is held. Its key, the turn."""
    return (
        f"SELECT FROM {queue.table} q WHERE {_held(queue)} AND q.held_by = ${len(queue.key) + 1}"
        " FOR UPDATE"
    )


def note(queue: Queue, columns: Sequence[str]) -> str:
    """Set columns of a row that is held. Its key, the turn, the columns' values."""
    count = len(queue.key)
    sets = [f"{column} = ${place}" for place, column in enumerate(columns, count + 2)]
    return (
        f"UPDATE {queue.table} q SET {', '.join(sets)}"
        f" WHERE {_held(queue)} AND q.held_by = ${count + 1}"
    )


def end(queue: Queue, columns: Sequence[str], on_lane: str) -> str:
    """End a hold, and set columns. The row's key, the turn, the columns' values, and the lane's
    name where the lane is leased. on_lane: see `Leases.finish`."""
    count = len(queue.key)
    sets = [f"{column} = ${place}" for place, column in enumerate(columns, count + 2)]
    lane = queue.lane_table
    freed = ["held_by = NULL"] if lane else ["held_by = NULL", "lease_until = NULL"]
    ended = (
        f"UPDATE {queue.table} q SET {', '.join(freed + sets)}"
        f" WHERE {_held(queue)} AND q.held_by = ${count + 1}"
    )
    if lane is None:
        return f"{ended} RETURNING {_columns(queue.key, 'q')}, ${count + 1}::uuid AS turn"
    return (
        f"WITH ended AS ({ended} RETURNING q.*), lane AS (UPDATE {lane.table} l"
        f" SET held_by = NULL, lease_until = NULL{on_lane} FROM ended"
        f" WHERE l.{lane.key} = ${count + 2 + len(columns)} AND l.held_by = ${count + 1})"
        f" SELECT {_columns(queue.key, 'ended')}, ${count + 1}::uuid AS turn FROM ended"
    )


def end_all(queue: Queue, columns: Sequence[str], on_lane: str = "") -> str:
    """End many holds, and set columns. $1: an array of objects, each with the key, the turn (as
    `held_by`), the lane's name where the lane is leased, and the columns; their types are those of
    the table. In a queue of months $2 and $3: the first and the last instant of the keys, so that
    no other month is looked at. on_lane: see `Leases.finish`."""
    lane = queue.lane_table
    freed = ["held_by = NULL"] if lane else ["held_by = NULL", "lease_until = NULL"]
    sets = [*freed, *(f"{name} = t.{name}" for name in columns)]
    months = f" AND q.{queue.month} BETWEEN $2 AND $3" if queue.month else ""
    ended = (
        f"UPDATE {queue.table} q SET {', '.join(sets)}"
        f" FROM jsonb_populate_recordset(NULL::{queue.table}, $1::jsonb) t"
        f" WHERE {_same((*queue.key, 'held_by'), 'q', 't')} AND q.state = '{queue.waiting}'{months}"
    )
    if lane is None:
        return f"{ended} RETURNING {_columns(queue.key, 'q')}, t.held_by AS turn"
    return (
        f"WITH ended AS ({ended} RETURNING q.*, t.held_by AS turn, t.{lane.key} AS lane),"
        f" lane AS (UPDATE {lane.table} l SET held_by = NULL, lease_until = NULL{on_lane}"
        f" FROM ended WHERE l.{lane.key} = ended.lane AND l.held_by = ended.turn)"
        f" SELECT {_columns(queue.key, 'ended')}, turn FROM ended"
    )


def _first_of_lanes(queue: Queue) -> str:
    """From lane to lane through the index, one entry each, behind the last one of the former take
    and round, until there are enough: neither the length of a backlog nor the number of lanes costs
    anything. Whether a row is free is looked at again once it is locked: another may have it."""
    names = _lane_names(queue)
    after = ", ".join(f"${place}::{type_}" for place, (_, type_) in enumerate(queue.lane, 5))
    seen = tuple(dict.fromkeys((*names, queue.order, *queue.key, "due_at", "lease_until")))
    ahead = _walk(queue, seen, "ahead", f" AND ({_columns(names)}) > ({after})", "")
    behind = _walk(queue, seen, "behind", "", f" AND ({_columns(names)}) <= ({after})")
    return (
        f"RECURSIVE {ahead}, {behind}, first AS ("
        f"SELECT {_columns(queue.key)}"
        f" FROM (SELECT * FROM ahead UNION ALL SELECT * FROM behind) head"
        f" WHERE due_at <= $1 AND {_UNHELD.format(row='')} LIMIT $4"
        f"), free AS (SELECT f.* FROM first CROSS JOIN LATERAL ("
        f"SELECT {_columns(queue.key)} FROM {queue.table} w"
        f" WHERE {_same(queue.key, 'w', 'first')} AND {_free(queue, 'w')}"
        " LIMIT 1 FOR UPDATE SKIP LOCKED) f)"
    )


def _of_lanes(queue: Queue) -> str:
    """Of each lane so many. A range instead of an equality, and an order by it, name the lane's
    index: by that of `due_at` all that waits in other lanes might be read."""
    names = _lane_names(queue)
    arrays = [f"${place}::{type_}[]" for place, (_, type_) in enumerate(queue.lane, 4)]
    last = names[-1]
    lane = (
        f"{_same(names[:-1], 'w', 'wanted')} AND w.{last} BETWEEN wanted.{last} AND wanted.{last}"
    )
    most = f"${4 + len(names)}::integer[]"
    return (
        f"free AS (SELECT f.* FROM unnest({', '.join((*arrays, most))})"
        f" AS wanted ({_columns(names)}, most) CROSS JOIN LATERAL ("
        f"SELECT {'w.*' if queue.waits else _columns(queue.key, 'w')} FROM {queue.table} w"
        f" WHERE {lane} AND {_free(queue, 'w')}"
        f" ORDER BY {_columns((*names, queue.order), 'w')}"
        " LIMIT wanted.most FOR UPDATE SKIP LOCKED) f)"
    )


def _of_all(queue: Queue) -> str:
    return (
        f"free AS (SELECT {_columns(queue.key, 'w')} FROM {queue.table} w"
        f" WHERE {_free(queue, 'w')} ORDER BY w.{queue.order} LIMIT $4 FOR UPDATE SKIP LOCKED)"
    )


def _walk(queue: Queue, columns: tuple[str, ...], name: str, begin: str, end: str) -> str:
    """The first row of each lane, through an index over the lane and the order. begin: of which
    lanes the first is looked for; end: of which lanes each is."""
    names = _lane_names(queue)
    by = f"ORDER BY {_columns(names)}, {queue.order} LIMIT 1"
    each = f"SELECT {_columns(columns)} FROM {queue.table} WHERE state = '{queue.waiting}'{end}"
    return (
        f"{name} AS (({each}{begin} {by}) UNION ALL"
        f" SELECT n.* FROM {name} h CROSS JOIN LATERAL ({each}"
        f" AND ({_columns(names)}) > ({_columns(names, 'h')}) {by}) n)"
    )


def last_of_ring(taken: Sequence[_Place], after: _Place) -> _Place:
    """Places are served in a ring: those behind `after` first, then the others from the lowest on.
    The last one of what was taken, behind which the next take begins."""
    return max([place for place in taken if place <= after] or taken)


def _lane_names(queue: Queue) -> tuple[str, ...]:
    return tuple(name for name, _ in queue.lane)


def _free(queue: Queue, row: str) -> str:
    due = _DUE.format(row=f"{row}.", waiting=queue.waiting)
    month = f" AND {row}.{queue.month} <= {_TO_COME}" if queue.month else ""
    return f"{due} AND {_UNHELD.format(row=f'{row}.')}{month}"


def _held(queue: Queue) -> str:
    keys = [f"q.{column} = ${place}" for place, column in enumerate(queue.key, 1)]
    return " AND ".join([*keys, f"q.state = '{queue.waiting}'"])


def _same(columns: Sequence[str], one: str, other: str) -> str:
    return " AND ".join(f"{one}.{column} = {other}.{column}" for column in columns)


def _columns(columns: Sequence[str], row: str = "") -> str:
    return ", ".join(f"{row}.{column}" if row else column for column in columns)
