"""A port: silent and slow connections go, others are served meanwhile."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.listener import Limits, Listener
from bot.process import PortTaken

SOON_S = 10.0


async def _echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


async def _slow(request: web.Request) -> web.Response:
    await request.read()
    await asyncio.sleep(0.5)
    return web.Response(text="slow")


@asynccontextmanager
async def listening(**options: Any) -> AsyncIterator[tuple[str, int]]:
    app = web.Application()
    app.router.add_post("/", _echo)
    app.router.add_get("/slow", _slow)
    listener = Listener(app, "127.0.0.1", 0, **options)
    await listener.start()
    try:
        yield listener.addresses[0]
    finally:
        await listener.stop()


async def ends(reader: asyncio.StreamReader) -> bytes:
    """What comes until the other side ends it."""
    async with asyncio.timeout(SOON_S):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


async def test_silent_and_slow_heads_go_and_others_are_served() -> None:
    async with listening(limits=Limits(head_s=0.3)) as (host, port):
        opened = [await asyncio.open_connection(host, port) for _ in range(50)]
        for _, writer in opened[::2]:
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        async with aiohttp.ClientSession() as session:
            for _ in range(5):
                async with session.post(f"http://{host}:{port}/", data=b"x") as answer:
                    assert await answer.read() == b"x"
        assert await asyncio.gather(*(ends(reader) for reader, _ in opened)) == [b""] * 50
        for _, writer in opened:
            writer.close()


async def test_a_body_that_comes_too_slowly_ends_the_connection() -> None:
    async with listening(limits=Limits(body_s=0.2)) as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
        assert await ends(reader) == b""
        writer.close()
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{host}:{port}/slow") as answer,
        ):
            assert await answer.text() == "slow", "an answer may take its time"


async def test_a_connection_that_brought_a_request_may_wait_for_its_next() -> None:
    async with listening(limits=Limits(head_s=0.2)) as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        asked = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"
        for _ in range(3):
            writer.write(asked)
            async with asyncio.timeout(SOON_S):
                assert (await reader.readuntil(b"\r\n\r\na")).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(0.3)  # longer than a head may take
        writer.close()


@pytest.mark.parametrize("trusted", [False, True])
async def test_one_address_has_so_many_connections(trusted: bool) -> None:
    networks = (ip_network("127.0.0.0/8"),) if trusted else ()
    limits = Limits(per_address=5, head_s=60)
    async with listening(limits=limits, trusted=networks) as (host, port):
        opened = [await asyncio.open_connection(host, port) for _ in range(9)]
        asked = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"
        for reader, writer in opened[:5]:
            writer.write(asked)
            assert (await reader.readuntil(b"\r\n\r\na")).startswith(b"HTTP/1.1 200")
        rest = [asyncio.create_task(ends(reader)) for reader, _ in opened[5:]]
        done, waiting = await asyncio.wait(rest, timeout=3)
        assert len(done) == (0 if trusted else 4)
        for task in waiting:
            task.cancel()
        for _, writer in opened:
            writer.close()


async def test_a_port_in_use_is_named() -> None:
    async with listening() as (host, port):
        second = Listener(web.Application(), host, port)
        with pytest.raises(PortTaken, match=str(port)):
            await second.start()


@asynccontextmanager
async def crowded() -> AsyncIterator[tuple[int, int]]:
    """The ports of a process of its own that has few files."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bot.crowded",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SOON_S * 3):
            public, admin = map(int, (await process.stdout.readline()).split())
        yield public, admin
    finally:
        process.stdin.close()
        await process.wait()


async def test_connections_that_do_nothing_take_nobody_the_files() -> None:
    """300 with half a head, 290 that asked once and wait, where a process has 300 files."""
    half, whole = b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    writers: list[asyncio.StreamWriter] = []

    async def occupy(port: int, sent: bytes) -> None:
        with suppress(OSError):  # it may be ended at once
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(writer)
            writer.write(sent)

    async with crowded() as ports:
        public, _ = ports
        crowd = [half] * 300 + [whole] * 290
        occupying = asyncio.gather(*(occupy(public, sent) for sent in crowd))
        took_s = []
        for _ in range(5):
            for port in ports:
                began = time.monotonic()
                # From another address than theirs.
                connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0), force_close=True)
                async with (
                    asyncio.timeout(SOON_S),
                    aiohttp.ClientSession(connector=connector) as session,
                    session.get(f"http://127.0.0.1:{port}/") as answer,
                ):
                    assert await answer.text() == "alive"
                took_s.append(time.monotonic() - began)
        assert max(took_s) < Limits().head_s / 2, took_s
        async with asyncio.timeout(SOON_S):
            await occupying
        for writer in writers:
            writer.close()
