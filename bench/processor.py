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
_NS_PER_S: Final = 1e9
_UTIME: Final = 11  # of the fields behind the name; then stime, cutime, cstime
_CUTIME: Final = 13
_FIELDS: Final = 4
_THREADS: Final = 17


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
        exact = (PROC / str(pid) / "schedstat").read_text(encoding="utf-8").split()
    except OSError:  # it has ended, and is counted by its parent
        return 0.0
    fields = said.rpartition(")")[2].split()
    if int(fields[_THREADS]) > 1 or exact[0] == "0":
        return sum(map(int, fields[_UTIME : _UTIME + _FIELDS])) / _TICKS_PER_S
    # Of one thread the kernel keeps nanoseconds as well. A tick is as long as many calls.
    ended = sum(map(int, fields[_CUTIME : _UTIME + _FIELDS])) / _TICKS_PER_S
    return int(exact[0]) / _NS_PER_S + ended


def _memory_mb(pid: int) -> float:
    try:
        lines = (PROC / str(pid) / "status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    kb = next((line.split()[1] for line in lines if line.startswith("VmRSS:")), "0")
    return int(kb) / 1024
