"""Broadcasts in the database: one row for each, and one for each chat of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from core.kernel.errors import Bug
from core.people.broadcasts.model import (
    Broadcast,
    BroadcastPage,
    Counts,
    Failure,
    Result,
    ResultPage,
    read_broadcast,
)
from core.system.store import Queries, Tx

PAGE_ROWS: Final = 8
_RESULT_ROWS: Final = 12
# Of what was kept for long so much is dropped in one night.
_FORGOTTEN_AT_ONCE: Final = 100
_FAILURES: Final = 20
_DRAFTS_KEPT: Final = timedelta(days=2)
_KEPT: Final = timedelta(days=180)


async def add(tx: Tx, row: Mapping[str, Any]) -> Broadcast:
    """A new one. row: its columns."""
    names = ", ".join(row)
    places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
    made = await tx.fetchrow(
        f"INSERT INTO broadcast ({names}) VALUES ({places}) RETURNING *",  # noqa: S608 (our own names)
        *row.values(),
    )
    if made is None:
        raise Bug("a broadcast was not written")
    return read_broadcast(made)


async def add_targets(tx: Tx, broadcast_id: UUID, targets: Sequence[Mapping[str, Any]]) -> None:
    await tx.execute(_ADD_TARGETS, broadcast_id, list(targets))


async def find(
    queries: Queries, by: Literal["id", "no"], value: UUID | int, *, lock: bool = False
) -> Broadcast | None:
    """One, where it is not forgotten. lock: for us alone until we commit."""
    end = " FOR UPDATE" if lock else ""
    row = await queries.fetchrow(
        f"SELECT * FROM broadcast WHERE {by} = $1{end}",  # noqa: S608 (our own column names)
        value,
    )
    return None if row is None else read_broadcast(row)


async def change(tx: Tx, broadcast_id: UUID, changes: Mapping[str, Any]) -> Broadcast:
    sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(changes, 2))
    row = await tx.fetchrow(
        f"UPDATE broadcast SET {sets} WHERE id = $1 RETURNING *",  # noqa: S608 (our own names)
        broadcast_id,
        *changes.values(),
    )
    if row is None:
        raise Bug(f"there is no broadcast {broadcast_id}")
    return read_broadcast(row)


async def count_running(tx: Tx) -> int:
    return int(await tx.fetchval("SELECT count(*) FROM broadcast WHERE state = 'running'"))


async def stop(tx: Tx, broadcast: Broadcast) -> None:
    """What waits will not be done: where it did not arrive yet, it will not; where it did, it is as
    it was."""
    await tx.execute(
        "UPDATE broadcast_target SET state = CASE WHEN message_ids = '{}' THEN 'stopped'"
        " ELSE 'sent' END WHERE broadcast_id = $1 AND state = 'waiting'",
        broadcast.id,
    )


async def to_retry(tx: Tx, broadcast: Broadcast) -> list[int]:
    """The chats where it failed or was stopped. What is taken back is sent to nobody any more."""
    found = await tx.fetch(
        "SELECT chat_id FROM broadcast_target"
        " WHERE broadcast_id = $1 AND state IN ('failed', 'stopped')"
        " AND ($2 <> 'withdraw' OR message_ids <> '{}')",
        broadcast.id,
        broadcast.task,
    )
    return [row["chat_id"] for row in found]


async def retry(tx: Tx, broadcast: Broadcast, due_at: Mapping[int, datetime]) -> int:
    """Have it wait again in these chats, each until its instant; how many."""
    return await tx.execute(
        "UPDATE broadcast_target t SET state = 'waiting', fault = '', due_at = due.at"
        " FROM unnest($2::bigint[], $3::timestamptz[]) due (chat_id, at)"
        " WHERE t.broadcast_id = $1 AND t.chat_id = due.chat_id",
        broadcast.id,
        list(due_at),
        list(due_at.values()),
    )


async def again(tx: Tx, broadcast_id: UUID, now: datetime) -> int:
    """Have every chat wait in which it stands; how many."""
    return await tx.execute(
        "UPDATE broadcast_target SET state = 'waiting', fault = '', due_at = $2"
        " WHERE broadcast_id = $1 AND state IN ('sent', 'failed') AND message_ids <> '{}'",
        broadcast_id,
        now,
    )


async def page(queries: Queries, number: int) -> BroadcastPage:
    total = await queries.fetchval("SELECT count(*) FROM broadcast WHERE state <> 'dropped'")
    pages = max(1, -(-total // PAGE_ROWS))
    number = max(1, min(number, pages))
    found = await queries.fetch(_PAGE, (number - 1) * PAGE_ROWS, PAGE_ROWS)
    entries = tuple((read_broadcast(row), _counts(row["counts"])) for row in found)
    return BroadcastPage(entries, number, pages, total)


async def counts(queries: Queries, broadcast_id: UUID) -> tuple[Counts, datetime | None]:
    """How many chats stand how; and when the first that waits is due."""
    row = await queries.fetchrow(_COUNTS, broadcast_id)
    if row is None:
        raise Bug("a question of counts has one row")
    return _counts(row["counts"] or {}), row["next_at"]


async def failures(queries: Queries, broadcast_id: UUID) -> tuple[Failure, ...]:
    found = await queries.fetch(
        "SELECT no, title, fault FROM broadcast_target"
        " WHERE broadcast_id = $1 AND state = 'failed' ORDER BY no LIMIT $2",
        broadcast_id,
        _FAILURES,
    )
    return tuple(Failure(row["no"], row["title"], row["fault"]) for row in found)


async def result_page(
    queries: Queries, broadcast: Broadcast, number: int, page_rows: int = _RESULT_ROWS
) -> ResultPage:
    """A page of what became of it in each chat; one behind the last is the last."""
    total = await queries.fetchval(
        "SELECT count(*) FROM broadcast_target WHERE broadcast_id = $1", broadcast.id
    )
    pages = max(1, -(-total // page_rows))
    number = max(1, min(number, pages))
    found = await queries.fetch(_RESULTS, broadcast.id, (number - 1) * page_rows, page_rows)
    entries = tuple(
        Result(row["no"], row["title"], row["state"], row["fault"], row["done_at"]) for row in found
    )
    return ResultPage(broadcast, entries, number, pages, total)


async def forget(tx: Tx, now: datetime) -> dict[UUID, list[int]]:
    """Drop what is old; of each broadcast, the chats that it was for."""
    found = await tx.fetch(_FORGET, now - _DRAFTS_KEPT, now - _KEPT, _FORGOTTEN_AT_ONCE)
    return {row["id"]: row["chat_ids"] for row in found}


def _counts(by_state: Mapping[str, int]) -> Counts:
    return Counts(
        sent=by_state.get("sent", 0),
        failed=by_state.get("failed", 0),
        left=by_state.get("waiting", 0) + by_state.get("queued", 0),
        stopped=by_state.get("stopped", 0),
        withdrawn=by_state.get("withdrawn", 0),
    )


_RESULTS: Final = """
SELECT no, title, state, fault,
    CASE WHEN state NOT IN ('waiting', 'queued') THEN done_at END AS done_at
