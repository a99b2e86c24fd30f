"""A production desk: its settings, its servers (given or embedded), its first owners."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bot.embedded import EmbeddedPostgres, EmbeddedValkey, HomeInUse, HomeLock, Server, keep_running
from bot.fronts import Front, Fronts, until_abandoned
from bot.logs import set_up_logs
from bot.process import keep_what_is_there, until_told_to_stop
from core.kernel.errors import WrongDatabase
from core.runtime import Connections, Runtime, build
from core.system.migrate import migrate
from core.system.pool import PoolSizes
from core.system.settings import Settings, SettingsError

_NEEDED: Final = {
    "bot_token": "the bot's token from @BotFather",
    "public_url": "the https:// address under which the desk is reached from outside",
    "master_key": "base64 of 32 bytes; make one with: openssl rand -base64 32",
}


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses of the database (as the desk, and as its owner where known) and of Redis.

    ours: the embedded ones that this process started, and has to keep running.
    """

    database_url: str
    owner_url: str | None
    redis_url: str
    ours: tuple[Server, ...]


@asynccontextmanager
async def servers_of(settings: Settings) -> AsyncIterator[Servers]:
    """The servers the settings name; where they name none, the embedded ones of the home.

    Embedded servers that a running desk of the same home has are shared and left running;
    otherwise they are started here and stopped at the end.
    """
    home = settings.paydesk_home
    started: list[Server] = []
    async with AsyncExitStack() as stack:
        embedded = settings.database_url is None or settings.redis_url is None
        ours = embedded and _hold(stack, home)
        if settings.database_url is not None:
            database_url = settings.database_url.get_secret_value()
            owner = settings.database_owner_url
            owner_url = owner.get_secret_value() if owner else None
        else:
            bin_dir = os.environ.get("PAYDESK_POSTGRES_BIN")
            postgres = EmbeddedPostgres(home, bin_dir=Path(bin_dir) if bin_dir else None)
            await postgres.start()
            if ours:
                stack.push_async_callback(postgres.stop)
                started.append(postgres)
            database_url, owner_url = postgres.dsn("paydesk_desk"), postgres.owner_dsn()
        if settings.redis_url is not None:
            redis_url = settings.redis_url.get_secret_value()
        else:
            valkey = EmbeddedValkey(home)
            await valkey.start()
            if ours:
                stack.push_async_callback(valkey.stop)
                started.append(valkey)
            redis_url = valkey.url
        yield Servers(database_url, owner_url, redis_url, tuple(started))


def _hold(stack: AsyncExitStack, home: Path) -> bool:
    try:
        stack.enter_context(HomeLock(home))
    except HomeInUse:
        return False
    return True


async def run_production(settings: Settings) -> None:
    """Run a production desk until told to stop.

    Raises SettingsError, WrongDatabase, ConnectionError, PortTaken, EmbeddedError.
    """
    # Commands that only look into the books need not wait for this import.
    from bot.app import Desk

    public_url, master_key = _needed(settings)
    logs = set_up_logs(settings.log_level)
    async with servers_of(settings) as servers:
        if servers.owner_url is not None:
            await migrate(servers.owner_url, kind="production", today=datetime.now(UTC).date())
        name = f"{socket.gethostname()}:{settings.port}"
        runtime = await _built(settings, servers, (public_url, master_key), name)
        try:
            await _employ_owners(runtime, settings)
        except BaseException:
            await runtime.close()
            raise
        desk = Desk(settings, runtime, master_key=master_key, logs=logs)
        fronts = Fronts(settings.workers - 1, _told(settings, servers))
        try:
            await desk.start()
            await fronts.start()
            keep_what_is_there()
            await until_told_to_stop(fronts.keep(), *map(keep_running, servers.ours))
        finally:
            # Fronts go last: whoever asks /readyz hears of it before any port closes.
            try:
                await desk.stop()
            finally:
                await fronts.stop()


async def run_front(settings: Settings, place: int) -> None:
    """Serve the desk's port beside the process that started this one, until that ends it. place:
    which of the further processes it is.

    Raises SettingsError, WrongDatabase, ConnectionError, PortTaken.
    """
    public_url, master_key = _needed(settings)
    set_up_logs(settings.log_level)
    async with servers_of(settings) as servers:
        name = f"{socket.gethostname()}:{settings.port}/{place}"
        runtime = await _built(settings, servers, (public_url, master_key), name)
        front = Front(settings, runtime, master_key=master_key)
        try:
            await front.start()
            keep_what_is_there()
            with suppress(EOFError):
                await until_told_to_stop(until_abandoned())
        finally:
            await front.stop()


async def _built(
    settings: Settings, servers: Servers, needed: tuple[str, str], name: str
) -> Runtime:
    """The business on these servers. needed: as `_needed` found them. name: of this instance.
    Raises WrongDatabase for a demo's, ConnectionError."""
    proxy, (public_url, master_key) = settings.outbound_proxy, needed
    pool = PoolSizes(settings.database_front_max, settings.database_loops_max)
    runtime = await build(
        Connections(servers.database_url, servers.redis_url, pool=pool),
        master_key=master_key,
        public_url=public_url,
        allow_private_targets=settings.allow_private_targets,
        outbound_proxy=proxy.get_secret_value() if proxy else None,
        instance_name=name,
    )
    if runtime.system.demo:
        await runtime.close()
        raise WrongDatabase(
            "this database is marked demo for ever and cannot serve a production desk; "
            "use another database"
        )
    return runtime


def _told(settings: Settings, servers: Servers) -> dict[str, str]:
    """What further processes are told beside their environment."""
    return {
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "WORKERS": str(settings.workers),
    }


async def _employ_owners(runtime: Runtime, settings: Settings) -> None:
    for user_id in settings.paydesk_owner_ids:
        if await runtime.people.people.find(user_id) is None:
            await runtime.people.people.employ(user_id, f"Owner {user_id}", "owner")
    if not await runtime.people.people.owners():
        raise SettingsError(
            "PAYDESK_OWNER_IDS: nobody owns this desk yet (expected: numeric Telegram ids of the "
            "first owners, with commas)"
        )


def _needed(settings: Settings) -> tuple[str, str]:
    missing = [
        f"{name.upper()}: is missing (expected: {what})"
        for name, what in _NEEDED.items()
        if getattr(settings, name) is None
    ]
    if settings.public_url is not None and not _reachable_safely(settings.public_url):
        missing.append("PUBLIC_URL: Telegram and suppliers call https:// addresses only")
    if settings.workers > 1 and settings.port == 0:
        missing.append("PORT: several WORKERS share one port, which has to be said")
    if missing or settings.public_url is None or settings.master_key is None:
        raise SettingsError("\n".join(missing))
    return settings.public_url, settings.master_key.get_secret_value()


def _reachable_safely(url: str) -> bool:
    """https, or plain http to this very machine, where a Bot API server of one's own may be."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"
