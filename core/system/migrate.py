"""The schema, brought up to date by its owner before the desk connects."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Final

import asyncpg

from core.kernel.errors import WrongDatabase
from core.system.dsn import credentials_of
from core.system.store import DESK_ROLE, MONTHS_AHEAD

# Each step is one file, and is taken in one transaction, in the order of their names. A file that
# somebody's database has taken is never edited: what changes later is a step of its own.
_STEPS: Final = Path(__file__).with_name("migrations")
_TAKEN: Final = """
CREATE TABLE IF NOT EXISTS migration (
    name   text PRIMARY KEY,
    digest text NOT NULL,                          -- SHA-256 of the file as it was taken
    at     timestamptz NOT NULL DEFAULT now())
"""
# A database older than its column of digests was made by another version in any case.
_DIGESTS: Final = "SELECT name, to_jsonb(m) ->> 'digest' AS digest FROM migration m"
_TAKE: Final = "INSERT INTO migration (name, digest) VALUES ($1, $2)"
_WAY_OUT: Final[Mapping[str, str]] = {
    "demo": "start anew with `python -m bot demo --fresh`",
    "production": "run the version that made it, or use a new database",
}
_LOCK: Final = 0x5041_5944
_WAIT_S: Final = 60


async def migrate(owner_dsn: str, *, kind: str, today: date, months: int = MONTHS_AHEAD) -> None:
    """Bring the schema up to date as its owner, and mark a new database as `kind` for ever.

    Two at once wait for each other. months: how many there are tables for, from today on. Raises
    WrongDatabase where the database is of the other kind, or took a step that is another one now.
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
            raise WrongDatabase(
                f"this database is marked {marked} for ever and cannot serve a {kind} desk; "
                "use another database"
            )
        await _take_steps(guard, kind)
        await guard.execute("INSERT INTO desk (kind) VALUES ($1) ON CONFLICT DO NOTHING", kind)
        await guard.execute(f"GRANT {DESK_ROLE} TO CURRENT_USER")
        first = today.replace(day=1)
        async with asyncio.timeout(_WAIT_S):
            asked = "SELECT make_months($1, $2)"
            while await guard.fetchval(asked, first, months):  # noqa: ASYNC110 (others hold it)
                await asyncio.sleep(0.1)
    finally:
        await guard.close()


async def _take_steps(owner: asyncpg.Connection[asyncpg.Record], kind: str) -> None:
    """Those that were not taken yet. None is taken where a former one was changed since."""
    await owner.execute(_TAKEN)
    taken = {row["name"]: row["digest"] for row in await owner.fetch(_DIGESTS)}
    texts = {step.stem: step.read_text(encoding="utf-8") for step in sorted(_STEPS.glob("*.sql"))}
    digests = {name: sha256(text.encode()).hexdigest() for name, text in texts.items()}
    for name in taken.keys() & digests.keys():
        if taken[name] != digests[name]:
            raise WrongDatabase(
                f"this database was made by another version: its step {name} was not what "
                f"{name}.sql is now; {_WAY_OUT[kind]}"
            )
    for name in sorted(digests.keys() - taken.keys()):
        async with owner.transaction():
            await owner.execute(texts[name])
            await owner.execute(_TAKE, name, digests[name])
