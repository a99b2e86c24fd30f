"""How long what was said and heard is kept word for word, and how it is forgotten.

What the books, their verification or a dispute need is never forgotten: orders, attempts, their
histories, what suppliers reported, every entry. Of a callback its meaning, where it came from and a
digest of its words stay, so that a copy that somebody shows later can be held against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.system.store import Store

# A payer may dispute a payment for half a year: until then everybody's words may be asked for.
SUPPLIER_CALLS: Final = timedelta(days=180)
CALLBACK_WORDS: Final = timedelta(days=180)
# What a merchant's server answered to news: for whoever mends that server.
NEWS_ANSWERS: Final = timedelta(days=90)
# What was refused is anybody's junk, and only its sum is worth more.
REFUSED_CALLBACKS: Final = timedelta(days=30)
# Telegram gives an update again for a day; the rest is for looking at what went wrong.
UPDATES: Final = timedelta(days=7)
MESSAGES: Final = timedelta(days=7)
# Rows of one statement, and how many statements there are in one turn of the timetable.
BATCH: Final = 1_000
MOST_BATCHES: Final = 100
# The same where words go and rows stay: slices of time, from where the last turn ended.
SLICE: Final = timedelta(hours=1)
MOST_SLICES: Final = 48


@dataclass(frozen=True, slots=True)
class Words:
    """What is emptied in rows that stay. oldest: a query of the first instant there is any of.
    forget: a query that empties what is between $1 and $2 and says how many rows that were."""

    name: str
    oldest: str
    forget: str


async def drop_rows(store: Store, sql: str, before: datetime) -> int:
    """Delete rows in batches; how many. sql: $1 is `before`, $2 how many at once."""
    dropped = 0
    for _ in range(MOST_BATCHES):
        touched = await store.execute(sql, before, BATCH)
        dropped += touched
        if touched < BATCH:
            break
    return dropped


async def forget_words(store: Store, words: Words, before: datetime) -> int:
    """Empty what is older than `before`, slice by slice; of how many rows. The next turn goes on
    where this one ends."""
    since = await store.fetchval("SELECT until FROM forgotten WHERE name = $1", words.name)
    if since is None:
        since = await _begin(store, words, before)
    forgotten = 0
    for _ in range(MOST_SLICES):
        if since >= before:
            break
        until = min(since + SLICE, before)
        async with store.transaction() as tx:
            forgotten += await tx.fetchval(words.forget, since, until)
            await tx.execute(_UNTIL, words.name, until)
        since = until
    return forgotten


async def _begin(store: Store, words: Words, before: datetime) -> datetime:
    """Where to begin: kept, for no index leads to the first instant. It is looked for once, in the
    first turn of a desk, when there is little to read."""
    oldest: datetime | None = await store.fetchval(words.oldest)
    since = before if oldest is None else min(oldest, before)
    await store.execute(_UNTIL, words.name, since)
    return since


_UNTIL: Final = """
INSERT INTO forgotten (name, until) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET until = excluded.until
"""
