"""The load generator: each request is sent once, and what is not answered is counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.load import HOST, UNANSWERED, Volley, Volleyed, fire

ANSWER = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"


def asked(places: range) -> tuple[bytes, ...]:
    return tuple(f"GET /{place} HTTP/1.1\r\n\r\n".encode() for place in places)


@asynccontextmanager
async def server(hang_up_after: int) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Its port and what it was asked. It closes a connection after so many answers."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(hang_up_after):
            try:
                heard.append(await reader.readuntil(b"\r\n\r\n"))
            except EOFError:
                break
            writer.write(ANSWER)
        writer.close()

    listening = await asyncio.start_server(serve, HOST, 0)
    try:
        yield listening.sockets[0].getsockname()[1], heard
    finally:
        listening.close()


async def fired(port: int, requests: tuple[bytes, ...], seconds: float = 5.0) -> Volleyed:
    return await asyncio.to_thread(fire, Volley(port, 3, seconds, requests))


async def test_each_request_is_sent_once_and_its_answer_has_its_place() -> None:
    async with server(hang_up_after=1000) as (port, heard):
        came = await fired(port, asked(range(60)))
    assert sorted(heard) == sorted(asked(range(60)))
    assert sorted(answer.place for answer in came.answers) == list(range(60))
    assert {(answer.status, answer.body) for answer in came.answers} == {(201, b"ok")}
    assert came.failed(201) == 0
    assert came.failed(200) == 60


async def test_a_connection_that_is_cut_is_a_failure_and_is_made_anew() -> None:
    async with server(hang_up_after=2) as (port, _):
        came = await fired(port, asked(range(30)))
    statuses = [answer.status for answer in came.answers]
    assert len(statuses) == 30
    assert statuses.count(201) > statuses.count(UNANSWERED) == came.failed(201) > 0


async def test_no_request_is_begun_when_the_time_is_over() -> None:
    async with server(hang_up_after=1000) as (port, heard):
        came = await fired(port, asked(range(30)), seconds=0.0)
    assert came.answers == ()
    assert heard == []
