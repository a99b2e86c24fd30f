"""Two ports of one process that has few files: `python -m tests.bot.crowded` prints them."""

from __future__ import annotations

import asyncio
import resource
import sys

from aiohttp import web

from bot.listener import Listener, raise_file_limit

FILES = 300


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="alive")


async def main() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    raise_file_limit()
    listeners = []
    for _ in range(2):
        app = web.Application()
        app.router.add_get("/", _alive)
        listener = Listener(app, "127.0.0.1", 0)
        await listener.start()
        listeners.append(listener)
    ports = [str(listener.addresses[0][1]) for listener in listeners]
    sys.stdout.write(" ".join(ports) + "\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for listener in listeners:
        await listener.stop()


if __name__ == "__main__":
    asyncio.run(main())
