"""Runs localstripe for a test: on 127.0.0.1 alone, on a free port, until standard input ends.

Its own start-up code listens on every interface and keeps what it knows in one file under /tmp,
which every other run would share. Started here, its application does neither; the rest is as it
is. (A network of its own would hide it from the gateway and from where its webhooks go.)
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web
from localstripe.resources import Store
from localstripe.server import app


def keep_in_memory(_: Store) -> None:
    """Instead of writing the file."""


async def serve() -> None:
    """Listens, prints the port, and ends with whoever started it."""
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    Store.dump_to_disk = keep_in_memory
    asyncio.run(serve())
