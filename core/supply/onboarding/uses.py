"""Which version of a document a supplier uses, and which ones it used before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from core.people.actors import Actor
from core.system.store import Queries, Tx

How = Literal["opened", "switched", "rolled_back"]
LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class Use:
    """A version that a supplier uses, or used."""

    seq: int
    document_id: UUID
    how: How
    actor_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NewUse:
    """A version that is used from now on. before_seq: the use that a roll-back would go to."""

    document_id: UUID
    how: How
    before_seq: int | None


async def add_use(tx: Tx, actor: Actor, supplier_id: UUID, use: NewUse, at: datetime) -> None:
    """The next use of a supplier that is held."""
    await tx.execute(
        _ADD, supplier_id, use.document_id, use.how, use.before_seq, actor.user_id, actor.name, at
    )


async def last_seq(tx: Tx, supplier_id: UUID) -> int:
    """The number of the use that counts now."""
    return int(
        await tx.fetchval(
            "SELECT max(seq) FROM supplier_document WHERE supplier_id = $1", supplier_id
        )
    )


async def use_before(tx: Tx, supplier_id: UUID) -> NewUse | None:
    """What a roll-back goes to; None where there is nothing. The next one goes further back."""
    row = await tx.fetchrow(_BEFORE, supplier_id)
    return NewUse(row["document_id"], "rolled_back", row["before_seq"]) if row else None


async def read_uses(queries: Queries, supplier_id: UUID) -> list[Use]:
    """The newest LISTED uses, the one that counts now last."""
    rows = await queries.fetch(_LAST, supplier_id, LISTED)
    return [
        Use(row["seq"], row["document_id"], row["how"], row["actor_name"], row["at"])
        for row in reversed(rows)
    ]


_ADD: Final = """
INSERT INTO supplier_document (supplier_id, seq, document_id, how, before_seq, actor_user_id,
    actor_name, at)
SELECT $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5, $6, $7
FROM supplier_document WHERE supplier_id = $1
"""
_BEFORE: Final = """
SELECT b.document_id, b.before_seq
FROM supplier_document u
JOIN supplier_document b ON b.supplier_id = u.supplier_id AND b.seq = u.before_seq
WHERE u.supplier_id = $1 AND u.seq = (SELECT max(seq) FROM supplier_document
                                      WHERE supplier_id = $1)
"""
_LAST: Final = """
SELECT seq, document_id, how, actor_name, at FROM supplier_document
WHERE supplier_id = $1 ORDER BY seq DESC LIMIT $2
"""
