"""Faults that were ordered through the control and wait for the request or callback they spoil."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

MAX_FAULTS = 100


class Kind(StrEnum):
    TIMEOUT = "timeout"
    ERROR_500 = "500"
    GARBAGE = "garbage"
    REFUSE = "refuse"
    LATE = "late"


# `any` means any request to the gateway: a callback is the supplier's own act and is named.
GATEWAY_OPERATIONS = ("create", "query", "close", "refund", "refund_query", "balance")
OPERATIONS = (*GATEWAY_OPERATIONS, "callback", "any")

DEFAULT_DELAY_S = {Kind.TIMEOUT: 30.0, Kind.LATE: 3.0}


@dataclass(frozen=True)
class Fault:
    """`times` uses are left. `after`: the work is done first, then the answer is spoiled."""

    operation: str
    kind: Kind
    times: int
    delay_s: float
    code: str
    after: bool

    def meets(self, operation: str) -> bool:
        if self.operation == "any":
            return operation in GATEWAY_OPERATIONS
        return self.operation == operation


class Faults:
    """Waiting faults, first ordered first used. Kept in memory: a restart forgets them."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """`ValueError` when more than `MAX_FAULTS` wait already."""
        if len(self._waiting) >= MAX_FAULTS:
            raise ValueError(f"at most {MAX_FAULTS} faults can wait")
        self._waiting.append(fault)

    def clear(self, operation: str) -> int:
        """Forget the waiting faults of one operation (`any`: all); how many there were."""
        kept = [fault for fault in self._waiting if operation not in ("any", fault.operation)]
        cleared = len(self._waiting) - len(kept)
        self._waiting = kept
        return cleared

    def take(self, operation: str) -> Fault | None:
        """Use the first fault that meets this operation."""
        for index, fault in enumerate(self._waiting):
            if fault.meets(operation):
                left = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                self._waiting[index : index + 1] = left
                return fault
        return None
