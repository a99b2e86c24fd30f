"""Staff: who they are, their role, and what a role may do."""

from __future__ import annotations

from core.people.people.people import People, Person
from core.people.people.rights import MONEY_RIGHTS, RIGHTS, ROLES, rights_of

__all__ = ["MONEY_RIGHTS", "RIGHTS", "ROLES", "People", "Person", "rights_of"]
