"""What a process needs of the machine: ports, and the word to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import NoReturn

import pytest

from bot.process import free_ports, until_told_to_stop

HOST = "127.0.0.1"


def test_free_ports_are_neighbours_that_can_be_listened_on() -> None:
    first = free_ports(HOST, 5)
    assert 20_000 <= first < 32_000
    for port in range(first, first + 5):
        with socket.socket() as listener:
            listener.bind((HOST, port))


def test_a_port_in_use_is_not_free() -> None:
    first = free_ports(HOST, 1)
    with socket.socket() as taken:
        taken.bind((HOST, first))
        taken.listen()
        found = {free_ports(HOST, 1) for _ in range(300)}
    assert first not in found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_when_told(number: signal.Signals) -> None:
    waiting = asyncio.create_task(until_told_to_stop())
    await asyncio.sleep(0)  # it listens
    assert not waiting.done()
    os.kill(os.getpid(), number)
    await asyncio.wait_for(waiting, 10)
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(each)
    signal.signal(signal.SIGINT, signal.default_int_handler)


async def test_a_watch_that_gives_up_ends_it() -> None:
    cancelled = asyncio.Event()

    async def gives_up() -> NoReturn:
        raise ZeroDivisionError

    async def goes_on() -> NoReturn:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(until_told_to_stop(goes_on(), gives_up()), 10)
    assert cancelled.is_set()
