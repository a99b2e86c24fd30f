"""What somebody is at the desk, and what a change makes of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from core.kernel.errors import Refusal
from core.people.people.rights import RIGHTS, STAFF_ROLES, rights_of

What = Literal["role", "allow", "deny", "leave"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is said of a person. word: the role or the right; empty where one leaves."""

    what: What
    word: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A role, with what one person is allowed besides and denied, each in the order of the letters.
    role: None for who is not of the staff, and then there is nothing else."""

    role: str | None = None
    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()

    @property
    def rights(self) -> frozenset[str]:
        """What it lets somebody do."""
        return rights_of(self.role, self.allowed, self.denied)

    @property
    def owns(self) -> bool:
        """Whether this is an owner who can hire: a desk always has one."""
        return self.role == "owner" and "people" in self.rights

    def after(self, change: Change) -> Standing:
        """The standing that a change makes of this one. Another role keeps what the person was
        denied, and what it was allowed unless the role has that itself.

        Refusals: role_unknown, right_unknown, not_of_staff.
        """
        if change.what == "leave":
            return Standing()
        if change.what == "role":
            if change.word not in STAFF_ROLES:
                raise Refusal("role_unknown", text=change.word[:32])
            return _tidy(change.word, self.allowed, self.denied)
        if change.word not in RIGHTS:
            raise Refusal("right_unknown", text=change.word[:32])
        if self.role is None:
            raise Refusal("not_of_staff")
        allowed, denied = set(self.allowed) - {change.word}, set(self.denied) - {change.word}
        (allowed if change.what == "allow" else denied).add(change.word)
        return _tidy(self.role, allowed, denied)


def _tidy(role: str, allowed: Iterable[str], denied: Iterable[str]) -> Standing:
    """Without what the role says by itself. What is denied stays so under another role."""
    own = rights_of(role, (), ())
    return Standing(role, tuple(sorted(set(allowed) - own)), tuple(sorted(denied)))
