"""Which live bills of a chat are to be pinned: of each merchant the newest, and no other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from core.delivery.outbox.facts import Pin, Unpin
from core.delivery.outbox.queue import Outbox
from core.system.store import Queries


async def set_pins(
    outbox: Outbox, queries: Queries, chat_id: int, *, ended: Sequence[UUID] = ()
) -> None:
    """Put into the outbox what is pinned and what is no longer, where the chat differs.

    ended: merchants whose bills are to be pinned there no longer, the newest neither.
    """
    for row in await queries.fetch(_BILLS, chat_id):
        message_id, merchant_id = row["message_id"], row["merchant_id"]
        is_newest, is_pinned = row["newest"], row["pinned"]
        stays = is_newest and merchant_id not in ended
        fact: Pin | Unpin
        if stays and not is_pinned:
            fact = Pin(message_id)
        elif not stays and (is_pinned or is_newest):  # the pin of the newest may be on its way
            fact = Unpin(message_id)
        else:
            continue
        await outbox.say(
            queries, chat_id, fact, merchant_id=merchant_id,
            dedupe_key=f"{fact.topic}:{chat_id}:{message_id}",
        )  # fmt: skip


# The pin comes before the unpinning of former bills: between them, a chat has two and never none.
_BILLS: Final = """
SELECT merchant_id, message_id, pinned,
       message_id = max(message_id) OVER (PARTITION BY merchant_id) AS newest
FROM post WHERE chat_id = $1 AND kind = 'bill'
ORDER BY newest DESC, message_id
"""
