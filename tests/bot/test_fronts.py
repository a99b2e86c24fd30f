"""Several processes on one port: they share the work, come again, and end together."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bot.fronts import Fronts
from tests.bot.support import Telegram, answer_of
from tests.bot.test_production import STOP_S, Place, command, place, spawn
from tests.conftest import Servers
from tests.core.support import owner
from tests.demo import eventually

__all__ = ["place"]
WORKERS = 2


async def fronts_of(process: asyncio.subprocess.Process) -> set[int]:
    """The processes that it started, by their ids."""
    found = await asyncio.create_subprocess_exec(
        "pgrep", "-P", str(process.pid), "-f", "bot front", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await found.communicate()
    return set(map(int, out.split()))


async def instances(servers: Servers, place: Place) -> int:
    """How many processes of the desk have said that they are there."""
    async with owner(servers, place.database) as connection:
        return int(await connection.fetchval("SELECT count(*) FROM instance"))


@asynccontextmanager
async def desk(place: Place) -> AsyncIterator[asyncio.subprocess.Process]:
    """A desk of several processes, all of which are there."""
    process = await spawn(place.settings, "run", "--workers", str(WORKERS))
    assert process.stdout is not None
    reading = asyncio.create_task(process.stdout.read())

    async def ready() -> bool:
        assert process.returncode is None, (await reading).decode()[-3000:]
        try:
            return (await answer_of(place.admin + "/readyz"))[0] == 200
        except aiohttp.ClientConnectionError:
            return False

    try:
        await eventually(ready, what="the desk is ready", timeout_s=60)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        said = (await reading).decode()
    assert "Traceback" not in said, said


async def test_they_share_the_port_come_again_and_end_together(
    place: Place, servers: Servers, telegram: Telegram
) -> None:
    assert (await command(place.settings, "migrate"))[0] == 0
    async with desk(place) as process:

        async def complete() -> set[int] | None:
            found = await fronts_of(process)
            return found if len(found) == WORKERS - 1 else None

        first = await eventually(complete, what="all processes are there", timeout_s=60)

        async def known() -> bool:
            return await instances(servers, place) == WORKERS

        await eventually(known, what="each says that it is there", timeout_s=60)
        assert first is not None
        victim = min(first)
        os.kill(victim, signal.SIGKILL)

        async def again() -> bool:
            found = await fronts_of(process)
            return victim not in found and len(found) == WORKERS - 1

        await eventually(again, what="another one takes its place", timeout_s=60)
        for _ in range(20):
            assert (await answer_of(place.url + "/healthz"))[0] == 200

        code, said = await command(place.settings, "run", "--workers", str(WORKERS))
        assert code == 2, said
        assert str(place.port + 1) in said, "the admin's port tells a second desk of the first"

        last = await fronts_of(process)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 2 * STOP_S) == 0
        for pid in last:
            assert not alive(pid)


async def test_one_ends_when_nobody_holds_its_stdin(place: Place, servers: Servers) -> None:
    assert (await command(place.settings, "migrate"))[0] == 0
    settings = {**place.settings, "WORKERS": str(WORKERS)}
    process = await spawn(settings, "front", "1", stdin=asyncio.subprocess.PIPE)
    assert process.stdin is not None

    async def known() -> bool:
        return await instances(servers, place) == 1

    await eventually(known, what="it is there", timeout_s=60)
    process.stdin.close()
    out, _ = await asyncio.wait_for(process.communicate(), STOP_S)
    assert process.returncode == 0, out.decode()
    assert b"Traceback" not in out


def starts_of(place: Path, number: int) -> int:
    """How often a front of `script` was started in a place."""
    log = place / f"{number}.log"
    return len(log.read_text(encoding="utf-8").split()) if log.exists() else 0


def script(place: Path, body: str) -> tuple[str, str]:
    """A front that writes its id into a log, and then does something."""
    path = place / "front.sh"
    path.write_text(f'echo $$ >> "{place}/$1.log"\n{body}\n', encoding="utf-8")
    return "/bin/sh", str(path)


@asynccontextmanager
async def kept(fronts: Fronts) -> AsyncIterator[None]:
    """Fronts that are started and looked after."""
    await fronts.start()
    keeping = asyncio.create_task(fronts.keep())
    try:
        yield
        assert not keeping.done(), keeping.exception()
    finally:
        keeping.cancel()
        await fronts.stop()


async def test_one_that_ends_again_and_again_holds_up_no_other(tmp_path: Path) -> None:
    command = script(tmp_path, '[ "$1" = 1 ] || exec cat')
    async with kept(Fronts(2, {}, command)):

        async def rests() -> bool:
            return starts_of(tmp_path, 1) >= 4 and starts_of(tmp_path, 2) == 1

        await eventually(rests, what="the first one rests for seconds", timeout_s=30)
        tried = starts_of(tmp_path, 1)
        os.kill(int((tmp_path / "2.log").read_text(encoding="utf-8")), signal.SIGKILL)

        async def again() -> bool:
            return starts_of(tmp_path, 2) == 2

        await eventually(again, what="the second one is there again", timeout_s=30)
        assert starts_of(tmp_path, 1) == tried


async def test_one_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    program = tmp_path / "front"
    async with kept(Fronts(1, {}, (str(program),))):
        program.write_text(f'#!/bin/sh\necho $$ >> "{tmp_path}/$1.log"\nexec cat\n')
        program.chmod(0o755)

        async def there() -> bool:
            return starts_of(tmp_path, 1) == 1

        await eventually(there, what="it is there", timeout_s=30)


async def test_several_need_a_port(place: Place) -> None:
    settings = {**place.settings, "PORT": "0"}
    code, said = await command(settings, "run", "--workers", "2")
    assert (code, "PORT" in said) == (2, True), said


def alive(pid: int) -> bool:
    """Whether a process is there, and no mere entry that nobody has asked for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
