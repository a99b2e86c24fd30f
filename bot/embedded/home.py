"""The folder a desk lives in: who holds it, and where its sockets are."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.embedded.errors import EmbeddedError, HomeInUse

# A socket's path fits into 104 bytes on macOS and 108 on Linux; PostgreSQL's name is the longest.
SOCKET_PATH_MAX_BYTES = 100
_LONGEST_SOCKET_NAME = ".s.PGSQL.5432"


class HomeLock:
    """Holds a home for one desk: `with HomeLock(home): ...`. Raises HomeInUse.

    The kernel lets go of it when the process ends, however it ends, so it is never stale.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._fd: int | None = None

    def __enter__(self) -> Self:
        make_private_dir(self._home)
        path = self._home / "desk.lock"
        fd = try_lock(path)
        if fd is None:
            raise HomeInUse(self._home, _read_pid(path))
        os.truncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def try_lock(path: Path) -> int | None:
    """Takes the file lock at `path`; its descriptor, or None when somebody else holds it."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EmbeddedError(f"Cannot open {path}: {error.strerror}. {_USE_ANOTHER}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def make_private_dir(path: Path) -> None:
    """Makes `path`, for nobody but its owner; leaves the mode of one that exists alone."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(f"Cannot make {path}: {error.strerror}. {_USE_ANOTHER}") from error


def socket_dir(home: Path) -> Path:
    """The private folder (0700) of the sockets: `home/run`, or a short one under the temp folder.

    The short one is recorded in `home/run.path`, so that a server left running is found again.
    """
    wanted = home / "run"
    if _fits(wanted):
        make_private_dir(wanted)
        return wanted
    record = home / "run.path"
    with suppress(FileNotFoundError):
        recorded = Path(record.read_text(encoding="utf-8").strip())
        if _is_private(recorded):
            return recorded
    parents = [Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108 - mkdtemp makes it private
    for parent in parents:
        if _fits(parent / "paydesk-12345678"):
            short = Path(tempfile.mkdtemp(prefix="paydesk-", dir=parent))
            # Renamed into place, so that a start cut short never leaves half a record.
            draft = record.with_suffix(".new")
            draft.write_text(f"{short}\n", encoding="utf-8")
            draft.replace(record)
            return short
    raise EmbeddedError(f"{home} is no path for sockets, too long or with a comma. {_USE_ANOTHER}")


def leave_socket_dir(home: Path) -> None:
    """Removes the short folder, if there is one and no server has its socket in it any more."""
    with suppress(OSError):
        Path((home / "run.path").read_text(encoding="utf-8").strip()).rmdir()


_USE_ANOTHER = "Choose another home with PAYDESK_HOME or --home."


def _fits(folder: Path) -> bool:
    # Drivers read a comma in a host as the start of another host.
    length = len(os.fsencode(folder / _LONGEST_SOCKET_NAME))
    return length <= SOCKET_PATH_MAX_BYTES and "," not in str(folder)


def _is_private(folder: Path) -> bool:
    # Under the temp folder anybody can put a folder of that name: believe only our own.
    try:
        found = folder.lstat()
    except OSError:
        return False
    ours = os.geteuid() in (0, found.st_uid)
    return ours and found.st_mode & 0o170777 == 0o040700


def _read_pid(path: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(path.read_text(encoding="utf-8"))
    return None
