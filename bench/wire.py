"""A wire between a desk and PostgreSQL that counts round trips: how often the desk asks and waits.

It reads the types of the frontend's messages alone, on a socket of its own beside the server's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from bot.embedded import EmbeddedPostgres
from bot.embedded.postgres import DATABASE

_SOCKET: Final = ".s.PGSQL.5432"
# The server answers after each of these, and the driver waits for it: Query, Sync, Flush.
_WAITED_FOR: Final = frozenset(b"QSH")
_LENGTH_BYTES: Final = 4
_CHUNK_BYTES: Final = 256 * 1024


class Wire:
    """dsn: the desk's, through this wire. trips: so far."""

    def __init__(self, dsn: str, server: Path) -> None:
        self.dsn = dsn
        self.trips = 0
        self._server = server
        self._open: set[asyncio.StreamWriter] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either end closes it."""
        self._open.add(writer)
        with suppress(OSError, EOFError):
            there, server = await asyncio.open_unix_connection(str(self._server))
            back = asyncio.create_task(_copy(there, writer))
            try:
                await self._ask(reader, server)
            finally:
                server.close()
                await back
        self._open.discard(writer)
        writer.close()

    def end(self) -> None:
        """Close what is open."""
        for writer in self._open:
            writer.close()

    async def _ask(self, reader: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        """The frontend's messages. Only the first one has no type."""
        kind = b""
        while True:
            length = await reader.readexactly(_LENGTH_BYTES)
            body = await reader.readexactly(int.from_bytes(length) - _LENGTH_BYTES)
            server.write(kind + length + body)
            self.trips += bool(kind) and kind[0] in _WAITED_FOR
            await server.drain()
            kind = await reader.readexactly(1)


async def _copy(there: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await there.read(_CHUNK_BYTES):
            back.write(chunk)
            await back.drain()
    back.close()


@asynccontextmanager
async def counted(
    postgres: EmbeddedPostgres, folder: Path, database: str = DATABASE
) -> AsyncIterator[Wire]:
    """A wire to a running server. folder: that there is, for its socket alone."""
    dsn = postgres.dsn("paydesk_desk", database)
    there = postgres.socket_dir
    if there is None:
        raise ValueError("the server does not run")
    ours = dsn.replace(quote(str(there), safe="/"), quote(str(folder), safe="/"))
    wire = Wire(ours, there / _SOCKET)
    server = await asyncio.start_unix_server(wire.carry, str(folder / _SOCKET))
    try:
        yield wire
    finally:
        server.close()
        wire.end()
        await server.wait_closed()
