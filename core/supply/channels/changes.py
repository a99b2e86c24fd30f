"""Who changes something about channels, and what is written with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from core.delivery.audit import Action, Audit
from core.system.store import Tx

# Handed what the trail says, in the transaction of the change; its refusal undoes it.
Also = Callable[[Tx, dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class By:
    """Who changes something, and in which message. actor: as the trail names it."""

    actor: str
    chat_id: int | None = None
    message_id: int | None = None


SCRIPT: Final = By("script")


async def nothing_else(_: Tx, __: dict[str, Any]) -> None:
    """What is written with a change where its caller writes nothing."""


async def record(
    audit: Audit,
    tx: Tx,
    action: Action,
    by: By,
    facts: dict[str, Any],
    also: Also,
    *,
    merchant_id: UUID | None = None,
) -> None:
    """Leave a change in the trail, with what its caller writes."""
    await audit.record(
        tx,
        action,
        actor=by.actor,
        facts=facts,
        merchant_id=merchant_id,
        chat_id=by.chat_id,
        message_id=by.message_id,
    )
    await also(tx, facts)
