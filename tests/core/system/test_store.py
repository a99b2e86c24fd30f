"""Transactions, roles, and the mark that a database carries for ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from core.kernel.errors import Bug, Refusal, WrongDatabase
from core.parties.merchants import App, Merchant
from core.runtime import Runtime
from core.system.migrate import migrate
from core.system.pool import POOL_WAIT_S, NoConnection
from core.system.store import DATABASE_AWAY, DESK_ROLE, IDLE_IN_TRANSACTION_S, LOCK_WAIT_S, Store
from tests.conftest import MONTHS, Servers
from tests.core.support import owner
from tests.databases import Databases


async def test_what_fails_is_rolled_back(runtime: Runtime, shop: tuple[Merchant, App]) -> None:
    async def half() -> None:
        async with runtime.system.store.transaction() as tx:
            await tx.execute("UPDATE merchant SET name = 'changed' WHERE id = $1", shop[0].id)
            assert await tx.fetchval("SELECT name FROM merchant WHERE id = $1", shop[0].id) == (
                "changed"
            )
            await tx.execute("UPDATE merchant SET name = 'twice' WHERE id = $1", shop[0].id)
            raise LookupError

    with pytest.raises(LookupError):
        await half()
    assert (await runtime.parties.merchants.by_id(shop[0].id)).name == shop[0].name


async def test_nothing_is_asked_through_a_transaction_that_is_over(runtime: Runtime) -> None:
    async with runtime.system.store.transaction() as tx:
        assert await tx.fetchval("SELECT 1") == 1
    with pytest.raises(Bug, match="over"):
        await tx.execute("SELECT 1")


async def test_rows_touched_are_counted(runtime: Runtime) -> None:
    assert await runtime.system.store.execute("UPDATE merchant SET name = name") == 2
    assert await runtime.system.store.execute("UPDATE merchant SET name = name WHERE tag = 0") == 0
    async with runtime.system.store.transaction() as tx:
        assert await tx.execute("SET LOCAL work_mem = '1MB'") == 0


async def test_a_snapshot_sees_one_moment_and_writes_nothing(
    servers: Servers, database: str, runtime: Runtime
) -> None:
    names = "SELECT string_agg(name, ',' ORDER BY tag) FROM merchant"
    async with owner(servers, database) as elsewhere, runtime.system.store.snapshot() as tx:
        before = await tx.fetchval(names)
        await elsewhere.execute("UPDATE merchant SET name = name || '!'")
        assert await tx.fetchval(names) == before
    assert await runtime.system.store.fetchval(names) != before
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with runtime.system.store.snapshot() as tx:
            await tx.execute("UPDATE merchant SET name = 'changed'")


async def test_a_transaction_that_was_cancelled_gives_its_connection_back(runtime: Runtime) -> None:
    async def hold(entered: asyncio.Event) -> None:
        async with runtime.system.store.transaction():
            entered.set()
            await asyncio.Event().wait()

    for _ in range(30):  # more than the pool has
        entered = asyncio.Event()
        task = asyncio.create_task(hold(entered))
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with asyncio.timeout(5):
        assert await runtime.system.store.fetchval("SELECT 1") == 1


async def test_a_connection_comes_back_without_a_question(
    runtime: Runtime, servers: Servers, database: str
) -> None:
    question = "SELECT 4711 AS the_last_question"
    await runtime.system.store.fetchval(question)
    async with owner(servers, database) as elsewhere:
        asked = await elsewhere.fetch(
            "SELECT query FROM pg_stat_activity"
            " WHERE datname = $1 AND application_name = 'paydesk'",
            database,
        )
    assert question in {row["query"] for row in asked}


async def test_connections_that_the_server_ended_are_replaced(
    runtime: Runtime, servers: Servers, database: str
) -> None:
    async with owner(servers, database) as connection:
        for _ in range(15):  # more than the pool has
            async with runtime.system.store.transaction() as tx:
                pid = await tx.fetchval("SELECT pg_backend_pid()")
            assert await connection.fetchval("SELECT pg_terminate_backend($1, 2000)", pid)
            async with asyncio.timeout(5):
                assert await _after_the_end(runtime.system.store) == 1


@asynccontextmanager
async def held(servers: Servers, database: str, merchant_id: UUID) -> AsyncIterator[None]:
    """A merchant's row, held by a session that was left open."""
    async with owner(servers, database) as elsewhere, elsewhere.transaction():
        await elsewhere.execute("SELECT FROM merchant WHERE id = $1 FOR UPDATE", merchant_id)
        yield


async def test_rows_in_chunks_leave_the_transaction_as_it_was(runtime: Runtime) -> None:
    async with runtime.system.store.transaction() as tx:
        before = await tx.fetchval("SHOW enable_sort")
        sizes = []
        async for chunk in tx.chunks("SELECT generate_series(1, $1)", 5, rows=2):
            sizes.append(len(chunk))
            assert await tx.fetchval("SHOW enable_sort") == before
    assert sizes == [2, 2, 1]


