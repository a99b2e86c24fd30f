"""What people do with a merchant or its apps, as the trail keeps it."""

from __future__ import annotations

from typing import Any

from core.delivery.audit import Action, Audit
from core.parties.merchants import Merchant
from core.people.actors import Actor
from core.system.store import Tx


async def record_deed(
    audit: Audit, tx: Tx, action: Action, actor: Actor, merchant: Merchant, **facts: Any
) -> None:
    """Write one row in the transaction of what it tells of. facts: JSON values; never secrets."""
    await audit.record(
        tx,
        action,
        actor=actor.trail_name,
        facts={"merchant_no": merchant.merchant_no, "actor_name": actor.name, **facts},
        merchant_id=merchant.id,
        chat_id=actor.chat_id,
    )
