"""What one fault has for itself: servers, a Telegram and a supplier of the sandbox, and desks."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp
import asyncpg

from bench.faults.kit.chat import Chats
from bench.faults.kit.desk import Desk
from bench.faults.kit.front import Front
from bench.faults.kit.ground import HOST, Ground
from bench.faults.kit.machine import pid_in, processes_of, send
from bench.faults.kit.meter import Call
from bench.faults.kit.shop import Shop
from bench.faults.kit.town import MCH_ID, OPS, Town, telegram_world
from bot import world
from bot.embedded import EmbeddedPostgres, EmbeddedValkey
from bot.neighbours import Neighbour

OWNER: Final = world.USERS[0].id
_CONNECTIONS: Final = 0  # as many as it takes: the driver must not be what is measured


class Site:
    """Made by `site`."""

    def __init__(self, ground: Ground, home: Path, http: aiohttp.ClientSession) -> None:
        self.ground = ground
        self.home = home
        self.http = http
        self.postgres = EmbeddedPostgres(home)
        self.valkey = EmbeddedValkey(home)
        self.desks: list[Desk] = []
        self.front = Front(self.desks, http)
        self._neighbours = [
            (Neighbour("sandbox.telegram", home / "log" / "telegram.log"), self._telegram()),
            (Neighbour("sandbox.supplier", home / "log" / "supplier.log"), self._supplier()),
        ]
        control = f"{ground.ports.url(ground.ports.telegram + 1)}/{ground.control_token}"
        self.chats = Chats(http, control)

    @property
    def town(self) -> Town:
        return self.ground.town

    def shop(self, desk: Desk | None = None) -> Shop:
        """Merchants who call one desk, or else whatever stands at the public address."""
        ports = self.ground.ports
        return Shop(self.http, self.town, desk.url if desk else ports.url(ports.front))

    async def start_servers(self) -> None:
        """Start PostgreSQL and Valkey, or know those that a desk of this home has started."""
        await asyncio.gather(self.postgres.start(), self.valkey.start())

    def add_desk(self, *, embedded: bool = False) -> Desk:
        """One more desk, not started yet. embedded: it runs its servers itself."""
        place, ports = len(self.desks), self.ground.ports
        settings = {
            "BOT_TOKEN": self.ground.bot_token,
            "MASTER_KEY": self.ground.master_key,
            "PUBLIC_URL": ports.url(ports.front),
            "TELEGRAM_API_BASE": ports.url(ports.telegram),
            "PAYDESK_OWNER_IDS": str(OWNER),
            "ALLOW_PRIVATE_TARGETS": "true",
        }
        if not embedded:
            settings["DATABASE_URL"] = self.postgres.dsn("paydesk_desk")
            settings["REDIS_URL"] = self.valkey.url
        desk = Desk(f"desk-{place}", self.home, ports.desk(place), settings, self.http)
        self.desks.append(desk)
        return desk

    async def warm(self, desk: Desk) -> None:
        """Have a desk take an order of each merchant, one after another: what a process does once
        is no part of what is measured."""
        shop = self.shop(desk)
        for merchant_no in self.town.numbers:
            await shop.create(merchant_no)

    @asynccontextmanager
    async def fronted(self) -> AsyncIterator[None]:
        """The public address, before all desks there are and will be."""
        connector = aiohttp.TCPConnector(limit=_CONNECTIONS, force_close=True)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as http:
            self.front = Front(self.desks, http)
            async with self.front.serving(self.ground.ports.front):
                await self.front.wait_for(*self.desks)
                yield

    @asynccontextmanager
    async def database(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """A session of the database's owner, which has none of the desk's limits."""
        connection = await asyncpg.connect(
            self.postgres.owner_dsn(), server_settings={"default_transaction_read_only": "off"}
        )
        try:
            yield connection
        finally:
            # A transaction that is left open is what some faults are about: none is waited for.
            connection.terminate()

    async def merchant_id(self, merchant_no: str) -> Any:
        async with self.database() as connection:
            return await connection.fetchval(
                "SELECT id FROM merchant WHERE merchant_no = $1", merchant_no
            )

    @property
    def postgres_pid(self) -> int:
        return pid_in(self.home / "postgres" / "postmaster.pid")

    @property
    def valkey_pid(self) -> int:
        return pid_in(self.home / "valkey" / "valkey.pid")

    async def pay(self, created: Call) -> bool:
        """Pay an order as its payer would; whether the supplier took it."""
        url = created.pay_url
        control = (
            f"{self.ground.ports.url(self.ground.ports.supplier + 1)}/{self.ground.control_token}"
        )
        async with self.http.post(f"{control}/pay", json={"url": url}) as answer:
            return answer.status == 200

    async def ops_hear(self, words: str) -> bool:
        """Whether the ops group was told of an alarm with these words."""
        return await self.chats.hears(OPS, words)

    async def start_neighbours(self) -> None:
        for neighbour, config in self._neighbours:
            await neighbour.spawn()
            await neighbour.configure(config)

    async def end(self) -> None:
        """End all that was started, in whatever state it is; a frozen process as well."""
        for desk in self.desks:
            if desk.running:
                send(signal.SIGCONT, desk.processes())
            await desk.kill()
        for neighbour, _ in self._neighbours:
            await neighbour.stop()
        for server, file in (
            (self.postgres, "postgres/postmaster"),
            (self.valkey, "valkey/valkey"),
        ):
            await _end(server, self.home / f"{file}.pid")

    def _telegram(self) -> dict[str, Any]:
        ground = self.ground
        return {
            **self._listening("telegram", ground.ports.telegram),
            "page_token": secrets.token_urlsafe(12),
            "bot": {
                "id": world.BOT_ID,
                "username": world.BOT_USERNAME,
                "first_name": "Paydesk",
                "token": ground.bot_token,
            },
            "world": telegram_world(),
        }

    def _supplier(self) -> dict[str, Any]:
        account = {"mch_id": MCH_ID, "key": self.ground.supplier_key, "name": "Paydesk"}
        return {**self._listening("supplier", self.ground.ports.supplier), "accounts": [account]}

    def _listening(self, name: str, port: int) -> dict[str, Any]:
        return {
            "home": str(self.home / "sandbox" / name),
            "host": HOST,
            "port": port,
            "control_port": port + 1,
            "control_token": self.ground.control_token,
        }


class _Server(Protocol):
    def alive(self) -> bool: ...
    async def stop(self) -> None: ...


async def _end(server: _Server, pid_file: Path) -> None:
    if not server.alive():
        return
    with suppress(OSError, ValueError, IndexError):
        send(signal.SIGCONT, processes_of(pid_in(pid_file)))
    await server.stop()


@asynccontextmanager
async def site(ground: Ground, *, desks: int, embedded: bool = False) -> AsyncIterator[Site]:
    """A site with so many desks that are ready, and a proxy before them; all of it ended after.

    embedded: its servers are run by its first desk.
    """
    home = ground.home / f"site-{secrets.token_hex(3)}"
    async with AsyncExitStack() as stack:
        stack.callback(_forget, home, ground.logs)
        await asyncio.to_thread(ground.copy_to, home)
        connector = aiohttp.TCPConnector(limit=_CONNECTIONS, force_close=True)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        found = Site(ground, home, http)
        stack.push_async_callback(found.end)
        await found.start_neighbours()
        if not embedded:
            await found.start_servers()
        made = [found.add_desk(embedded=embedded) for _ in range(desks)]
        await asyncio.gather(*(desk.start() for desk in made))
        if embedded:
            await found.start_servers()
        await stack.enter_async_context(found.fronted())
        for desk in made:
            await found.warm(desk)
        yield found


def _forget(home: Path, logs: Path | None) -> None:
    if logs is not None:
        shutil.copytree(home / "log", logs / home.name)
    shutil.rmtree(home, ignore_errors=True)
