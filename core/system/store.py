"""PostgreSQL: one pool, and one way into a transaction."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any, Final, Never, Protocol, TypeVar, cast
from uuid import UUID
from weakref import WeakValueDictionary

import asyncpg

from core.kernel.errors import Bug
from core.system.dsn import credentials_of
from core.system.news import Listener, NewsConnection, OwnWrites
from core.system.patience import wait_until_done
from core.system.pool import (
    IN_TRANSACTION,
    POOL_SIZES,
    POOL_WAIT_S,
    Connection,
    Loan,
    Pool,
    PoolSizes,
    fresh_context,
)

DESK_ROLE: Final = "paydesk_desk"
MONTHS_AHEAD: Final = 24
# A statement that takes longer is ended. Whoever knows better says so, with `timeout_s`.
COMMAND_TIMEOUT_S: Final = 30
# For a lock of somebody else's, as for a connection of the pool: few wait for who is stuck.
LOCK_WAIT_S: Final = 3.0
# A transaction that asks nothing for so long belongs to a desk that is frozen or gone.
IDLE_IN_TRANSACTION_S: Final = 10.0
# One merchant's requests hold so many of an instance's connections at most: where all of them wait
# for the same lock, the others go on.
CONNECTIONS_PER_MERCHANT: Final = 4
_BY_INDEX: Final = "".join(
    f"SET LOCAL enable_{way} = off;" for way in ("seqscan", "hashjoin", "mergejoin", "material")
)
# A desk that ends waits so long for what nobody else waits for: a call to a supplier ends by then.
SETTLE_S: Final = 18.0
# Whoever waits for somebody else is looked after so often.
_LOOK_S: Final = 0.05
T = TypeVar("T")


# What a question raises while the database is away, goes away, reads only, or keeps us waiting: it
# is worth asking again in a moment. The internal error is asyncpg's own confusion over a connection
# that is cut just as a question begins.
DATABASE_AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # a lock that is not to be had, among others
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)

# Those of them that say that somebody else holds what a question needs.
HELD_UP: Final = (TimeoutError, asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError)


@dataclass(slots=True)
class _Caller:
    """For whom questions are asked. share: of the pool, where it is one merchant's. elsewhere_s:
    how long it waited for others than us, before it began to wait for them again. finishes: its
    work goes on when its patience is over."""

    patience_s: float
    share: asyncio.Semaphore | None = None
    began_s: float = field(default_factory=time.monotonic)
    elsewhere_s: float = 0.0
    elsewhere_since_s: float | None = None
    finishes: bool = False

    def finish(self) -> None:
        self.finishes = True

    def left_s(self) -> float:
        """What is left of its patience with us."""
        now_s = time.monotonic() if self.elsewhere_since_s is None else self.elsewhere_since_s
        return self.patience_s - (now_s - self.began_s - self.elsewhere_s)


_CALLER: ContextVar[_Caller | None] = ContextVar("caller", default=None)


class Queries(Protocol):
    """What can be asked of the database, in a transaction (`Tx`) or outside one (`Store`)."""

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]: ...
    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record | None: ...
    async def fetchval(self, sql: str, *args: object) -> Any: ...
    async def execute(self, sql: str, *args: object) -> int: ...


class Tx:
    """An open transaction. Spawn no tasks while it is open: they would inherit it.

    More than seven verbs: those of the driver, under the names that it gives them.
    """

    def __init__(
        self,
        connection: Connection,
        told_of: Callable[[str], frozenset[Listener]] = lambda _: frozenset(),
    ) -> None:
        """told_of: who keeps in memory what a statement changes."""
        self._connection = connection
        self._told_of = told_of
        self.told: frozenset[Listener] = frozenset()

    async def fetch(
        self, sql: str, *args: object, timeout_s: float | None = None
    ) -> list[asyncpg.Record]:
        """Rows of a query. timeout_s: where it may take longer than COMMAND_TIMEOUT_S; the rest of
        the transaction may, too. So long a question is planned for its values."""
        if timeout_s is not None:
            await self.execute(f"SET LOCAL statement_timeout = '{timeout_s:.0f}s'")
            await self.plan_for_values()
        self._note(sql)
        return await self._connection.fetch(sql, *args, timeout=timeout_s or _patience_s())

    async def plan_for_values(self) -> None:
        """What the rest of the transaction asks is planned for its values: it takes longer to plan,
        and touches no month but those that it names, whoever holds the others."""
        await self.execute("SET LOCAL plan_cache_mode = force_custom_plan")

    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record | None:
        self._note(sql)
        return await self._connection.fetchrow(sql, *args, timeout=_patience_s())

    async def fetchval(self, sql: str, *args: object) -> Any:
        self._note(sql)
        return await self._connection.fetchval(sql, *args, timeout=_patience_s())

    async def execute(self, sql: str, *args: object) -> int:
        """Run a statement; the number of rows it touched."""
        self._note(sql)
        done = await self._connection.execute(sql, *args, timeout=_patience_s())
        return _rows_of(done)

    async def by_index(self) -> None:
        """From now on each row is looked for by itself, through an index. For who joins a few rows
        with a table of months: the planner counts the indexes of all months, though only one is
        looked at, and would rather read all that there ever was."""
        await self._connection.execute(_BY_INDEX)

    async def hold(self, what: str, *, together: bool = False) -> None:
        """Hold a name until the transaction ends: alone, or together with others who do so too.

        Those who come later wait in line. What is read after it is as it stands while it is held.
        """
        lock = "pg_advisory_xact_lock_shared" if together else "pg_advisory_xact_lock"
        await self._connection.execute(f"SELECT {lock}(hashtextextended($1, 0))", what)

    async def try_hold(self, what: str) -> bool:
        """Hold a name together with others, where nobody holds it alone or waits for that."""
        return bool(
            await self._connection.fetchval(
                "SELECT pg_try_advisory_xact_lock_shared(hashtextextended($1, 0))", what
            )
        )

    async def chunks(
        self, sql: str, *args: object, rows: int
    ) -> AsyncIterator[list[asyncpg.Record]]:
        """A query's rows, so many at a time, held at the database until they are asked for. It is
        read by an index in its order, where there is one: the first rows wait for no others."""
        await self._connection.execute("SET LOCAL enable_sort = off")
        cursor = await self._connection.cursor(sql, *args)  # from now on it has its plan
        await self._connection.execute("SET LOCAL enable_sort TO DEFAULT")
        while chunk := await cursor.fetch(rows):
            yield chunk

    async def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        self._note(sql)
        await self._connection.executemany(sql, rows)

    def over(self) -> None:
        """Nothing is asked through it any more: its connection is the next one's."""
        self._connection = cast(Connection, _Over())

    def _note(self, sql: str) -> None:
        self.told |= self._told_of(sql)


