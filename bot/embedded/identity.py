"""As whom a server runs: never as root, which PostgreSQL refuses and which nothing here needs."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

NOBODY_UID = 65534
_UNSHARE = ("-U", f"--map-user={NOBODY_UID}", f"--map-group={NOBODY_UID}", "--")


@dataclass(frozen=True, slots=True)
class Identity:
    """`prefix` goes before a command; `uid` is who it becomes and who must own its files."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def popen_options(self) -> dict[str, Any]:
        """Arguments for subprocess that make the change of user."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, *paths: Path) -> None:
        """Gives `paths`, and all in them, to this identity."""
        if self.uid is None or self.gid is None:
            return
        for path in paths:
            for folder, _, files in os.walk(path):
                os.chown(folder, self.uid, self.gid)
                for file in files:
                    os.chown(Path(folder, file), self.uid, self.gid, follow_symlinks=False)

    def let_through(self, home: Path) -> None:
        """Lets this identity reach its own folders inside `home` (it still cannot list it)."""
        if self.uid is not None and home.stat().st_uid != self.uid:
            home.chmod(home.stat().st_mode & 0o777 | 0o011)


def identity_for(data: Path) -> Identity:
    """Who should run a server whose data is, or will be, at `data`.

    A person: themselves. Root: the data's owner when that is somebody else; else root itself
    without its rights, in a user namespace; else, where namespaces are forbidden, `nobody`.
    """
    if os.geteuid() != 0:
        return Identity()
    if data.exists():
        found = data.stat()
        if found.st_uid != 0:
            return Identity(uid=found.st_uid, gid=found.st_gid)
    unshare = _working_unshare()
    if unshare:
        return Identity(prefix=(unshare, *_UNSHARE))
    return Identity(uid=NOBODY_UID, gid=NOBODY_UID)


@cache
def _working_unshare() -> str | None:
    unshare = shutil.which("unshare")
    if unshare is None:
        return None
    probe = subprocess.run([unshare, *_UNSHARE, "true"], capture_output=True, check=False)
    return unshare if probe.returncode == 0 else None
