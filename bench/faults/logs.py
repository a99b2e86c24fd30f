"""The log cannot be written: its disk is full, its pipe is closed, or nobody reads its pipe."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import aiohttp

from bench.faults.kit import Desk, NotSo, Row, Site, share, until

# Ops is told by the next beat of the desk, which comes every 20 s.
TOLD_S: Final = 30.0
END_BAR_S: Final = 20.0
TOLD: Final = "One host cannot write its log"
LOST: Final = "paydesk_log_lines_lost"
_DISK: Final = "size=64k"
_AT_ONCE: Final = 50
_PACE_S: Final = 0.25


async def disk_full(place: Site, *, creates: int = 20) -> list[Row]:
    with _full_disk() as (descriptor, what):
        return await _unwritable(place, "log: disk full", what, descriptor, creates)


async def pipe_closed(place: Site, *, creates: int = 20, told_s: float = TOLD_S) -> list[Row]:
    """told_s: so long is waited until ops is told; 0 where nobody waits for that."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        what = "whoever read the log's pipe is gone"
        return await _unwritable(place, "log: pipe closed", what, writer, creates, told_s=told_s)
    finally:
        os.close(writer)


async def pipe_unread(place: Site, *, creates: int = 20, junk: int = 10_500) -> list[Row]:
    """junk: requests for nothing, a line each, until more lines wait than may."""
    reader, writer = os.pipe()
    try:
        _fill(writer)
        what = f"nobody reads the log's pipe; {junk} requests for nothing besides"
        return await _unwritable(place, "log: pipe unread", what, writer, creates, junk=junk)
    finally:
        os.close(reader)
        os.close(writer)


async def _unwritable(
    place: Site,
    fault: str,
    what: str,
    descriptor: int,
    creates: int,
    *,
    junk: int = 0,
    told_s: float = TOLD_S,
) -> list[Row]:
    desk = await place.add_desk().start(stderr=descriptor, DRAIN_NOTICE_S="0")
    await place.warm(desk)
    meter = await place.shop(desk).creates(creates, _PACE_S, place.town.numbers)
    done = f"{creates} creates while {what}"
    rows = [
        Row(fault, done, f"{meter.answers()}; {meter.times()}",
            f"{share(creates, creates)} are 201", meter.count(201) == creates)
    ]  # fmt: skip
    await _junk(place, desk, junk)
    rows.append(await _counted(place, desk, fault, done, told_s))
    rows.append(await _ended(desk, fault))
    return rows


async def _counted(place: Site, desk: Desk, fault: str, done: str, told_s: float) -> Row:
    lost = await desk.figure(LOST)
    measured = f"{lost:.0f} lines counted as lost"
    if not told_s:
        return Row(fault, done, measured, "lost lines are counted", lost > 0)
    try:
        await until(lambda: place.ops_hear(TOLD), what="ops is told", within_s=told_s)
        told = True
    except NotSo:
        told = False
    measured += f"; ops {'was' if told else 'was not'} told"
    return Row(fault, done, measured, "lost lines are counted and alarmed", told and lost > 0)


async def _ended(desk: Desk, fault: str) -> Row:
    bar = f"ends with code 0 in ≤ {END_BAR_S:.0f} s"
    try:
        took_s = await desk.terminate()
    except NotSo as error:
        return Row(fault, "SIGTERM then", str(error), bar, ok=False)
    measured = f"it ended in {took_s:.1f} s"
    return Row(fault, "SIGTERM then", measured, bar, took_s <= END_BAR_S)


async def _junk(place: Site, desk: Desk, requests: int) -> None:
    async def some(count: int) -> None:
        for _ in range(count):
            with suppress(aiohttp.ClientError, TimeoutError):
                async with place.http.get(f"{desk.url}/nowhere") as answer:
                    await answer.read()

    await asyncio.gather(*(some(requests // _AT_ONCE) for _ in range(_AT_ONCE)))


@contextmanager
def _full_disk() -> Iterator[tuple[int, str]]:
    """A descriptor of a file on a disk without room, and what it is: a small disk of its own where
    this user may mount one, else the device that is always full."""
    folder = Path(tempfile.mkdtemp(prefix="paydesk-full-"))
    mounted = _run("mount", "-t", "tmpfs", "-o", _DISK, "paydesk-full", str(folder))
    file = folder / "desk.log" if mounted else Path("/dev/full")
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if mounted:
            with suppress(OSError), (folder / "rest").open("wb", buffering=0) as rest:
                while True:  # a small disk: it is full after a few pages
                    rest.write(bytes(4096))
        yield descriptor, f"the log's disk ({'a tmpfs' if mounted else file}) is full"
    finally:
        os.close(descriptor)
        if mounted:
            _run("umount", "--lazy", str(folder))
        folder.rmdir()


def _fill(writer: int) -> None:
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:  # a pipe holds some pages
            os.write(writer, b"." * 4096)
    os.set_blocking(writer, True)


def _run(*words: str) -> bool:
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
