"""Peers that the desk calls in tests: TCP servers on loopback that do as they are told."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from core.kernel.wire import HttpRequest

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listener:
    """A TCP server on loopback that counts connections and keeps what it was sent."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.calls = 0
        self.heard: list[bytes] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls += 1
        try:
            self.heard.append(await reader.readuntil(b"\r\n\r\n"))
            await self._talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def listening(
    talk: Talk, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, Listener]]:
    listener = Listener(talk)
    server = await asyncio.start_server(listener.take, "127.0.0.1", 0, ssl=tls)
    try:
        scheme = "https" if tls else "http"
        yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}", listener
    finally:
        server.close()


def saying(data: bytes) -> Talk:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return talk


def ok(body: bytes, head: bytes = b"200 OK", more: bytes = b"") -> Talk:
    length = str(len(body)).encode()
    return saying(b"HTTP/1.1 " + head + b"\r\nContent-Length: " + length + b"\r\n" + more
                  + b"\r\n" + body)  # fmt: skip


async def silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


def post(url: str) -> HttpRequest:
    return HttpRequest("POST", url, {"Content-Type": "text/plain"}, b"pay", "")


def closed_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


class Held:
    """A server that lets everybody in and answers when it is told to."""

    def __init__(self) -> None:
        self.entered = asyncio.Semaphore(0)
        self.leave = asyncio.Event()
        self.inside = 0
        self.most = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.entered.release()
        await self.leave.wait()
        self.inside -= 1
        await ok(b"done")(reader, writer)

    async def wait(self, number: int) -> None:
        async with asyncio.timeout(5):
            for _ in range(number):
                await self.entered.acquire()
