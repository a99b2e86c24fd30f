"""Questions as rows."""

from __future__ import annotations

from typing import Final

import asyncpg

from core.kernel.codec import unpack
from core.people.approvals.questions import Asked, Q


def read(kind: type[Q], row: asyncpg.Record) -> Asked[Q]:
    """A question of this kind as it stands."""
    return Asked(
        id=row["id"],
        chat_id=row["chat_id"],
        message_id=row["message_id"],
        asked_by=row["asked_by"],
        asked_by_name=row["asked_by_name"],
        asked_at=row["created_at"],
        question=unpack(kind, row["facts"]),
        state=row["state"],
        answered_by_name=row["answered_by_name"] or "",
        answered_at=row["answered_at"],
        alone=row["alone"],
    )


ASK: Final = """
INSERT INTO approval (id, kind, merchant_id, supplier_id, asked_by, asked_by_name, chat_id,
    message_id, facts, on_card, expires_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
COLUMNS: Final = """
a.id, a.kind, a.merchant_id, a.supplier_id, a.asked_by, a.asked_by_name, a.chat_id, a.message_id,
a.facts, a.state, a.expires_at, a.created_at, a.answered_by_name, a.answered_at, a.alone
"""
FIND: Final = f"""
SELECT {COLUMNS}, coalesce(g.moved_to, a.chat_id) AS home
FROM approval a LEFT JOIN chat_group g ON g.chat_id = a.chat_id
WHERE a.id = $1
"""  # noqa: S608 (our own)
WAITING: Final = f"""
SELECT {COLUMNS} FROM approval a
WHERE a.on_card AND a.state = 'open' AND a.expires_at > $1
ORDER BY a.created_at, a.id LIMIT 100
"""  # noqa: S608 (our own)
OPEN_ABOUT: Final = f"""
SELECT {COLUMNS} FROM approval a
WHERE a.on_card AND a.state = 'open' AND a.expires_at > $1 AND a.kind = $2
  AND a.merchant_id IS NOT DISTINCT FROM $3 AND a.supplier_id IS NOT DISTINCT FROM $4
ORDER BY a.created_at, a.id LIMIT 100
"""  # noqa: S608 (our own)
END_DUE: Final = f"""
UPDATE approval a SET state = 'expired' WHERE a.id IN (
    SELECT id FROM approval WHERE on_card AND state = 'open' AND expires_at <= $1
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
) RETURNING {COLUMNS}
"""  # noqa: S608 (our own)
FIND_REPLIED: Final = """
SELECT id FROM approval
WHERE chat_id = $1 AND message_id = $2 AND asked_by = $3 AND kind = $4 AND facts @> $5
ORDER BY created_at DESC LIMIT 1
"""
FIND_OPEN: Final = f"""
SELECT {COLUMNS} FROM approval a
WHERE a.asked_by = $1 AND a.state = 'open' AND a.kind = $2 AND a.facts @> $3 AND a.expires_at > $4
ORDER BY a.created_at DESC LIMIT 1
"""  # noqa: S608 (our own)
ANSWER: Final = """
UPDATE approval SET state = $2, answered_by = $3, answered_by_name = $4, answered_at = $5,
    alone = $6
WHERE id = $1 AND state = 'open'
"""
DROP_BY: Final = f"""
UPDATE approval a SET state = 'dropped', answered_by = $2, answered_by_name = $3, answered_at = $4
WHERE a.asked_by = $1 AND a.state = 'open'
RETURNING {COLUMNS}
"""  # noqa: S608 (our own)
DROP_IN: Final = f"""
UPDATE approval a SET state = 'dropped', answered_by = $1, answered_by_name = a.asked_by_name,
    answered_at = $4
WHERE a.asked_by = $1 AND a.state = 'open' AND a.kind = $3
  AND (a.chat_id = $2 OR a.chat_id IN (SELECT g.chat_id FROM chat_group g WHERE g.moved_to = $2))
RETURNING {COLUMNS}
"""  # noqa: S608 (our own)
DROP_OF: Final = f"""
UPDATE approval a SET state = 'dropped', answered_by = $3, answered_by_name = $4, answered_at = $5
WHERE a.state = 'open'
  AND (a.merchant_id = ANY($2) OR a.supplier_id = ANY($2)
       OR num_nonnulls(a.merchant_id, a.supplier_id) = 0)
  AND (a.chat_id = $1 OR a.chat_id IN (SELECT g.chat_id FROM chat_group g WHERE g.moved_to = $1))
RETURNING {COLUMNS}
"""  # noqa: S608 (our own)
