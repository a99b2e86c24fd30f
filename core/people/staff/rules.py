"""Who may make whom what. Pure."""

from __future__ import annotations

from typing import Final

from core.kernel.errors import Refusal
from core.people.people import RIGHTS_GIVEN_BY_TWO, Person, Standing

RIGHT: Final = "people"


def need_may_change(
    giver: Person | None, user_id: int, before: Standing, after: Standing, *, other_owners: int
) -> None:
    """Whoever changes a standing may do so. giver: as the giver stands now. user_id: of whom it is
    about. other_owners: how many owners who can hire there are besides that person.

    Nobody changes their own standing, but everybody may leave. Nobody gives what they lack, nor
    takes it from somebody who may do more than they. One owner always remains.

    Refusals: not_permitted, own_standing, right_lacking, last_owner.
    """
    if giver is None or RIGHT not in giver.rights:
        raise Refusal("not_permitted", right=RIGHT)
    if giver.user_id == user_id and after.role is not None:
        raise Refusal("own_standing")
    if lacking := (before.rights | after.rights) - giver.rights:
        raise Refusal("right_lacking", right=min(lacking))
    if before.owns and not after.owns and not other_owners:
        raise Refusal("last_owner")


def takes_two(before: Standing, after: Standing) -> bool:
    """Whether a change lets somebody move money, or approve, who could not so far."""
    return bool((after.rights - before.rights) & RIGHTS_GIVEN_BY_TWO)
