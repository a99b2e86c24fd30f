"""Where one person is not enough: somebody else confirms, unless nobody else could."""

from __future__ import annotations

from datetime import datetime

from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.approvals.questions import ALONE_AFTER, LAST_AFTER
from core.people.people import Persons
from core.system.store import Queries


async def need_second(
    queries: Queries,
    people: Persons,
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
    since = await alone_from(queries, people, right, by=by, at=at)
    if since is None:
        raise Refusal("second_person_needed")
    if since > now:
        raise Refusal("approval_waits", at=since.isoformat())
    return True


async def alone_from(
    queries: Queries, people: Persons, right: str, *, by: int, at: datetime
) -> datetime | None:
    """From when on somebody may confirm what is their own; None where somebody else has the right.

    That is ALONE_AFTER they did it, and LAST_AFTER the last of the others lost the right. by, at:
    as in `need_second`.
    """
    if await others(queries, people, right, by):
        return None
    since = at + ALONE_AFTER
    lost_at = await people.lost_at(queries, right, but=by)
    return since if lost_at is None else max(since, lost_at + LAST_AFTER)


async def others(queries: Queries, people: Persons, right: str, user_id: int) -> bool:
    """Whether anybody else has a right."""
    staff = await people.staff(queries)
    return any(right in person.rights for person in staff if person.user_id != user_id)
