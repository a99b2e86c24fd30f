"""Where one person is not enough: somebody else confirms, unless nobody else could."""

from __future__ import annotations

from datetime import datetime

from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.approvals.questions import ALONE_AFTER
from core.people.people import People
from core.system.store import Queries


async def need_second(
    queries: Queries,
    people: People,
    right: str,
    actor: Actor,
    *,
    by: int,
    at: datetime,
    now: datetime,
) -> bool:
    """Whether the actor confirms what is the actor's own, for nobody else has the right.

    by, at: who did it, and when. Refusals: second_person_needed, approval_waits.
    """
    if actor.user_id != by:
        return False
    if await others(queries, people, right, by):
        raise Refusal("second_person_needed")
    if (since := at + ALONE_AFTER) > now:
        raise Refusal("approval_waits", at=since.isoformat())
    return True


async def others(queries: Queries, people: People, right: str, user_id: int) -> bool:
    """Whether anybody else has a right."""
    return any(person.user_id != user_id for person in await people.with_right(queries, right))
