"""A group that becomes a supergroup: Telegram gives it another id and numbers its messages anew."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from core.delivery.board import Board
from core.system.store import Tx


async def move(
    tx: Tx, board: Board, old_chat_id: int, new_chat_id: int, title: str, now: datetime
) -> int | None:
    """Move all that a group is and all that waits for it; the old id points to the new group.

    Returns the group it is now; None where it had moved before.
    """
    for chat_id, chat_type in ((old_chat_id, "group"), (new_chat_id, "supergroup")):
        await tx.execute(_SEE, chat_id, chat_type, title, now)
    rows = await tx.fetch(_HOLD, sorted((old_chat_id, new_chat_id)))
    at = {row["chat_id"]: row for row in rows}
    old, here = at[old_chat_id], at[new_chat_id]["moved_to"] or new_chat_id
    if old["moved_to"] is not None or here == old_chat_id:
        return None
    if old["kind"] != "unbound":
        await tx.execute(
            _BECOME, here, old["kind"], old["language"], old["label"], old["usdt_rate"]
        )
    await tx.execute(_SETTINGS, old_chat_id, here)
    await tx.execute(_TITLE, here, old["title"])
    for sql in (_MOVE_BINDINGS, _MOVE_STAFF, _MOVE_ADDRESSES):
        await tx.execute(sql, old_chat_id, here, old["kind"])
    await tx.execute("DELETE FROM binding WHERE chat_id = $1", old_chat_id)
    await board.move(tx, old_chat_id, here)
    await tx.execute(_POINT, old_chat_id, here)
    return here


_SEE: Final = (
    "INSERT INTO chat_group (chat_id, type, title, created_at) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT DO NOTHING"
)
_HOLD: Final = "SELECT * FROM chat_group WHERE chat_id = ANY($1) ORDER BY chat_id FOR UPDATE"
_BECOME: Final = (
    "UPDATE chat_group SET kind = $2, language = $3, label = $4, usdt_rate = $5"
    " WHERE chat_id = $1 AND kind = 'unbound'"
)
# Topics are of forums, and only a supergroup is one: there are none to take along.
_SETTINGS: Final = """
UPDATE chat_group n SET zone = coalesce(n.zone, o.zone),
    quiet_from = coalesce(n.quiet_from, o.quiet_from),
    quiet_to = coalesce(n.quiet_to, o.quiet_to),
    segments = array(SELECT DISTINCT unnest(n.segments || o.segments) ORDER BY 1),
    added_by = coalesce(n.added_by, o.added_by), members = coalesce(n.members, o.members)
FROM chat_group o WHERE o.chat_id = $1 AND n.chat_id = $2
"""
_TITLE: Final = "UPDATE chat_group SET title = $2 WHERE chat_id = $1 AND title = ''"

# $1: the old chat, $2: the new one, $3: the old one's kind. What is left behind is there already,
# or belongs to a chat of another kind. People and pay-out addresses go
# with their binding; where the new chat has one of its own, into that.
_MOVE_BINDINGS: Final = """
UPDATE binding b SET chat_id = $2
WHERE b.chat_id = $1
  AND EXISTS (SELECT FROM chat_group g WHERE g.chat_id = $2 AND g.kind = $3)
  AND NOT EXISTS (
      SELECT FROM binding n
      WHERE n.chat_id = $2
        AND (n.merchant_id = b.merchant_id OR n.supplier_id = b.supplier_id)
  )
"""
_MOVE_STAFF: Final = """
INSERT INTO group_staff (binding_id, user_id, role, created_at)
SELECT n.id, s.user_id, s.role, s.created_at
FROM binding b
JOIN binding n ON n.chat_id = $2
 AND (n.merchant_id = b.merchant_id OR n.supplier_id = b.supplier_id)
JOIN group_staff s ON s.binding_id = b.id
WHERE b.chat_id = $1 AND EXISTS (SELECT FROM chat_group g WHERE g.chat_id = $2 AND g.kind = $3)
ON CONFLICT DO NOTHING
"""
# An address that the new chat has stays.
_MOVE_ADDRESSES: Final = """
INSERT INTO payout_address (binding_id, network, address, set_by, set_by_name, set_at)
SELECT n.id, a.network, a.address, a.set_by, a.set_by_name, a.set_at
FROM binding b
JOIN binding n ON n.chat_id = $2
 AND (n.merchant_id = b.merchant_id OR n.supplier_id = b.supplier_id)
JOIN payout_address a ON a.binding_id = b.id
WHERE b.chat_id = $1 AND EXISTS (SELECT FROM chat_group g WHERE g.chat_id = $2 AND g.kind = $3)
ON CONFLICT DO NOTHING
"""

# Whoever pointed to the old chat points to the new one: a chain of moves has one step.
_POINT: Final = (
    "UPDATE chat_group SET moved_to = $2,"
    " kind = CASE WHEN chat_id = $1 THEN 'unbound' ELSE kind END,"
    " bot_status = CASE WHEN chat_id = $1 THEN 'moved' ELSE bot_status END"
    " WHERE chat_id = $1 OR moved_to = $1"
)
