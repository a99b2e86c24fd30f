"""The trail: who did what, where, and a hash over each row."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID

from core.kernel.clock import Clock
from core.kernel.ids import Ids
from core.system.store import Queries


class Audit:
    """Writes the trail. Rows are never changed: the desk's role cannot."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    async def record(
        self,
        tx: Queries,
        action: str,
        *,
        actor: str,
        facts: dict[str, Any],
        merchant_id: UUID | None = None,
        chat_id: int | None = None,
        message_id: int | None = None,
    ) -> None:
        """Write one row in the transaction of what it tells of.

        actor: api:<key id> | supplier:<no> | timetable | telegram:<numeric id>.
        facts: JSON values; never secrets.
        """
        row_id, at = self._ids.uuid7(), self._clock.now()
        text = json.dumps(
            [
                str(row_id),
                at.isoformat(),
                actor,
                chat_id,
                message_id,
                str(merchant_id),
                action,
                facts,
            ],
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
            default=str,
        )
        await tx.execute(
            "INSERT INTO audit (id, at, actor, chat_id, message_id, merchant_id, action, facts,"
            " hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            row_id,
            at,
            actor,
            chat_id,
            message_id,
            merchant_id,
            action,
            facts,
            hashlib.sha256(text.encode()).digest(),
        )
