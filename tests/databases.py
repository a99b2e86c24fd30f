"""Databases for tests: each test finds one as its template is, and does with it what it likes.

A worker clones a template once and then takes the clone back to its first state: all rows are
deleted and the first ones copied in again. Cloning anew makes the server flush everything to disk,
twice, which costs all tests that run at the same time. Where a test changed more than rows, the
clone is dropped and the next test gets a new one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from io import BytesIO
from typing import Final
from uuid import uuid4

import asyncpg

from bot.embedded import EmbeddedPostgres

# Deleted rows are in the way of those that come after them, until they are swept out.
_SWEEP_EVERY: Final = 100


@dataclass
class _Clone:
    """A database as it was when it was cloned, and a connection that knows its tables by now.
    rows: of each table that had some, parents first."""

    name: str
    shape: str
    empty: str
    rows: dict[str, bytes]
    counters: dict[str, int | None]
    connection: asyncpg.Connection[asyncpg.Record]
    uses: int = field(default=0)


class Databases:
    """The databases of one worker: one for each template, given to one test after another."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self._postgres = postgres
        self._clones: dict[str, _Clone] = {}

    async def close(self) -> None:
        """Let go of every connection."""
        for clone in self._clones.values():
            await clone.connection.close()

    async def fresh(self, template: str) -> str:
        """The name of a database with what the template holds. It is the caller's until the next
        one of this template is asked for."""
        clone = self._clones.get(template)
        if clone is not None and await self._taken_back(clone):
            return clone.name
        if clone is not None:
            del self._clones[template]
            await clone.connection.close()
            await self._admin(f"DROP DATABASE IF EXISTS {clone.name} WITH (FORCE)")
        self._clones[template] = clone = await self._cloned(template)
        return clone.name

    async def _cloned(self, template: str) -> _Clone:
        name = f"test_{uuid4().hex}"
        # The other way of copying writes every page to the log first, three times as slow.
        await self._admin(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        connection = await asyncpg.connect(self._postgres.owner_dsn(name))
        tables = _parents_first(
            [row["name"] for row in await connection.fetch(_TABLES)],
            [(row["child"], row["parent"]) for row in await connection.fetch(_KEYS)],
        )
        rows = {}
        for table in tables:
            if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):
                held = BytesIO()
                await connection.copy_from_query(
                    f"SELECT * FROM {table}", output=held, format="binary"
                )
                rows[table] = held.getvalue()
        counters = {row["name"]: row["last_value"] for row in await connection.fetch(_COUNTERS)}
        shape = await connection.fetchval(_SHAPE)
        empty = ";".join(f"DELETE FROM {table}" for table in reversed(tables))
        return _Clone(name, shape, empty, rows, counters, connection)

    async def _taken_back(self, clone: _Clone) -> bool:
        """False where more than its rows was changed, or it cannot be reached."""
        try:
            if clone.connection.is_closed():
                clone.connection = await asyncpg.connect(self._postgres.owner_dsn(clone.name))
            connection = clone.connection
            await connection.execute(_OTHERS_OUT)
            if await connection.fetchval(_SHAPE) != clone.shape:
                return False
            async with connection.transaction():
                await connection.execute(clone.empty)
                for table, rows in clone.rows.items():
                    await connection.copy_to_table(table, source=BytesIO(rows), format="binary")
                for counter, last in clone.counters.items():
                    await connection.fetchval(
                        "SELECT setval($1::text::regclass, $2, $3)",
                        counter, last or 1, last is not None,
                    )  # fmt: skip
            clone.uses += 1
            if clone.uses % _SWEEP_EVERY == 0:
                await connection.execute("VACUUM")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            return False
        return True

    async def _admin(self, statement: str) -> None:
        connection = await asyncpg.connect(self._postgres.owner_dsn("paydesk"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def _parents_first(tables: list[str], pointing: list[tuple[str, str]]) -> list[str]:
    """In an order in which rows may be written. pointing: foreign keys, (child, parent)."""
    parents: dict[str, set[str]] = {table: set() for table in tables}
    for child, parent in pointing:
        if child != parent:
            parents[child].add(parent)
    return list(TopologicalSorter(parents).static_order())


_KEYS: Final = """
SELECT DISTINCT format('%I', c.relname) AS child, format('%I', p.relname) AS parent
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid
WHERE k.contype = 'f' AND NOT c.relispartition AND NOT p.relispartition
"""
_TABLES: Final = """
SELECT format('%I', relname) AS name FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
ORDER BY relname
"""
_COUNTERS: Final = """
SELECT format('%I', sequencename) AS name, last_value FROM pg_sequences WHERE schemaname = 'public'
"""
_OTHERS_OUT: Final = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# Everything that a test may have made, dropped, renamed or switched.
_SHAPE: Final = """
SELECT md5(string_agg(part, ' ' ORDER BY part)) FROM (
    SELECT concat_ws(':', 'c', relname, relkind, relispartition, relhastriggers) FROM pg_class
    WHERE relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace,
                               'pg_toast'::regnamespace)
    UNION ALL SELECT concat_ws(':', 'a', attrelid::regclass, attname, atttypid, attnotnull)
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    WHERE attnum > 0 AND relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(':', 'k', conrelid::regclass, conname) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(':', 'p', proname, md5(prosrc)) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(':', 't', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger
    WHERE NOT tgisinternal
    UNION ALL SELECT concat_ws(':', 's', setrole, setconfig) FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
) parts(part)
"""