class _Over:
    """In the place of a connection that is somebody else's by now."""

    def __getattr__(self, name: str) -> Never:
        raise Bug("a question through a transaction that is over")


class Store:
    """The desk's connections. Made by `Store.open`, ended by `close`.

    More than seven verbs: those of the driver, and one for each way to open a connection.
    """

    def __init__(self, pool: Pool, dsn: str) -> None:
        self._pool = pool
        self._dsn = dsn
        self._news: list[NewsConnection] = []
        self.own_writes = OwnWrites()
        self._shares: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()
        self._given_up: set[asyncio.Task[Any]] = set()

    @classmethod
    async def open(cls, dsn: str, *, sizes: PoolSizes = POOL_SIZES) -> Store:
        """Connect as the desk's role. Raises ConnectionError with a sentence that helps."""
        try:
            pool = Pool(sizes, partial(_connect, _options(dsn)))
            async with pool.connection():  # somebody answers there
                return cls(pool, dsn)
        except (OSError, asyncpg.PostgresError) as error:
            raise ConnectionError(f"the database does not answer: {error}") from error

    async def close(self) -> None:
        for news in self._news:
            await news.close()
        await self._pool.close()

    def news(self, channel: str, heard: Callable[[], None]) -> NewsConnection:
        """A connection beside the pool that hears news of a channel, closed with the store."""
        options = _options(self._dsn)
        news = NewsConnection(partial(_connect, options), channel, heard)
        self._news.append(news)
        return news

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        async with self._connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(sql, *args, timeout=_patience_s())
        self._tell_of(sql)
        return rows

    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record | None:
        async with self._connection() as connection:
            row: asyncpg.Record | None = await connection.fetchrow(
                sql, *args, timeout=_patience_s()
            )
        self._tell_of(sql)
        return row

    async def fetchval(self, sql: str, *args: object) -> Any:
        async with self._connection() as connection:
            value = await connection.fetchval(sql, *args, timeout=_patience_s())
        self._tell_of(sql)
        return value

    async def execute(self, sql: str, *args: object) -> int:
        async with self._connection() as connection:
            done = await connection.execute(sql, *args, timeout=_patience_s())
        self._tell_of(sql)
        return _rows_of(done)

    def _connection(self) -> Loan:
        """A connection of the pool. Raises Bug inside a transaction: whoever holds one connection
        and waits for a second can wait for ever, when all the others do the same."""
        if IN_TRANSACTION.get():
            raise Bug("inside a transaction questions go through it, not through the store")
        return self._pool.connection(_share())

    def _tell_of(self, sql: str) -> None:
        for told in self.own_writes.told_of(sql):
            told()

    @contextmanager
    def called(
        self, *, patience_s: float = COMMAND_TIMEOUT_S, by: UUID | None = None
    ) -> Iterator[None]:
        """Who causes what is done inside. patience_s: so long may a question take. by: a merchant,
        where it is known from the start (see `called_by`)."""
        token = _CALLER.set(_Caller(patience_s))
        try:
            if by is not None:
                self.called_by(by)
            yield
        finally:
            _CALLER.reset(token)

    async def in_time(self, work: Coroutine[Any, Any, T], patience_s: float) -> T:
        """What work comes to, as somebody's who waits patience_s for us: what it spends
        `elsewhere` does not count. Raises TimeoutError after that. The work is ended then, unless
        it is to `finish_anyway`; where it is behind a connection that hangs, nobody waits until it
        has cleaned up."""
        caller = _Caller(patience_s)
        token = _CALLER.set(caller)
        task = asyncio.create_task(work)  # it sees the caller, in a copy of this context
        _CALLER.reset(token)
        try:
            while not task.done():
                left_s = caller.left_s()
                if left_s <= 0:
                    raise TimeoutError(f"the desk did not answer within {patience_s} s")
                await wait_until_done(task, max(left_s, _LOOK_S))
            return task.result()
        finally:
            if not task.done():
                if not caller.finishes:
                    task.cancel()
                self._given_up.add(task)
                task.add_done_callback(self._ended)

    def leave(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Have work done whose end its caller does not wait for: it has a limit of its own, and
        tells of its failures itself. It is done for nobody in particular."""
        task = asyncio.create_task(work, context=fresh_context())
        self._given_up.add(task)
        task.add_done_callback(self._ended)
        return task

    async def settle(self) -> None:
        """Wait for what goes on though its caller has given up, or was told that it is left to be
        done; SETTLE_S at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                while self._given_up:  # what ends may leave something in turn
                    await asyncio.wait(set(self._given_up))

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._given_up.discard(task)
        if not task.cancelled():
            task.exception()  # nobody waits for it any more

    def finish_anyway(self) -> Callable[[], None]:
        """What is to be called once the caller's work has begun what must come to its end: where
        the work is done `in_time`, it goes on then, though its caller has given up."""
        return (_CALLER.get() or _Caller(COMMAND_TIMEOUT_S)).finish

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """Inside, the caller waits for somebody else, who has a limit of its own."""
        caller = _CALLER.get()
        if caller is None or caller.elsewhere_since_s is not None:
            yield
            return
        caller.elsewhere_since_s = began_s = time.monotonic()
        try:
            yield
        finally:
            caller.elsewhere_s += time.monotonic() - began_s
            caller.elsewhere_since_s = None

    def called_by(self, merchant_id: UUID) -> None:
        """The rest of what is inside `called` is a merchant's: all that is one merchant's holds
        CONNECTIONS_PER_MERCHANT of this process's connections at most."""
        share = self._shares.get(merchant_id)
        if share is None:
            share = self._shares[merchant_id] = asyncio.Semaphore(CONNECTIONS_PER_MERCHANT)
        if (caller := _CALLER.get()) is None:
            raise Bug("nobody was said to have called")
        caller.share = share

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """The only way into a transaction (READ COMMITTED). Not to be nested."""
        if IN_TRANSACTION.get():
            raise Bug("a transaction inside a transaction")
        async with self._pool.connection(_share()) as connection:
            async with connection.transaction():
                tx = Tx(connection, self.own_writes.told_of)
                IN_TRANSACTION.set(True)
                try:
                    yield tx
                finally:
                    IN_TRANSACTION.set(False)
                    tx.over()
            for told in tx.told:
                told()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Tx]:
        """A transaction that reads only, and sees everything as it stood at its first question
        (REPEATABLE READ). It reads much, so that its questions are planned for their values."""
        async with self.transaction() as tx:
            await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            await tx.plan_for_values()
            yield tx

    async def make_months(self, first_month: date, months: int = MONTHS_AHEAD) -> int:
        """Create the month partitions from `first_month` on, where they are missing.

        Readers and writers of other months go on meanwhile. Returns how many could not be made
        because somebody else holds a table: try again soon.
        """
        return int(await self.fetchval("SELECT make_months($1, $2)", first_month, months))

    async def kind(self) -> str:
        """demo or production, as the database was marked for ever."""
        return str(await self.fetchval("SELECT kind FROM desk"))


