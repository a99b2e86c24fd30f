"""What all desks of a run start from: a filled database, made once and copied for each."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.faults.kit.town import Town, settle
from bot import world
from bot.embedded import EmbeddedPostgres, EmbeddedValkey
from bot.process import free_ports
from core.runtime import Connections, build
from core.system.migrate import migrate

HOST: Final = "127.0.0.1"
_PORTS: Final = 10
_DATA: Final = "postgres"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything of a site listens: neighbouring ports, the same ones for every site."""

    first: int

    @property
    def front(self) -> int:
        return self.first

    def desk(self, place: int) -> int:
        """The public port of the desk at this place (0 or 1); its admin listener is on the next."""
        return self.first + 1 + 2 * place

    @property
    def telegram(self) -> int:
        """The control listener of each neighbour is on the next."""
        return self.first + 5

    @property
    def supplier(self) -> int:
        return self.first + 7

    def url(self, port: int) -> str:
        return f"http://{HOST}:{port}"


@dataclass(frozen=True, slots=True)
class Ground:
    """home: where the filled database is, and every site makes its own folder. logs: where its logs
    are kept, if anywhere. Secrets of a run are worth nothing elsewhere."""

    home: Path
    ports: Ports
    town: Town
    master_key: str
    bot_token: str
    supplier_key: str
    control_token: str
    logs: Path | None

    @classmethod
    @asynccontextmanager
    async def made(
        cls, home: Path, *, port: int = 0, logs: Path | None = None
    ) -> AsyncIterator[Ground]:
        """Fill a database once; forgotten at the end. port: the first of ten, 0 for free ones."""
        ports = Ports(port or free_ports(HOST, _PORTS))
        master_key = b64encode(secrets.token_bytes(32)).decode()
        supplier_key = secrets.token_hex(16)
        plain = home / "plain"
        town = await _fill(plain, ports, master_key, supplier_key)
        try:
            yield cls(
                home,
                ports,
                town,
                master_key,
                f"{world.BOT_ID}:{secrets.token_hex(20)[:35]}",
                supplier_key,
                secrets.token_urlsafe(24),
                logs,
            )
        finally:
            shutil.rmtree(plain, ignore_errors=True)

    def copy_to(self, home: Path) -> None:
        """Put the filled database into a home of its own."""
        home.mkdir(mode=0o700)
        shutil.copytree(self.home / "plain" / _DATA, home / _DATA, symlinks=True)


async def _fill(home: Path, ports: Ports, master_key: str, supplier_key: str) -> Town:
    postgres, valkey = EmbeddedPostgres(home), EmbeddedValkey(home)
    await asyncio.gather(postgres.start(), valkey.start())
    try:
        today = datetime.now(UTC).date()
        await migrate(postgres.owner_dsn(), kind="production", today=today)
        runtime = await build(
            Connections(postgres.dsn("paydesk_desk"), valkey.url),
            master_key=master_key,
            public_url=ports.url(ports.front),
            allow_private_targets=True,
        )
        try:
            return await settle(runtime, ports.url(ports.supplier), supplier_key)
        finally:
            await runtime.close()
    finally:
        await asyncio.gather(postgres.stop(), valkey.stop())
