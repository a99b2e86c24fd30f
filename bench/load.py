"""The load generator: requests that are ready as bytes, sent over so many kept connections.

It runs in a process of its own and does as little as it can, because it shares the machine with
what it measures.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import uvloop

HOST: Final = "127.0.0.1"
# Longer than anything may take that is still called an answer.
PATIENCE_S: Final = 15.0
UNANSWERED: Final = 0
_LENGTH: Final = b"content-length:"
_BODY_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Volley:
    """Requests for one port. No request is begun after `seconds`."""

    port: int
    connections: int
    seconds: float
    requests: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """place: of its request among those of the volley. took_s: from its first byte out to its last
    byte in. status: UNANSWERED where none came."""

    place: int
    status: int
    took_s: float
    body: bytes


@dataclass(frozen=True, slots=True)
class Volleyed:
    """What came of it. wall_s: from the first request to the last answer."""

    answers: tuple[Answer, ...]
    wall_s: float

    def failed(self, *good: int) -> int:
        """How many have another status than these."""
        return sum(answer.status not in good for answer in self.answers)


def fire(volley: Volley) -> Volleyed:
    """Send it all, each connection one request after another."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_fire(volley))


async def _fire(volley: Volley) -> Volleyed:
    waiting = iter(enumerate(volley.requests))
    answers: list[Answer] = []
    began_s = time.perf_counter()
    ends_s = began_s + volley.seconds
    async with asyncio.TaskGroup() as group:
        for _ in range(volley.connections):
            group.create_task(_caller(volley.port, waiting, ends_s, answers))
    return Volleyed(tuple(answers), time.perf_counter() - began_s)


async def _caller(
    port: int, waiting: Iterator[tuple[int, bytes]], ends_s: float, answers: list[Answer]
) -> None:
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    while time.perf_counter() < ends_s and (one := next(waiting, None)) is not None:
        place, request = one
        began_s = time.perf_counter()
        status, body = UNANSWERED, b""
        try:
            async with asyncio.timeout(PATIENCE_S):
                if connection is None:
                    connection = await asyncio.open_connection(HOST, port, limit=_BODY_BYTES)
                reader, writer = connection
                writer.write(request)
                status, body = await _read(reader)
        except (OSError, EOFError, TimeoutError, ValueError):
            if connection is not None:
                connection[1].close()
                connection = None
        answers.append(Answer(place, status, time.perf_counter() - began_s, body))
    if connection is not None:
        connection[1].close()


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """A status and a body, of an answer that says how long it is."""
    head = await reader.readuntil(b"\r\n\r\n")
    place = head.lower().index(_LENGTH) + len(_LENGTH)
    length = int(head[place : head.index(b"\r\n", place)])
    return int(head[9:12]), await reader.readexactly(length)
