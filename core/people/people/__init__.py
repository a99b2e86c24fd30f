"""Staff: who they are, their role, and what a role may do."""

from __future__ import annotations

from core.people.people.people import People, Person
from core.people.people.rights import RIGHTS, ROLES

__all__ = ["RIGHTS", "ROLES", "People", "Person"]
