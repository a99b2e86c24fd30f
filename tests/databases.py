"""Databases for tests: each test finds one as its template is, and does with it what it likes.

A worker clones a template once and then takes the clone back to its first state: all rows are
deleted and the first ones copied in again, by one function of the clone itself. Cloning anew makes
the server flush everything to disk, twice, which costs all tests that run at the same time. Where a
test changed more than rows, the clone is dropped and the next test gets a new one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Final
from uuid import uuid4

import asyncpg

from bot.embedded import EmbeddedPostgres

# Deleted rows are in the way of those that come after them, until they are swept out.
_SWEEP_EVERY: Final = 100


@dataclass
class _Clone:
    """A database as it was when it was cloned, and a connection that knows its tables by now."""

    name: str
    shape: str
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
            clone.connection.terminate()
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
        back = [f"DELETE FROM public.{table}" for table in reversed(tables)]
        await connection.execute("CREATE SCHEMA first")
        for table in tables:
            if await connection.fetchval(f"SELECT EXISTS (SELECT FROM public.{table})"):
                await connection.execute(f"CREATE TABLE first.{table} AS TABLE public.{table}")
                back.append(
                    f"INSERT INTO public.{table} OVERRIDING SYSTEM VALUE TABLE first.{table}"
                )
        for row in await connection.fetch(_COUNTERS):
            last, used = row["last_value"] or 1, row["last_value"] is not None
            back.append(f"PERFORM setval('public.{row['name']}', {last}, {used})")
        await connection.execute(_TAKE_BACK.format(";\n".join(back)))
        shape = await connection.fetchval(_SHAPE)
        return _Clone(name, shape, connection)

    async def _taken_back(self, clone: _Clone) -> bool:
        """False where more than its rows was changed, or it cannot be reached."""
        try:
            if clone.connection.is_closed():
                clone.connection = await asyncpg.connect(self._postgres.owner_dsn(clone.name))
            connection = clone.connection
            await connection.execute(_OTHERS_OUT)
            if await connection.fetchval(_SHAPE) != clone.shape:
                return False
            await connection.execute("SELECT first.take_back()")
            clone.uses += 1
            if clone.uses % _SWEEP_EVERY == 0:
                await connection.execute("VACUUM")
        except (
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,  # its server ended it a moment ago
            OSError,
        ):
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
_TAKE_BACK: Final = """
CREATE FUNCTION first.take_back() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
{};
END $$
"""
# Whatever a test makes, alters or drops, the catalogue has another number of lines afterwards, or
# one that a later transaction wrote. 16384: what is below it comes with every database.
_SHAPE: Final = (
    "SELECT concat_ws(' ',"
    + ",".join(
        f"(SELECT (count(*), max(xmin::text::bigint))::text FROM {catalogue} WHERE {ours})"
        for catalogue, ours in (
            ("pg_class", "oid >= 16384"),
            ("pg_attribute", "attrelid >= 16384"),
            ("pg_constraint", "oid >= 16384"),
            ("pg_proc", "oid >= 16384"),
            ("pg_trigger", "oid >= 16384"),
            (
                "pg_db_role_setting",
                "setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())",
            ),
        )
    )
    + ")"
)
