"""A port: silent and slow connections go, others are served meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.listener import Listener
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
    async with listening(head_s=0.3) as (host, port):
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
    async with listening(body_s=0.2) as (host, port):
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
    async with listening(head_s=0.2) as (host, port):
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
    async with listening(per_address=5, trusted=networks, head_s=60) as (host, port):
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
