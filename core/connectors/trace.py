"""Looking on while a message is read: what is asked of it, step by step, in the order of asking.

The reading itself tells its steps, so what people are shown can never differ from what counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from core.connectors.ciphers import CipherError
from core.connectors.document import Sign
from core.connectors.operators import ValueFault
from core.connectors.pipes import Scope
from core.connectors.signatures import signature
from core.kernel.errors import Bug

StepName = Literal[
    "address", "status", "form", "item", "signature", "freshness", "clearness", "opening", "ours",
    "number", "amount", "currency", "verdict", "state", "paid", "pay", "token", "balance",
]  # fmt: skip
"""address: who calls. form: it can be read at all. item: the next one of a batch. freshness: when
it was signed. clearness: it cannot be read two ways. opening: sealed content. ours: a field that
says who we are. number, amount, currency: of what it is about. verdict: good, refused, not found.
The rest is what is read then."""

# Each of them for people.
STEPS: Final[Mapping[str, str]] = {
    "address": "the caller's address",
    "status": "HTTP status",
    "form": "can be read",
    "item": "an item of the batch",
    "signature": "signature",
    "freshness": "when it was signed",
    "clearness": "reads one way only",
    "opening": "sealed content",
    "ours": "is about us",
    "number": "number",
    "amount": "amount that we asked for",
    "currency": "currency",
    "verdict": "good, refused or not found",
    "state": "state",
    "paid": "what was paid",
    "pay": "way to pay",
    "token": "token",
    "balance": "balance",
}

_HINT_CHARS: Final = 6
# Of anything shorter a hint would tell too much.
_HINTED_CHARS: Final = 24


@dataclass(frozen=True, slots=True)
class Step:
    """One question that a message was asked.

    said: what it was about, by name (`status`, `text`, `came`, …), secrets masked. ok: whether it
    was answered as it has to be; why: in words, where not.
    """

    name: StepName
    said: Mapping[str, str] = field(default_factory=dict)
    ok: bool = True
    why: str = ""


class Watch:
    """Nobody looks on: this is what a message is usually read with."""

    def at(self, name: StepName, **said: object) -> None:
        """The next question. said: what it is about; what is None or empty is left out."""

    def signature(self, rule: Sign, scope: Scope) -> None:
        """The signature is asked about. scope: what its text may speak of."""


class Recorder(Watch):
    """Writes the steps down. secrets: names that are masked in what was signed."""

    def __init__(self, secrets: frozenset[str]) -> None:
        self._secrets = secrets
        self._steps: list[Step] = []

    def at(self, name: StepName, **said: object) -> None:
        kept = {key: str(value) for key, value in said.items() if value not in (None, "")}
        self._steps.append(Step(name, kept))

    def signature(self, rule: Sign, scope: Scope) -> None:
        text = _tried(lambda: rule.text.masked(scope, self._secrets))
        came = _tried(lambda: rule.came.text(scope) if rule.came else "")
        if any(step.operator.proves for step in rule.steps):
            keys = ", ".join(f"${name}" for name in sorted(rule.keys))
            self.at(
                "signature", text=text, steps=" | ".join(map(str, rule.steps)), came=came, key=keys
            )
            return
        expected = _tried(lambda: signature(rule, scope))
        differs = "capitals" if expected != came and expected.lower() == came.lower() else ""
        self.at(
            "signature",
            text=text,
            steps=" | ".join(map(str, rule.steps)),
            came=came,
            expected=hint(expected),
            differs=differs,
        )

    def steps(self, why: str = "") -> tuple[Step, ...]:
        """What was asked. why: it ended in doubt, so the last answer was the wrong one."""
        if why and self._steps:
            return (*self._steps[:-1], replace(self._steps[-1], ok=False, why=why))
        return tuple(self._steps)


def hint(signature_text: str) -> str:
    """The ends of a signature: enough to compare it, too little to use it."""
    length = len(signature_text)
    if not length:
        return ""
    if length < _HINTED_CHARS:
        return f"({length} characters)"
    ends = signature_text[:_HINT_CHARS], signature_text[-_HINT_CHARS:]
    return f"{ends[0]}…{ends[1]} ({length} characters)"


def _tried(make: Callable[[], str]) -> str:
    try:
        return make()
    except (ValueFault, CipherError, Bug) as fault:
        return f"({fault})"
