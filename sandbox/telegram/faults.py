"""Faults a test asks for. They live in memory only and end with the process."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.telegram.errors import ActError

CALL_KINDS = frozenset({"429", "500", "timeout", "lost_answer", "slow"})
UPDATE_KINDS = frozenset({"drop_update", "duplicate_update"})


@dataclass(slots=True)
class Fault:
    """One fault; `times` is how often it still strikes, `method` limits it to one method."""

    kind: str
    method: str | None = None
    times: int = 1
    retry_after_s: int = 1
    delay_s: float = 1.0


@dataclass(slots=True)
class Faults:
    waiting: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Arm a fault; "clear" disarms all."""
        if fault.kind == "clear":
            self.waiting.clear()
            return
        if fault.kind not in CALL_KINDS | UPDATE_KINDS:
            kinds = sorted(CALL_KINDS | UPDATE_KINDS | {"clear"})
            raise ActError(400, f"kind must be one of {', '.join(kinds)}")
        self.waiting.append(fault)

    def for_call(self, method: str) -> Fault | None:
        """The fault that strikes this call, if any; it is used up once."""
        return self._take(CALL_KINDS, method)

    def for_update(self) -> Fault | None:
        """The fault that strikes the next update, if any; it is used up once."""
        return self._take(UPDATE_KINDS, None)

    def _take(self, kinds: frozenset[str], method: str | None) -> Fault | None:
        for fault in self.waiting:
            if fault.kind not in kinds or fault.method not in (None, method):
                continue
            fault.times -= 1
            if fault.times <= 0:
                self.waiting.remove(fault)
            return fault
        return None
