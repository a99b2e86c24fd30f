"""Staff: who they are, their role, and what a role may do."""

from __future__ import annotations

from core.people.people.people import MAX_NAME_CHARS, Person, Persons
from core.people.people.rights import RIGHTS, RIGHTS_GIVEN_BY_TWO, ROLES, STAFF_ROLES, rights_of
from core.people.people.standing import Change, Standing, What

__all__ = [
    "MAX_NAME_CHARS",
    "RIGHTS",
    "RIGHTS_GIVEN_BY_TWO",
    "ROLES",
    "STAFF_ROLES",
    "Change",
    "Person",
    "Persons",
    "Standing",
    "What",
    "rights_of",
]
