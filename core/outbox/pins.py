"""Which live bills of a chat are to be pinned: of each merchant the newest, and no other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from core.outbox.facts import Pin, Unpin
from core.outbox.queue import Outbox
from core.store import Queries


async def set_pins(
    outbox: Outbox, queries: Queries, chat_id: int, *, ended: Sequence[UUID] = ()
) -> None:
    """Put into the outbox what is pinned and what is no longer, where the chat differs.

    ended: merchants whose bills are to be pinned there no longer, the newest neither.
    """
    for row in await queries.fetch(_BILLS, chat_id):
        message_id, merchant_id = row["message_id"], row["merchant_id"]
        stays = row["newest"] and merchant_id not in ended
        if stays == row["pinned"]:
            continue
        fact = Pin(message_id) if stays else Unpin(message_id)
        await outbox.say(
            queries, chat_id, fact, merchant_id=merchant_id,
            dedupe_key=f"pin:{chat_id}:{message_id}",
        )  # fmt: skip


# The pin comes before the unpinning of former bills: between them, a chat has two and never none.
_BILLS: Final = """
SELECT merchant_id, message_id, pinned,
       message_id = max(message_id) OVER (PARTITION BY merchant_id) AS newest
FROM post WHERE chat_id = $1 AND kind = 'bill'
ORDER BY newest DESC, message_id
"""
