"""Enquiries in the database: their rows, and the messages that belong to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from core.kernel.errors import Bug
from core.kernel.ids import uuid7_time
from core.kernel.money import Money
from core.people.groups import read_quiet
from core.system.store import Queries, Tx
from core.trade.enquiries.model import Enquiry, EnquiryView, Part, Said, Thread, read_enquiry
from core.trade.orders import Attempt


@dataclass(frozen=True, slots=True)
class Spot:
    """A message to reply to, in a chat as it is now. message_id: None where the group moved since,
    for messages have other numbers there."""

    chat_id: int
    message_id: int | None


async def open_one(tx: Tx, row: dict[str, Any]) -> Enquiry | None:
    """A new one; None where one of this attempt waits for an answer. row: its columns."""
    names = ", ".join(row)
    places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
    made = await tx.fetchrow(
        f"INSERT INTO enquiry ({names}) VALUES ({places})"  # noqa: S608 (our own column names)
        " ON CONFLICT (merchant_id, attempt_no) WHERE state = 'open' DO NOTHING"
        " RETURNING *",
        *row.values(),
    )
    return None if made is None else read_enquiry(made)


async def lock_newest(tx: Tx, attempt: Attempt) -> Enquiry | None:
    """The newest of an attempt that is not over, for us alone until we commit."""
    row = await tx.fetchrow(_LOCK_NEWEST, attempt.merchant_id, attempt.order_id, attempt.attempt_no)
    return None if row is None else read_enquiry(row)


async def lock(tx: Tx, enquiry_id: UUID) -> Enquiry:
    """One, for us alone until we commit. Raises Bug: ids come from our own rows."""
    row = await tx.fetchrow("SELECT * FROM enquiry WHERE id = $1 FOR UPDATE", enquiry_id)
    if row is None:
        raise Bug(f"there is no enquiry {enquiry_id}")
    return read_enquiry(row)


async def find(queries: Queries, enquiry_id: UUID) -> Enquiry | None:
    """One, where it is not forgotten."""
    row = await queries.fetchrow("SELECT * FROM enquiry WHERE id = $1", enquiry_id)
    return None if row is None else read_enquiry(row)


async def change(tx: Queries, enquiry_id: UUID, values: dict[str, Any]) -> Enquiry:
    """Set columns of it."""
    sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(values, start=2))
    row = await tx.fetchrow(
        f"UPDATE enquiry SET {sets} WHERE id = $1 RETURNING *",  # noqa: S608 (our own column names)
        enquiry_id,
        *values.values(),
    )
    if row is None:
        raise Bug(f"there is no enquiry {enquiry_id}")
    return read_enquiry(row)


async def begin(tx: Queries, enquiry_id: UUID, now: datetime, chase_at: datetime) -> None:
    """Its supplier is asked now, and reminded at chase_at; where nobody there was asked yet."""
    await tx.execute(_BEGIN, enquiry_id, now, chase_at)


async def numbers(queries: Queries, enquiry: Enquiry) -> asyncpg.Record | None:
    """order_no, merchant_no and supplier_no; None where its order is gone."""
    return await queries.fetchrow(_NUMBERS, enquiry.id)


async def note(
    tx: Queries, enquiry_id: UUID, chat_id: int, message_ids: Sequence[int], part: Part
) -> bool:
    """Messages belong to it from now on. False: all of them did before."""
    noted = await tx.execute(_NOTE, chat_id, list(message_ids), enquiry_id, part)
    return noted > 0


async def note_said(tx: Queries, enquiry_id: UUID, said: Said, part: Part) -> bool:
    """What somebody wrote belongs to it. False: it did before, and is only delivered again."""
    return await note(tx, enquiry_id, said.chat_id, [said.message_id], part)


async def was_said(queries: Queries, attempt: Attempt, said: Said) -> bool:
    """Whether a message was passed to the supplier of an attempt before."""
    return bool(
        await queries.fetchval(
            "SELECT EXISTS (SELECT FROM enquiry_message m JOIN enquiry e ON e.id = m.enquiry_id"
            " WHERE m.chat_id = $1 AND m.message_id = $2 AND e.merchant_id = $3"
            " AND e.attempt_no = $4)",
            said.chat_id,
            said.message_id,
            attempt.merchant_id,
            attempt.attempt_no,
        )
    )


async def forget_answer(tx: Tx, enquiry_id: UUID, chat_id: int, message_id: int) -> bool:
    """A message is no answer any more. Whether that leaves none."""
    await tx.execute(
        "DELETE FROM enquiry_message"
        " WHERE enquiry_id = $1 AND chat_id = $2 AND message_id = $3 AND part = 'answered'",
        enquiry_id,
        chat_id,
        message_id,
    )
    return not await tx.fetchval(
        "SELECT EXISTS (SELECT FROM enquiry_message WHERE enquiry_id = $1 AND part = 'answered')",
        enquiry_id,
    )


async def is_open(queries: Queries, enquiry: Enquiry) -> bool:
    """Whether one of the same attempt waits for an answer."""
    return bool(
        await queries.fetchval(
            "SELECT EXISTS (SELECT FROM enquiry WHERE merchant_id = $1 AND attempt_no = $2"
            " AND state = 'open')",
            enquiry.merchant_id,
            enquiry.attempt_no,
        )
    )


async def spots(
    queries: Queries, enquiry_id: UUID, part: Part, *, newest: bool = True
) -> list[Spot]:
    """Where messages of this part stand: one in each chat that still sees the enquiry. newest: the
    newest of each; else the first."""
    rows = await queries.fetch(_SPOTS, enquiry_id, part, newest)
    return [
        Spot(row["home"], row["message_id"] if row["home"] == row["chat_id"] else None)
        for row in rows
    ]


async def hear(
    queries: Queries, supplier_id: UUID, now: datetime
) -> tuple[list[int], datetime | None]:
    """(the groups of a supplier that may be told something unasked now; when the first of the
    others may be, None where there is none)."""
    loud, ends = list[int](), list[datetime]()
    for row in await queries.fetch(_HEARS, supplier_id):
        quiet = read_quiet(row)
        over_at = None if quiet is None else quiet.over_at(now, row["zone"])
        if over_at is None:
            loud.append(row["chat_id"])
        else:
            ends.append(over_at)
    return loud, min(ends, default=None)


async def find_thread(
    queries: Queries, chat_id: int, message_id: int, numbers: Sequence[str]
) -> Thread | None:
    """Where a reply to a message of ours belongs, in a chat that still sees the enquiry. numbers:
    of attempts, as they stand in that message: what the desk sent last and died before it could
    note it is known by them. A message that the desk knows as something else is no question."""
    row = await queries.fetchrow(_THREAD, chat_id, message_id)
    if row is None and numbers:
        row = await queries.fetchrow(_THREAD_BY_NUMBER, chat_id, message_id, list(numbers))
    return None if row is None else Thread(row["id"], row["part"])


async def asked_by(
    queries: Queries, chat_id: int, message_ids: Sequence[int]
) -> dict[int, list[tuple[UUID, UUID]]]:
    """Of messages that asked something: the enquiries that they are of, and whose supplier these
    have."""
    found = await queries.fetch(_ASKED_BY, chat_id, list(message_ids))
    asked: dict[int, list[tuple[UUID, UUID]]] = {}
    for row in found:
        asked.setdefault(row["message_id"], []).append((row["id"], row["supplier_id"]))
    return asked


async def view(queries: Queries, enquiry_id: UUID) -> EnquiryView | None:
    """What its card shows; None where it is forgotten."""
    enquiry = await find(queries, enquiry_id)
    if enquiry is None:
        return None
    row = await queries.fetchrow(
        _ATTEMPT, enquiry.merchant_id, enquiry.attempt_no, uuid7_time(enquiry.order_id)
    )
    if row is None:
        raise Bug(f"there is no attempt {enquiry.attempt_no}")
    return EnquiryView(
        enquiry,
        Money(row["amount_minor"], row["currency"]),
        row["created_at"],
        row["upstream_no"] or "",
        row["zone"],
    )


_ASKED_BY: Final = """
SELECT m.message_id, e.id, e.supplier_id
FROM enquiry_message m JOIN enquiry e ON e.id = m.enquiry_id
WHERE m.chat_id = $1 AND m.message_id = ANY($2::bigint[]) AND m.part = 'asked'
"""
_BEGIN: Final = """
UPDATE enquiry SET asked_at = $2, chases = 0, chase_at = $3
WHERE id = $1 AND state = 'open' AND chase_at IS NULL AND escalated_at IS NULL
"""
_NUMBERS: Final = """
SELECT o.order_no, m.merchant_no, s.supplier_no
FROM enquiry e
JOIN merchant m ON m.id = e.merchant_id
JOIN supplier s ON s.id = e.supplier_id
JOIN orders o ON o.merchant_id = e.merchant_id AND o.id = e.order_id
    AND o.created_at = id_time(e.order_id)
