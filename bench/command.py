"""What the commands of this folder have in common: a home, a progress, and an end by a signal."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import uvloop

T = TypeVar("T")

EXIT_FAILED: Final = 1
EXIT_INTERRUPTED: Final = 130
_BEGUN_S: Final = time.monotonic()


def say(text: str) -> None:
    """How far it is, beside the table: with the seconds since the start."""
    print(f"[{time.monotonic() - _BEGUN_S:5.0f} s] {text}", file=sys.stderr, flush=True)


@contextmanager
def temporary_home(name: str) -> Iterator[Path]:
    """A folder for embedded servers, until the command ends."""
    with tempfile.TemporaryDirectory(prefix=f"paydesk-{name}-") as folder:
        home = Path(folder)
        home.chmod(0o711)  # the database may run as somebody else, who must get to its own folder
        yield home


def run_until_told(work: Coroutine[Any, Any, T]) -> T:
    """What the work comes to. SIGINT and SIGTERM end it, and all that it started: it raises
    SystemExit then."""
    try:
        return uvloop.run(_until_told(work))
    except asyncio.CancelledError:
        raise SystemExit(EXIT_INTERRUPTED) from None


async def _until_told(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.create_task(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task
