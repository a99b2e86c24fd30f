"""The demo's neighbours: the sandbox processes, each tied to this one by its stdin."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

READY_S: Final = 20.0
STOP_S: Final = 10.0
_LINE_BYTES: Final = 64 * 1024


class NeighbourFailed(Exception):
    """A sandbox process did not get ready. The message holds what it said."""


class Neighbour:
    """One sandbox process: configured on stdin, ready on stdout. It ends when this process does,
    however that happens, because its stdin ends."""

    def __init__(self, module: str, log: Path) -> None:
        self._module = module
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def spawn(self) -> None:
        """Start the process; it waits for its configuration."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self._module,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=_LINE_BYTES,
                cwd=Path(__file__).resolve().parent.parent,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    async def configure(self, config: dict[str, Any]) -> dict[str, str]:
        """Tell it what it is, and return its ready line. Raises NeighbourFailed."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise NeighbourFailed(f"{self._module} was not started")
        try:
            process.stdin.write(json.dumps(config).encode() + b"\n")
            await process.stdin.drain()
            line = await asyncio.wait_for(process.stdout.readline(), READY_S)
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            line = b""
        if not line:
            await self.stop()
            raise NeighbourFailed(f"{self._module} did not get ready: {self._last_words()}")
        ready: dict[str, str] = json.loads(line)
        return ready

    async def stop(self) -> None:
        """Close its stdin and wait for its end; kill it when it will not."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()

    def _last_words(self) -> str:
        words = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return words[-1] if words else f"see {self._log}"
