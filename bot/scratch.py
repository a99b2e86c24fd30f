"""Folders for files that are being made: gone with who made them, also where that was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_PREFIX: Final = "paydesk-export-"
# One that is only just made may not be held yet.
_YOUNG_S: Final = 60.0


@contextmanager
def scratch_folder(parent: Path | None = None) -> Iterator[Path]:
    """A private folder, removed in the end. parent: where, instead of the temp folder.

    Whoever uses one holds its lock. One that nobody holds is what a killed process left behind:
    it is removed by the next who needs a folder.
    """
    parent = parent or Path(tempfile.gettempdir())
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # another person's, or gone by now
            _remove_left(folder)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=parent) as name, _held(Path(name)):
        yield Path(name)


def _remove_left(folder: Path) -> None:
    if time.time() - folder.lstat().st_mtime > _YOUNG_S:
        with _held(folder):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Raises OSError where another holds it. The kernel lets go of it when the process ends."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