FROM broadcast_target WHERE broadcast_id = $1
ORDER BY array_position(
    ARRAY['failed', 'stopped', 'queued', 'waiting', 'sent', 'withdrawn'], state
), no
OFFSET $2 LIMIT $3
"""
# $1, $2: of drafts and of all else, what was written before goes.
_FORGET: Final = """
WITH old AS (
    SELECT id FROM broadcast
    WHERE state <> 'running'
      AND created_at < CASE WHEN state IN ('draft', 'dropped') THEN $1::timestamptz ELSE $2 END
    ORDER BY id LIMIT $3 FOR UPDATE
), chats AS (
    SELECT old.id, coalesce(array_agg(t.chat_id) FILTER (WHERE t.chat_id IS NOT NULL), '{}')
        AS chat_ids
    FROM old LEFT JOIN broadcast_target t ON t.broadcast_id = old.id GROUP BY old.id
), gone AS (
    DELETE FROM broadcast WHERE id IN (SELECT id FROM old)
)
SELECT id, chat_ids FROM chats
"""
_ADD_TARGETS: Final = """
INSERT INTO broadcast_target (broadcast_id, chat_id, no, title, state, due_at, fault)
SELECT $1, chat_id, no, title, state, due_at, fault
FROM jsonb_to_recordset($2) AS row
    (chat_id bigint, no integer, title text, state text, due_at timestamptz, fault text)
"""
_BY_STATE: Final = """
SELECT state, count(*) AS n, min(due_at) FILTER (WHERE state = 'waiting') AS next_at
FROM broadcast_target WHERE broadcast_id = {whose} GROUP BY state
"""
_COUNTS: Final = f"""
SELECT jsonb_object_agg(state, n) AS counts, min(next_at) AS next_at
FROM ({_BY_STATE.format(whose="$1")}) by_state
"""  # noqa: S608 (our own)
_PAGE: Final = f"""
SELECT b.*, coalesce(c.counts, '{{}}') AS counts
FROM broadcast b CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(state, n) AS counts FROM ({_BY_STATE.format(whose="b.id")}) by_state) c
WHERE b.state <> 'dropped' ORDER BY b.no DESC OFFSET $1 LIMIT $2
"""  # noqa: S608 (our own)
