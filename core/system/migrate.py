"""The schema, brought up to date by its owner before the desk connects."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Final

import asyncpg

from core.kernel.errors import WrongKind
from core.system.dsn import credentials_of
from core.system.store import DESK_ROLE, MONTHS_AHEAD

# Each step is one file, and is taken in one transaction, in the order of their names.
_STEPS: Final = Path(__file__).with_name("migrations")
_TAKEN: Final = """
CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())
"""
_LOCK: Final = 0x5041_5944
_WAIT_S: Final = 60


async def migrate(owner_dsn: str, *, kind: str, today: date, months: int = MONTHS_AHEAD) -> None:
    """Bring the schema up to date as its owner, and mark a new database as `kind` for ever.

    Two at once wait for each other. months: how many there are tables for, from today on. Raises
    WrongKind when the database is of the other kind.
    """
    guard = await asyncpg.connect(**credentials_of(owner_dsn), server_settings={"timezone": "UTC"})
    try:
        async with asyncio.timeout(_WAIT_S):
            # Not the waiting form: a waiter's snapshot blocks CREATE INDEX CONCURRENTLY.
            locked = "SELECT pg_try_advisory_lock($1)"
            while not await guard.fetchval(locked, _LOCK):  # noqa: ASYNC110 (other process)
                await asyncio.sleep(0.1)
        marked = None
        if await guard.fetchval("SELECT to_regclass('public.desk') IS NOT NULL"):
            marked = await guard.fetchval("SELECT kind FROM desk")
        if marked not in (None, kind):
            raise WrongKind(
                f"this database is marked {marked} for ever and cannot serve a {kind} desk; "
                "use another database"
            )
        await _take_steps(guard)
        await guard.execute("INSERT INTO desk (kind) VALUES ($1) ON CONFLICT DO NOTHING", kind)
        await guard.execute(f"GRANT {DESK_ROLE} TO CURRENT_USER")
        first = today.replace(day=1)
        async with asyncio.timeout(_WAIT_S):
            asked = "SELECT make_months($1, $2)"
            while await guard.fetchval(asked, first, months):  # noqa: ASYNC110 (others hold it)
                await asyncio.sleep(0.1)
    finally:
        await guard.close()


async def _take_steps(owner: asyncpg.Connection[asyncpg.Record]) -> None:
    """Those that were not taken yet."""
    await owner.execute(_TAKEN)
    taken = {row["name"] for row in await owner.fetch("SELECT name FROM migration")}
    for step in sorted(_STEPS.glob("*.sql")):
        if step.stem not in taken:
            async with owner.transaction():
                await owner.execute(step.read_text(encoding="utf-8"))
                await owner.execute("INSERT INTO migration (name) VALUES ($1)", step.stem)
