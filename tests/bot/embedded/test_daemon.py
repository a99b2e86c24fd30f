"""Starts that are broken off, and servers that hang: nothing is waited for without an end."""

from __future__ import annotations

import asyncio
import shutil
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.embedded import EmbeddedValkey
from bot.embedded.daemon import Command, Daemon
from bot.embedded.identity import Identity
from tests.bot.embedded.desks import run_desk, until

SOON_S = 10.0


class Sleeper:
    """A server that never says that it is ready. It is prepared when `may_prepare` is set."""

    def __init__(self, home: Path) -> None:
        self.daemon = Daemon("Sleeper", home, home / "sleeper.pid")
        self.preparing = threading.Event()
        self.may_prepare = threading.Event()
        self.asked = asyncio.Event()

    async def start(self) -> None:
        await self.daemon.start(self._prepare, self._ready)

    async def stop(self) -> None:
        async with asyncio.timeout(SOON_S):
            await self.daemon.stop(signal.SIGTERM, signal.SIGKILL)

    def _prepare(self, _lock_fd: int) -> Command:
        self.preparing.set()
        assert self.may_prepare.wait(SOON_S)
        return Command(["sleep", "30"], Identity(), {})

    async def _ready(self) -> bool:
        self.asked.set()
        return False


async def cut_off(start: asyncio.Task[None]) -> None:
    start.cancel()
    await asyncio.wait([start])


async def test_a_start_that_is_cut_off_while_it_prepares_leaves_nothing(home: Path) -> None:
    sleeper = Sleeper(home)
    start = asyncio.create_task(sleeper.start())
    await asyncio.to_thread(sleeper.preparing.wait, SOON_S)
    await cut_off(start)
    stop = asyncio.create_task(sleeper.stop())
    sleeper.may_prepare.set()
    await stop
    assert not sleeper.daemon.alive()


async def test_a_start_that_is_cut_off_while_it_waits_leaves_nothing(home: Path) -> None:
    sleeper = Sleeper(home)
    sleeper.may_prepare.set()
    start = asyncio.create_task(sleeper.start())
    await sleeper.asked.wait()
    await cut_off(start)
    await sleeper.stop()
    assert not sleeper.daemon.alive()


@pytest.mark.parametrize("is_cut_off", [False, True])
async def test_a_start_whose_thread_has_not_begun_leaves_nothing(
    home: Path, is_cut_off: bool
) -> None:
    """A start beside it failed, or all of them were cut off."""

    async def only_thread_is_busy() -> bool:
        sleeper, busy = Sleeper(home), threading.Event()
        sleeper.may_prepare.set()
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=1))
        held = asyncio.create_task(asyncio.to_thread(busy.wait, SOON_S))
        start = asyncio.create_task(sleeper.start())
        await asyncio.sleep(0)  # both have asked for a thread
        if is_cut_off:
            await cut_off(start)
        stop = asyncio.create_task(sleeper.stop())
        await asyncio.sleep(0)
        busy.set()
        await asyncio.gather(held, stop)
        await asyncio.wait([start])
        return sleeper.daemon.alive()

    # In a loop of its own, whose threads are its own.
    assert not await asyncio.to_thread(asyncio.run, only_thread_is_busy())


async def test_a_server_whose_home_is_gone_ends_all_the_same(home: Path) -> None:
    valkey = EmbeddedValkey(home)
    await valkey.start()
    pid = int((home / "valkey" / "valkey.pid").read_text())
    shutil.rmtree(home)
    async with asyncio.timeout(SOON_S):
        await valkey.stop()
    assert not Path(f"/proc/{pid}").exists()


async def test_a_server_that_takes_a_call_and_says_nothing_is_asked_again(home: Path) -> None:
    left_running, valkey = EmbeddedValkey(home), EmbeddedValkey(home)
    await left_running.start()
    assert left_running.socket_dir is not None
    socket = left_running.socket_dir / "valkey.sock"
    socket.unlink()
    calls = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            await reader.read()  # until the caller gives up
        else:
            writer.write(b"+PONG\r\n")
        writer.close()

    async with await asyncio.start_unix_server(answer, socket):
        async with asyncio.timeout(SOON_S):
            await valkey.start()
    assert calls == 2
    await left_running.stop()


@pytest.mark.parametrize("moment", ["valkey.lock", "valkey/*.pid"])
async def test_a_starter_of_valkey_killed_half_way_is_followed_by_a_good_start(
    home: Path, moment: str
) -> None:
    async with run_desk(home, "stay") as desk:
        await until(lambda: bool(list(home.glob(moment))) or desk.returncode is not None)
        assert desk.returncode is None
    valkey = EmbeddedValkey(home)
    async with asyncio.timeout(SOON_S):
        await valkey.start()
        await valkey.stop()