WHERE e.id = $1
"""
_LOCK_NEWEST: Final = """
SELECT * FROM enquiry
WHERE merchant_id = $1 AND order_id = $2 AND attempt_no = $3 AND ended_at IS NULL
ORDER BY asked_at DESC LIMIT 1 FOR UPDATE
"""
_NOTE: Final = """
INSERT INTO enquiry_message (chat_id, message_id, enquiry_id, part)
SELECT $1, message_id, $3, $4 FROM unnest($2::bigint[]) message_id
ON CONFLICT DO NOTHING
"""
# Whether the chat `g` still sees the side of the enquiry `e` on which the message `m` stands. No
# group: it is private, of somebody who may have left.
_SEES: Final = """
(g.kind = 'ops' OR (g.chat_id IS NULL AND EXISTS (
    SELECT FROM person p WHERE p.user_id = m.chat_id AND p.role IS NOT NULL)) OR EXISTS (
    SELECT FROM binding b WHERE b.chat_id = g.chat_id AND CASE
        WHEN m.part IN ('asked', 'returned') THEN b.merchant_id = e.merchant_id
        ELSE b.supplier_id = e.supplier_id END))
"""
_SPOTS: Final = f"""
SELECT DISTINCT ON (home) coalesce(c.moved_to, m.chat_id) AS home, m.chat_id, m.message_id
FROM enquiry_message m
JOIN enquiry e ON e.id = m.enquiry_id
LEFT JOIN chat_group c ON c.chat_id = m.chat_id
LEFT JOIN chat_group g ON g.chat_id = coalesce(c.moved_to, c.chat_id)
WHERE m.enquiry_id = $1 AND m.part = $2 AND {_SEES}
ORDER BY home, c.moved_to IS NOT NULL, CASE WHEN $3 THEN -m.message_id ELSE m.message_id END
"""  # noqa: S608 (our own)
_THREAD: Final = f"""
SELECT e.id, m.part
FROM enquiry_message m
JOIN enquiry e ON e.id = m.enquiry_id
LEFT JOIN chat_group g ON g.chat_id = m.chat_id
WHERE m.chat_id = $1 AND m.message_id = $2 AND m.part IN ('passed', 'returned') AND {_SEES}
LIMIT 1
"""  # noqa: S608 (our own)
_THREAD_BY_NUMBER: Final = """
SELECT e.id, 'passed' AS part
FROM enquiry e JOIN binding b ON b.supplier_id = e.supplier_id AND b.chat_id = $1
WHERE e.attempt_no = ANY($3::text[]) AND NOT EXISTS (
    SELECT FROM post
    WHERE chat_id = $1 AND message_id = $2 AND kind NOT IN ('enquiry', 'copy'))
ORDER BY e.asked_at DESC LIMIT 1
"""
_HEARS: Final = """
SELECT g.chat_id, coalesce(g.zone, s.zone) AS zone, g.quiet_from, g.quiet_to
FROM binding b
JOIN chat_group g ON g.chat_id = b.chat_id
JOIN supplier s ON s.id = b.supplier_id
WHERE b.supplier_id = $1 ORDER BY g.chat_id
"""
_ATTEMPT: Final = """
SELECT a.amount_minor, a.currency, a.created_at, a.upstream_no, s.zone
FROM attempt a JOIN supplier s ON s.id = a.supplier_id
WHERE a.merchant_id = $1 AND a.attempt_no = $2 AND a.order_created_at = $3
"""
