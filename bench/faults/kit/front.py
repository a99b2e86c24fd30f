"""A tiny proxy before the desks: in turn, those that say they are ready. It repeats nothing, so
what a desk refuses is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Final

import aiohttp
from aiohttp import web

from bench.faults.kit.desk import Desk
from bench.faults.kit.ground import HOST
from bench.faults.kit.waits import until

# So often is each desk asked whether it is ready: well within the notice it gives before it ends.
LOOK_S: Final = 0.5
_READY_S: Final = 20.0
_DROPPED: Final = frozenset({"connection", "content-length", "host", "transfer-encoding"})


class Front:
    """What is between the outside and the desks. desks: more may be added meanwhile."""

    def __init__(self, desks: Sequence[Desk], http: aiohttp.ClientSession) -> None:
        self._desks = desks
        self._http = http
        self._ready: list[Desk] = []
        self._turns = count()

    @property
    def ready(self) -> list[Desk]:
        """The desks that get requests now."""
        return list(self._ready)

    async def wait_for(self, *desks: Desk) -> None:
        """Until all of these get requests. Raises NotSo."""

        async def look() -> bool:
            return set(desks) <= set(self._ready)

        await until(look, what="the desks get requests", within_s=_READY_S)

    @asynccontextmanager
    async def serving(self, port: int) -> AsyncIterator[Front]:
        app = web.Application(client_max_size=2**20)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        looking = asyncio.create_task(self._look())
        try:
            await web.TCPSite(runner, HOST, port, reuse_address=True).start()
            yield self
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            await runner.cleanup()

    async def _look(self) -> None:
        while True:
            await asyncio.gather(*map(self._ask, self._desks), asyncio.sleep(LOOK_S))

    async def _ask(self, desk: Desk) -> None:
        status, _ = await desk.readiness()
        if status == 200 and desk not in self._ready:
            self._ready.append(desk)
        elif status != 200 and desk in self._ready:
            self._ready.remove(desk)

    async def _pass_on(self, request: web.Request) -> web.Response:
        ready = self.ready
        if not ready:
            return web.json_response({"error": "no desk is ready"}, status=502)
        desk = ready[next(self._turns) % len(ready)]
        kept = {k: v for k, v in request.headers.items() if k.lower() not in _DROPPED}
        try:
            async with self._http.request(
                request.method,
                desk.url + request.path_qs,
                headers=kept,
                data=await request.read(),
                allow_redirects=False,
            ) as answer:
                headers = {k: v for k, v in answer.headers.items() if k.lower() not in _DROPPED}
                return web.Response(status=answer.status, body=await answer.read(), headers=headers)
        except (aiohttp.ClientError, OSError) as error:
            return web.json_response({"error": repr(error)}, status=502)