def _patience_s() -> float:
    caller = _CALLER.get()
    return caller.patience_s if caller else COMMAND_TIMEOUT_S


def _share() -> asyncio.Semaphore | None:
    """The caller's merchant's, where it is one's."""
    caller = _CALLER.get()
    return caller.share if caller else None


def _rows_of(status: str) -> int:
    """'UPDATE 3' -> 3; statements that do not count rows give 0."""
    last = status.rsplit(" ", 1)[-1]
    return int(last) if last.isdecimal() else 0


def _options(dsn: str) -> dict[str, Any]:
    """How a connection to the database at this address is opened, as the desk's role."""
    settings = {
        "application_name": "paydesk",
        "timezone": "UTC",
        "role": DESK_ROLE,
        "lock_timeout": _ms(LOCK_WAIT_S),
        "statement_timeout": _ms(COMMAND_TIMEOUT_S),
        "idle_in_transaction_session_timeout": _ms(IDLE_IN_TRANSACTION_S),
        # A bill takes a millisecond; workers would take ten to begin, and the payments' cores.
        "max_parallel_workers_per_gather": "0",
        # To plan for the values of each question would take ten times as long as most answers: all
        # months are planned for. Which of them are looked at is seen as it is asked.
        "plan_cache_mode": "force_generic_plan",
    }
    return {
        **credentials_of(dsn),
        "server_settings": settings,
        "command_timeout": COMMAND_TIMEOUT_S,
    }


async def _connect(options: dict[str, Any]) -> Connection:
    """A connection that reads and writes JSON."""
    connection: Connection = await asyncpg.connect(**options, timeout=POOL_WAIT_S)
    try:
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=_to_json, decoder=json.loads
        )
    except BaseException:
        connection.terminate()
        raise
    return connection


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}ms"


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
