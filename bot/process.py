"""What a process of the desk needs of the machine: ports, and the word to stop."""

from __future__ import annotations

import asyncio
import gc
import random
import signal
import socket
from collections.abc import Coroutine
from typing import Any, NoReturn


class PortTaken(Exception):
    """A port the desk is to listen on belongs to somebody else."""


def free_ports(host: str, count: int) -> int:
    """The first of `count` neighbouring ports that are all free right now, below 32768 where
    outgoing sockets do not take them away. Raises PortTaken."""
    for first in random.sample(range(20_000, 32_000, 10), 200):
        if all(_is_free(host, port) for port in range(first, first + count)):
            return first
    raise PortTaken(f"no {count} neighbouring ports between 20000 and 32000 are free on {host}")


def keep_what_is_there() -> None:
    """Say that everything in memory stays for good: for when a process has started.

    Without that every full collection looks at all modules and models again and stops all loops
    for a tenth of a second; an export makes enough rows for several of them.
    """
    gc.collect()
    gc.freeze()


async def until_told_to_stop(*watches: Coroutine[Any, Any, NoReturn]) -> None:
    """Wait for SIGTERM or SIGINT. What a watch raises ends the waiting, and is raised."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    tasks: list[asyncio.Task[Any]] = [asyncio.create_task(watch) for watch in watches]
    tasks.append(asyncio.create_task(told.wait()))
    done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    for task in done:
        task.result()


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
