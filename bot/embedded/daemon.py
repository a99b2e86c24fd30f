"""A server process that outlives its starter, and is found again by the next one.

Whether it lives is a fact of the kernel, not of a pid file: the starter takes a file lock and the
server inherits it, and so does every program that prepares for it. While any of them lives the
lock is held; when the last one ends, however it ends, the lock is free. So nothing is ever started
twice, what is half dead (or still prepares for a starter that was killed) is waited for, and a pid
file counts only while the lock is held.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bot.embedded.errors import EmbeddedError, explain
from bot.embedded.home import make_private_dir, try_lock
from bot.embedded.identity import Identity

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
LOG_MAX_BYTES = 10 * 1024 * 1024
_POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, as whom, and what to add to the environment."""

    argv: list[str]
    identity: Identity
    environment: dict[str, str]


class Daemon:
    """Starts, adopts and stops the server `name` of one home."""

    def __init__(self, name: str, home: Path, pid_path: Path) -> None:
        self.name = name
        self._lock_path = home / f"{name.lower()}.lock"
        self._log_path = home / "log" / f"{name.lower()}.log"
        self._pid_path = pid_path
        self._process: subprocess.Popen[bytes] | None = None
        self._spawning: asyncio.Task[bool] | None = None
        self._log_start = 0

    async def start(
        self, prepare: Callable[[int], Command], ready: Callable[[], Awaitable[bool]]
    ) -> None:
        """Adopts the living server, or runs what `prepare` returns; back when `ready` says so.

        `prepare` is called in a thread, only while no process of this server lives, by one
        starter at a time. It is given the lock's descriptor, which every program that it runs
        must inherit. Whoever breaks a start off calls `stop`. Raises EmbeddedError.
        """
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline_s:
            # A thread goes on when its caller does not, so `stop` has to know of it.
            self._spawning = asyncio.create_task(
                asyncio.to_thread(self._spawn_unless_alive, prepare)
            )
            if await asyncio.shield(self._spawning):
                await self._wait_until_ready(ready)
                return
            if await ready():
                return
            await asyncio.sleep(_POLL_S)
        raise EmbeddedError(
            f"{self.name} runs (process {self._read_pid() or 'unknown'}) but does not answer: "
            f"stop that process and start again. The log is {self._log_path}."
        )

    def alive(self) -> bool:
        """Whether any process of this server lives, or prepares for it."""
        if not self._lock_path.exists():
            return False
        lock_fd = try_lock(self._lock_path)
        if lock_fd is None:
            return True
        os.close(lock_fd)
        return False

    async def stop(self, *signals: signal.Signals) -> None:
        """Sends `signals` one after another, each given time, until every process has ended.

        What a start is about to run is waited for, and ended as well.
        """
        if self._spawning is not None and not self._spawning.done():
            await asyncio.wait([self._spawning], timeout=START_TIMEOUT_S)
        for number in signals:
            deadline_s = time.monotonic() + STOP_TIMEOUT_S
            sent = False
            while time.monotonic() < deadline_s:
                if not self.alive() and self._has_ended():
                    return
                # A server that is only just starting may not have written its pid yet.
                pid = self._process.pid if self._process else self._read_pid()
                if not sent and pid is not None:
                    with suppress(ProcessLookupError):
                        os.kill(pid, number)
                    sent = True
                await asyncio.sleep(_POLL_S)
        raise EmbeddedError(
            f"{self.name} does not stop: end process {self._read_pid() or 'unknown'} by hand. "
            f"The log is {self._log_path}."
        )

    async def _wait_until_ready(self, ready: Callable[[], Awaitable[bool]]) -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline_s:
            if self._process is None or self._process.poll() is not None:
                self._process = None
                raise explain(self.name, self._last_words(), self._log_path)
            if await ready():
                return
            await asyncio.sleep(_POLL_S)
        raise EmbeddedError(
            f"{self.name} was started but is not ready after {START_TIMEOUT_S:.0f} s. "
            f"The log is {self._log_path}."
        )

    def _spawn_unless_alive(self, prepare: Callable[[int], Command]) -> bool:
        lock_fd = try_lock(self._lock_path)
        if lock_fd is None:
            return False
        try:
            if not self._has_ended():
                return False
            self._pid_path.unlink(missing_ok=True)
            command = prepare(lock_fd)
            with self._open_log() as log:
                self._process = subprocess.Popen(
                    [*command.identity.prefix, *command.argv],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    env={**os.environ, **command.environment},
                    start_new_session=True,
                    pass_fds=(lock_fd,),
                    **command.identity.popen_options(),
                )
        except OSError as error:
            raise explain(self.name, str(error)) from error
        finally:
            os.close(lock_fd)
        return True

    def _open_log(self) -> BinaryIO:
        make_private_dir(self._log_path.parent)
        with suppress(FileNotFoundError):
            if self._log_path.stat().st_size > LOG_MAX_BYTES:
                self._log_path.replace(self._log_path.with_suffix(".log.1"))
        log = self._log_path.open("ab")
        self._log_start = log.tell()
        return log

    def _last_words(self) -> str:
        with self._log_path.open("rb") as log:
            log.seek(self._log_start)
            return log.read(64 * 1024).decode(errors="replace")

    def _has_ended(self) -> bool:
        """Whether the process that was started here is gone. It may outlive its lock: the kernel
        lets go of the lock a moment sooner, and a home that is deleted takes the lock with it."""
        if self._process is not None and self._process.poll() is not None:
            self._process = None
        return self._process is None

    def _read_pid(self) -> int | None:
        with suppress(OSError, ValueError, IndexError):
            return int(self._pid_path.read_text(encoding="utf-8").split()[0])
        return None
