"""What is done to processes from outside: all of a server's at once, by their ids."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def pid_in(file: Path) -> int:
    """The process that a server's pid file names."""
    return int(file.read_text(encoding="utf-8").split()[0])


def processes_of(pid: int) -> list[int]:
    """A process and all that it started, itself first."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="],  # noqa: S607 - as every system has it, wherever that is
        capture_output=True,
        text=True,
        check=True,
    )
    parents = {int(one): int(two) for one, two in map(str.split, listed.stdout.splitlines())}
    found = [pid]
    for one in found:  # grows meanwhile; every process has one parent, so it ends
        found += [child for child, parent in parents.items() if parent == one]
    return found


def send(number: signal.Signals, pids: list[int]) -> None:
    """Send a signal to each that is still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A process and all that it started stand still: they hold what they hold and answer nobody."""
    send(signal.SIGSTOP, processes_of(pid))
    try:
        yield
    finally:
        send(signal.SIGCONT, processes_of(pid))