async def test_nobody_waits_for_ever_for_a_lock_or_a_connection(
    runtime: Runtime, shop: tuple[Merchant, App], servers: Servers, database: str
) -> None:
    store, merchant_id = runtime.system.store, shop[0].id

    async def touch() -> None:
        await store.execute("UPDATE merchant SET name = name WHERE id = $1", merchant_id)

    began_s = time.monotonic()
    async with held(servers, database, merchant_id):
        ended = await asyncio.gather(*(touch() for _ in range(20)), return_exceptions=True)
    assert all(isinstance(error, DATABASE_AWAY) for error in ended)
    kinds = {type(error) for error in ended}
    assert kinds == {asyncpg.LockNotAvailableError, NoConnection}, "a lock, a connection"
    assert time.monotonic() - began_s < POOL_WAIT_S + LOCK_WAIT_S + 2
    await touch()


async def test_one_merchants_stuck_lock_leaves_connections_for_others(
    runtime: Runtime, shop: tuple[Merchant, App], servers: Servers, database: str
) -> None:
    store, merchant_id = runtime.system.store, shop[0].id
    waiting = asyncio.Semaphore(0)

    async def stuck() -> None:
        with store.called(by=merchant_id):
            waiting.release()
            await store.execute("UPDATE merchant SET name = name WHERE id = $1", merchant_id)

    async with held(servers, database, merchant_id):
        tasks = [asyncio.create_task(stuck()) for _ in range(20)]
        for _ in tasks:
            await waiting.acquire()
        with store.called(by=UUID(int=7)):
            for _ in range(20):
                async with asyncio.timeout(1):
                    assert await store.fetchval("SELECT 1") == 1
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(error, DATABASE_AWAY) for error in ended)


async def test_a_transaction_that_sleeps_is_ended(runtime: Runtime) -> None:
    async def sleep() -> None:
        async with runtime.system.store.transaction() as tx:
            await tx.execute("SET LOCAL idle_in_transaction_session_timeout = '20ms'")
            async with asyncio.timeout(5):
                while True:
                    await asyncio.sleep(0.05)
                    await tx.fetchval("SELECT 1")

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await sleep()
    shown = "SELECT current_setting('idle_in_transaction_session_timeout')::interval"
    assert await runtime.system.store.fetchval(shown) == timedelta(seconds=IDLE_IN_TRANSACTION_S)


async def test_who_is_waited_for_is_answered_in_time(runtime: Runtime) -> None:
    with runtime.system.store.called(patience_s=0.1), pytest.raises(TimeoutError):
        await runtime.system.store.fetchval("SELECT pg_sleep(5)")
    assert await runtime.system.store.fetchval("SELECT 1 FROM pg_sleep(0.2)") == 1


async def test_what_may_take_long_says_so(runtime: Runtime) -> None:
    async def ask(timeout_s: float | None) -> int:
        async with runtime.system.store.transaction() as tx:
            await tx.execute("SET LOCAL statement_timeout = '50ms'")
            return len(await tx.fetch("SELECT pg_sleep(0.2)", timeout_s=timeout_s))

    with pytest.raises(asyncpg.QueryCanceledError):
        await ask(None)
    assert await ask(60) == 1


async def _after_the_end(store: Store) -> int:
    """A question on a fresh connection; the pool may first notice that the old one is gone."""
    gone = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    try:
        return int(await store.fetchval("SELECT 1"))
    except gone:
        return int(await store.fetchval("SELECT 1"))


async def test_the_desk_works_as_its_own_role(runtime: Runtime) -> None:
    assert await runtime.system.store.fetchval("SELECT current_user") == DESK_ROLE
    assert await runtime.system.store.fetchval("SHOW TimeZone") == "UTC"
    assert await runtime.system.store.kind() == "demo"


async def test_the_desk_asks_for_months_it_cannot_own(runtime: Runtime) -> None:
    await runtime.system.store.make_months(date(2031, 1, 31), 2)
    await runtime.system.store.make_months(date(2031, 1, 1), 2)
    for name in ("orders_2031_01", "ledger_entry_2031_02"):
        assert await runtime.system.store.fetchval("SELECT to_regclass($1) IS NOT NULL", name)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await runtime.system.store.execute("UPDATE ledger_entry_2031_01 SET minor = 1")
    with pytest.raises(asyncpg.RaiseError):
        await runtime.system.store.make_months(date(2031, 1, 1), 0)


async def tables_of_months(store: Store) -> list[str]:
    """Those that are partitioned, by name."""
    rows = await store.fetch("SELECT partrelid::regclass::text AS name FROM pg_partitioned_table")
    return sorted(row["name"] for row in rows)


