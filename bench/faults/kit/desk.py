"""One process of the desk, run as people run it: `python -m bot run` with settings of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

import aiohttp

from bench.faults.kit.ground import HOST
from bench.faults.kit.machine import processes_of, send
from bench.faults.kit.waits import LOOK_S, NotSo, until

ROOT: Final = Path(__file__).resolve().parents[3]
START_S: Final = 60.0
END_S: Final = 45.0
# Who asks an instance whether it is ready waits so long.
_READY_S: Final = 3.0
_LAST_WORDS: Final = 2_000
# Nothing of whoever runs this reaches a desk but what a program needs to run at all.
_KEPT: Final = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "PAYDESK_POSTGRES_BIN")


class DeskFailed(Exception):
    """A desk ended, or did not get ready. The message has its last words."""


class Desk:
    """A desk on a port and the next one. name: of its log."""

    def __init__(
        self,
        name: str,
        home: Path,
        port: int,
        settings: Mapping[str, str],
        http: aiohttp.ClientSession,
    ) -> None:
        self.url = f"http://{HOST}:{port}"
        self.admin_url = f"http://{HOST}:{port + 1}"
        self.log = home / "log" / f"{name}.log"
        self._home = home
        self._settings = {
            **settings,
            "PAYDESK_HOME": str(home),
            "HOST": HOST,
            "PORT": str(port),
            "ADMIN_HOST": HOST,
            "ADMIN_PORT": str(port + 1),
        }
        self._http = http
        self._process: asyncio.subprocess.Process | None = None

    async def start(
        self,
        *,
        ready: bool = True,
        stderr: int | None = None,
        prefix: tuple[str, ...] = (),
        **settings: str,
    ) -> Self:
        """Start it; back when it is ready, or where that is not awaited, when it answers.

        stderr: a descriptor instead of the log. prefix: a program that runs it. settings: beside
        those it has, for this time. Raises DeskFailed.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *prefix,
                sys.executable,
                "-m",
                "bot",
                "run",
                cwd=self._home,
                env={**self._environment(), **settings},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log if stderr is None else stderr,
                start_new_session=True,
            )
        with suppress(NotSo):
            if await until(lambda: self._is_up(ready), what="", within_s=START_S, look_s=LOOK_S):
                return self
        raise DeskFailed(f"{self.url} did not get ready: {self._last_words()}")

    async def command(self, *words: str, **settings: str) -> tuple[int, str]:
        """Another command on the same settings: exit code and what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *words,
            cwd=self._home,
            env={**self._environment(), **settings},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said, _ = await asyncio.wait_for(process.communicate(), START_S)
        except BaseException:
            with suppress(ProcessLookupError):
                process.kill()
            raise
        return process.returncode or 0, said.decode(errors="replace")

    @property
    def pid(self) -> int:
        if self._process is None:
            raise DeskFailed(f"{self.url} was not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def readiness(self) -> tuple[int, dict[str, Any]]:
        """What /readyz says; 0 where it says nothing in time."""
        try:
            async with self._http.get(
                f"{self.admin_url}/readyz", timeout=aiohttp.ClientTimeout(total=_READY_S)
            ) as answer:
                return answer.status, await answer.json()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0, {}

    async def figure(self, name: str) -> float:
        """A figure of /metrics that has no labels."""
        async with self._http.get(f"{self.admin_url}/metrics") as answer:
            for line in (await answer.text()).splitlines():
                if line.startswith(f"{name} "):
                    return float(line.split()[1])
        raise DeskFailed(f"{self.url} has no figure {name}")

    async def terminate(self) -> float:
        """SIGTERM; seconds until it ended. Raises NotSo where it does not, DeskFailed where it
        ended with a fault."""
        began_s = time.monotonic()
        self.send(signal.SIGTERM)
        code = await self._ended(END_S)
        if code is None:
            raise NotSo(f"the desk ends after SIGTERM: not within {END_S:.0f} s")
        if code:
            raise DeskFailed(f"the desk ended with {code}: {self._last_words()}")
        return time.monotonic() - began_s

    async def kill(self) -> None:
        """kill -9, whatever state it is in. Its embedded servers, if it has any, live on."""
        self.send(signal.SIGKILL)
        await self._ended(END_S)

    def send(self, number: signal.Signals) -> None:
        if self.running:
            send(number, [self.pid])

    def processes(self) -> list[int]:
        return processes_of(self.pid)

    async def _ended(self, within_s: float) -> int | None:
        if self._process is None:
            return 0
        try:
            return await asyncio.wait_for(self._process.wait(), within_s)
        except TimeoutError:
            return None

    async def _is_up(self, ready: bool) -> bool:
        if not self.running:
            raise DeskFailed(f"{self.url} ended: {self._last_words()}")
        status, _ = await self.readiness()
        return status == 200 if ready else status != 0

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return {**kept, "PYTHONPATH": str(ROOT), **self._settings}

    def _last_words(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-_LAST_WORDS:]
