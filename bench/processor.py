"""What processes cost: the kernel's own count of their processor time and memory."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bench.faults.kit import processes_of

PROC: Final = Path("/proc")
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_UTIME: Final = 11  # of the fields behind the name; then stime, cutime, cstime
_FIELDS: Final = 4


def cpu_s(pid: int) -> float:
    """Processor seconds of a process, of what it started, and of what it started and has ended.
    nan where the system has no /proc."""
    return sum(map(_cpu_s, processes_of(pid))) if PROC.exists() else math.nan


def memory_mb(pids: Iterable[int]) -> float:
    """What these processes keep in memory, in MB. nan where the system has no /proc."""
    return sum(map(_memory_mb, pids)) if PROC.exists() else math.nan


def _cpu_s(pid: int) -> float:
    try:
        said = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # it has ended, and is counted by its parent
        return 0.0
    fields = said.rpartition(")")[2].split()
    return sum(map(int, fields[_UTIME : _UTIME + _FIELDS])) / _TICKS_PER_S


def _memory_mb(pid: int) -> float:
    try:
        lines = (PROC / str(pid) / "status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    kb = next((line.split()[1] for line in lines if line.startswith("VmRSS:")), "0")
    return int(kb) / 1024