async def test_months_are_made_while_others_read_and_write(
    runtime: Runtime, servers: Servers, database: str
) -> None:
    tables = await tables_of_months(runtime.system.store)
    async with owner(servers, database) as elsewhere:
        async with elsewhere.transaction():
            for table in tables:
                await elsewhere.execute(f"LOCK TABLE {table} IN ACCESS SHARE MODE")
                await elsewhere.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE")
            assert await runtime.system.store.make_months(date(2031, 1, 1), 1) == 0
        async with elsewhere.transaction():
            await elsewhere.execute("LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE")
            assert await runtime.system.store.make_months(date(2031, 1, 1), 2) == 1, (
                "orders of February"
            )
    assert await runtime.system.store.make_months(date(2031, 1, 1), 2) == 0
    made = "SELECT count(*) FROM pg_inherits WHERE inhrelid::regclass::text LIKE '%\\_2031\\_0_'"
    assert await runtime.system.store.fetchval(made) == 2 * len(tables)


async def test_a_month_is_as_its_table_is(runtime: Runtime) -> None:
    """What was attached has the keys, checks and indexes of its table."""

    async def shape(table: str) -> list[str]:
        found: list[str] = await runtime.system.store.fetchval(
            "SELECT array_agg(what ORDER BY what) FROM ("
            " SELECT contype::text || ' ' || pg_get_constraintdef(oid) AS what"
            " FROM pg_constraint WHERE conrelid = $1::text::regclass UNION ALL"
            " SELECT regexp_replace(replace(indexdef, 'ONLY ', ''), 'INDEX \\S+ ON \\S+', '')"
            " FROM pg_indexes WHERE tablename = $1::text) s",
            table,
        )
        return found

    await runtime.system.store.make_months(date(2031, 1, 1), 1)
    for table in await tables_of_months(runtime.system.store):
        assert await shape(f"{table}_2031_01") == await shape(table)


async def test_a_database_is_of_its_kind_for_ever(servers: Servers, empty_database: str) -> None:
    dsn, today = servers.owner_dsn(empty_database), datetime.now(UTC).date()
    await migrate(dsn, kind="production", today=today)
    with pytest.raises(WrongDatabase) as error:
        await migrate(dsn, kind="demo", today=today)
    assert "production" in str(error.value)
    async with owner(servers, empty_database) as connection:
        assert await connection.fetchval("SELECT kind FROM desk") == "production"
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("INSERT INTO desk (kind) VALUES ('demo')")


@pytest.mark.parametrize(
    ("kind", "way_out"), [("demo", "demo --fresh"), ("production", "use a new database")]
)
@pytest.mark.parametrize(
    "otherwise",
    ["UPDATE migration SET digest = 'of another text'", "ALTER TABLE migration DROP COLUMN digest"],
)
async def test_a_step_that_was_taken_is_as_its_file_or_nothing_is_done(
    servers: Servers, databases: Databases, kind: str, way_out: str, otherwise: str
) -> None:
    name = await databases.fresh(f"template_{kind}")
    dsn, today = servers.owner_dsn(name), datetime.now(UTC).date()
    await migrate(dsn, kind=kind, today=today, months=MONTHS)
    async with owner(servers, name) as connection:
        await connection.execute(otherwise)
    with pytest.raises(WrongDatabase) as error:
        await migrate(dsn, kind=kind, today=today, months=MONTHS)
    assert "0001_initial" in str(error.value)
    assert way_out in str(error.value)


async def test_an_address_that_is_none_is_named() -> None:
    with pytest.raises(ConnectionError, match="postgresql://"):
        await Store.open("mysql://root@localhost/x")
    with pytest.raises(ConnectionError, match="does not answer"):
        await Store.open("postgresql://nobody@127.0.0.1:9/x")


async def test_who_waits_for_us_does_so_for_a_time(runtime: Runtime) -> None:
    """Also for what no question's own limit ends, and while it is cleaned up after."""
    store, ended = runtime.system.store, asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.3)  # behind a connection that hangs
            ended.set()
            raise ConnectionError("which nobody hears of any more")

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await store.in_time(work(), 0.1)
    assert time.monotonic() - began < 0.3
    async with asyncio.timeout(5):
        await ended.wait()


async def test_what_is_waited_for_elsewhere_does_not_count(runtime: Runtime) -> None:
    store = runtime.system.store

    async def work(elsewhere_s: float, here_s: float) -> str:
        await store.fetchval("SELECT 1")
        for _ in range(2):
            with store.elsewhere(), store.elsewhere():
                await asyncio.sleep(elsewhere_s)
        await asyncio.sleep(here_s)
        return "done"

    assert await store.in_time(work(0.5, 0.0), 0.4) == "done"
    with pytest.raises(TimeoutError):
        await store.in_time(work(0.5, 1.0), 0.4)
    with store.elsewhere():  # nobody waits for this one
        assert await store.fetchval("SELECT 1") == 1


async def test_what_work_raises_is_raised(runtime: Runtime) -> None:
    async def work() -> None:
        raise Refusal("no_room")

    with pytest.raises(Refusal):
        await runtime.system.store.in_time(work(), 1.0)
