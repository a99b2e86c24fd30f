"""Where it is measured: servers with durability on, a desk, a bare handler, a load generator, and
everybody whom the desk calls. Each is a process of its own, and all of it ends with the bench."""

from __future__ import annotations

import asyncio
import multiprocessing
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiohttp
import asyncpg

from bench import bare, peers
from bench.faults.kit import Desk
from bench.faults.kit.machine import pid_in
from bench.figures import Round
from bench.helper import Helper, helping
from bench.load import HOST, Volley, Volleyed, fire
from bench.processor import cpu_s
from bench.town import OWNER_ID, Town, settle
from bot import world
from bot.embedded import EmbeddedPostgres, EmbeddedValkey
from bot.process import free_ports
from core.runtime import Connections, build
from core.system.migrate import migrate

_PORTS: Final = 2  # of a desk: its own, and its admin's
_COMMAND_GOOD: Final = 0


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured. seconds: of one side of one round. items: of a round that is counted
    in items. small: a town of a tenth. orders: of the past that a town grows. minutes: for which a
    desk works until its memory is told."""

    rounds: int
    seconds: float
    items: int
    small: bool = False
    orders: int = 0
    minutes: float = 0.0


WHOLE: Final = Size(rounds=5, seconds=3.0, items=600, orders=1_000_000, minutes=5.0)
QUICK: Final = Size(rounds=3, seconds=0.7, items=100, orders=20_000, minutes=0.2)


class BooksDiffer(Exception):
    """The books are not what they say. The message is what verify-books said."""


class Place:
    """Made by `place`."""

    def __init__(
        self,
        home: Path,
        size: Size,
        postgres: EmbeddedPostgres,
        settings: dict[str, str],
        others: tuple[Helper, Helper],
        town: Town,
    ) -> None:
        self.home = home
        self.size = size
        self.postgres = postgres
        self.settings = settings
        self.peers, self.bare = others
        self.town = town

    @property
    def postgres_pid(self) -> int:
        return pid_in(self.home / "postgres" / "postmaster.pid")


class Measures:
    """The desk beside the bare handler, at one place."""

    def __init__(
        self,
        place: Place,
        desk: Desk,
        generator: ProcessPoolExecutor,
        connection: asyncpg.Connection[asyncpg.Record],
    ) -> None:
        self.place = place
        self.desk = desk
        self.database = connection
        self._generator = generator

    @property
    def town(self) -> Town:
        return self.place.town

    @property
    def size(self) -> Size:
        return self.place.size

    @property
    def desk_port(self) -> int:
        return int(self.desk.url.rpartition(":")[2])

    @property
    def bare_port(self) -> int:
        return int(self.place.bare.said)

    async def fire(
        self, port: int, requests: Sequence[bytes], connections: int, seconds: float
    ) -> Volleyed:
        """Have the load generator send these."""
        volley = Volley(port, connections, seconds, tuple(requests))
        return await asyncio.get_running_loop().run_in_executor(self._generator, fire, volley)

    async def round(
        self, pid: int, port: int, requests: Sequence[bytes], connections: int, good: int
    ) -> tuple[Round, Volleyed]:
        """One side of one round: as many of the requests as fit into the seconds."""
        before = self.cpu(pid)
        came = await self.fire(port, requests, connections, self.size.seconds)
        after = self.cpu(pid)
        return Round(
            len(came.answers),
            came.failed(good),
            came.wall_s,
            tuple(answer.took_s for answer in came.answers),
            after[0] - before[0],
            after[1] - before[1],
        ), came

    def cpu(self, pid: int) -> tuple[float, float]:
        """Processor seconds of a process and of PostgreSQL, so far."""
        return cpu_s(pid), cpu_s(self.place.postgres_pid)

    async def ask_nobody(self) -> None:
        """What was done before left orders that nobody pays. Suppliers would be asked about them
        meanwhile, and that work is no part of what is measured now."""
        await self.database.execute("UPDATE attempt SET ask_at = NULL WHERE ask_at IS NOT NULL")

    async def verify(self) -> None:
        """Re-add the books. Raises BooksDiffer."""
        code, said = await self.desk.command("verify-books", "--all")
        if code != _COMMAND_GOOD:
            raise BooksDiffer(said)


@asynccontextmanager
async def place(home: Path, size: Size) -> AsyncIterator[Place]:
    """Everything but a desk, filled and ready."""
    async with AsyncExitStack() as stack:
        postgres, valkey = EmbeddedPostgres(home), EmbeddedValkey(home)
        await asyncio.gather(postgres.start(), valkey.start())
        stack.push_async_callback(postgres.stop)
        stack.push_async_callback(valkey.stop)
        around = await stack.enter_async_context(helping(peers.serve))
        settings = {
            "DATABASE_URL": postgres.dsn("paydesk_desk"),
            "REDIS_URL": valkey.url,
            "BOT_TOKEN": f"{world.BOT_ID}:{secrets.token_hex(20)[:35]}",
            "MASTER_KEY": b64encode(secrets.token_bytes(32)).decode(),
            "PAYDESK_OWNER_IDS": str(OWNER_ID),
            "TELEGRAM_API_BASE": f"http://{HOST}:{around.said[0]}",
            "ALLOW_PRIVATE_TARGETS": "true",
            "DRAIN_NOTICE_S": "0",
        }
        town = await _fill(postgres, settings, f"http://{HOST}:{around.said[0]}", size)
        beside = helping(bare.serve, postgres.owner_dsn(), town.secrets)
        yield Place(
            home, size, postgres, settings, (around, await stack.enter_async_context(beside)), town
        )


@asynccontextmanager
async def measures(where: Place, **settings: str) -> AsyncIterator[Measures]:
    """A desk that is ready, and a load generator. settings: beside those it has."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        port = free_ports(HOST, _PORTS)
        public = {"PUBLIC_URL": f"http://{HOST}:{port}"}
        desk = Desk("desk", where.home, port, {**where.settings, **public, **settings}, http)
        stack.push_async_callback(desk.kill)
        await desk.start()
        generator = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        stack.callback(generator.shutdown)
        connection = await asyncpg.connect(
            where.postgres.owner_dsn(), server_settings={"default_transaction_read_only": "off"}
        )
        stack.push_async_callback(connection.close)
        m = Measures(where, desk, generator, connection)
        await m.ask_nobody()
        yield m
        await desk.terminate()


async def _fill(
    postgres: EmbeddedPostgres, settings: dict[str, str], supplier_base: str, size: Size
) -> Town:
    await migrate(postgres.owner_dsn(), kind="production", today=datetime.now(UTC).date())
    runtime = await build(
        Connections(settings["DATABASE_URL"], settings["REDIS_URL"]),
        master_key=settings["MASTER_KEY"],
        public_url=f"http://{HOST}:9",
        allow_private_targets=True,
    )
    try:
        return await settle(runtime, supplier_base, secrets.token_hex(16), small=size.small)
    finally:
        await runtime.close()
