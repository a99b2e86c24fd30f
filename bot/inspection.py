"""Commands that look at a desk from outside: migrate, doctor, verify-books."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from bot.demo import demo_master_key
from bot.doctor import examine
from bot.production import Servers, servers_of
from core.runtime import Connections, Runtime, build
from core.system.migrate import migrate
from core.system.pool import PoolSizes
from core.system.settings import Settings, SettingsError

EXIT_DIFFERENCES: Final = 1
EXIT_ADVICE: Final = 1


async def migrate_production(settings: Settings) -> int:
    """Bring the production database up to date. Raises WrongDatabase for a demo's."""
    async with servers_of(settings) as servers:
        await migrate(
            servers.owner_url or servers.database_url,
            kind="production",
            today=datetime.now(UTC).date(),
        )
    print("the database is up to date")
    return 0


async def verify_books(settings: Settings, *, whole: bool = False) -> int:
    """Re-add the books, print each difference and what was compared; EXIT_DIFFERENCES where there
    are any. whole: also all old days whose turn it is not."""
    async with _business(settings) as runtime:
        verify = runtime.reports.verify
        verified = await (verify.whole() if whole else verify.tonight())
    for difference in verified.differences:
        print(f"DIFFERENCE  {difference}")
    count, night = len(verified.differences), verified.night
    print(
        f"re-added: the open days, {night.new} that are over since,"
        f" {night.again} of {night.known - night.new} that were right before"
    )
    print(f"verify-books: {f'{count} differences' if count else 'no difference'}")
    return EXIT_DIFFERENCES if count else 0


async def doctor(settings: Settings) -> int:
    """Say what is set, what answers, and what to do; EXIT_ADVICE where there is something to do.
    Secrets are never shown."""
    advised = 0
    async with _business(settings) as runtime:
        async for check in examine(settings, runtime):
            print(f"{'!' if check.advice else ' '} {check.name:22} {check.found}")
            if check.advice:
                advised += 1
                print(f"  {'':22} → {check.advice}")
    print(f"doctor: {f'{advised} things to do' if advised else 'all is well'}")
    return EXIT_ADVICE if advised else 0


@asynccontextmanager
async def _business(settings: Settings) -> AsyncIterator[Runtime]:
    """The business without a server around it, on the settings' database or a home's."""
    async with servers_of(settings) as servers:
        runtime = await _build(settings, servers)
        try:
            yield runtime
        finally:
            await runtime.close()


async def _build(settings: Settings, servers: Servers) -> Runtime:
    kept = settings.master_key
    master_key = kept.get_secret_value() if kept else demo_master_key(settings.paydesk_home)
    if master_key is None:
        raise SettingsError("MASTER_KEY: is missing (expected: base64 of 32 bytes)")
    return await build(
        Connections(servers.database_url, servers.redis_url, pool=PoolSizes(2, 1)),
        master_key=master_key,
        public_url=settings.public_url or "http://127.0.0.1",
        allow_private_targets=False,
        instance_name="inspection",
    )
