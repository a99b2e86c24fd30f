"""All groups and channels, as staff sees them, and those that a broadcast reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import asyncpg

from core.kernel.errors import Refusal
from core.people.groups.group import Topics, read_quiet, read_topics
from core.people.groups.quiet import QuietHours
from core.system.store import Queries, Store

PAGE_ROWS: Final = 8
# A broadcast reaches so many chats at most.
MAX_TARGETS: Final = 5000

Health = Literal["well", "parked", "mute", "gone"]
Aim = Literal["all", "merchants", "suppliers", "segment", "picked"]


@dataclass(frozen=True, slots=True)
class Holder:
    """A merchant or supplier of a group. no: its number."""

    no: str
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A group or a channel (type `channel`), and how it is with it.

    quiet: on the clocks of `zone`, which is own_zone or else its holder's or the desk's.
    bot_status: as Telegram calls it; added_by: who brought the bot in, by Telegram's id. members:
    as Telegram said last. parked: messages that could not be sent. sent_at: when the newest message
    was put out that arrived. heard_at: when the newest one came in, of the last days; None on a
    page, for it is looked for among those of all chats.
    """

    chat_id: int
    no: int
    kind: str
    type: str
    title: str
    language: str
    label: str
    holders: tuple[Holder, ...]
    zone: str
    own_zone: str | None
    quiet: QuietHours | None
    segments: tuple[str, ...]
    topics: Topics
    bot_status: str
    may_post: bool
    may_pin: bool
    added_by: int | None
    members: int | None
    gone: bool
    parked: int
    sent_at: datetime | None
    heard_at: datetime | None

    @property
    def health(self) -> Health:
        """Whether it can be written to. gone: the bot is out. mute: it may not post. parked:
        something could not be sent."""
        if self.gone:
            return "gone"
        if not self.may_post:
            return "mute"
        return "parked" if self.parked else "well"


@dataclass(frozen=True, slots=True)
class Page:
    """entries: of this page; total: of all that match. page: from 1."""

    entries: tuple[Entry, ...]
    page: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A name by which broadcasts choose chats, and how many have it."""

    name: str
    chats: int


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a broadcast is for.

    all: every merchant's and supplier's group, and every channel. segment: what is in the one that
    is named, whatever it is. picked: these chats, whatever they are.
    """

    aim: Aim
    segment: str = ""
    chat_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """A chat that a broadcast is for. reachable: the bot is there and may post. language: of what
    is said there."""

    chat_id: int
    no: int
    kind: str
    type: str
    title: str
    language: str
    reachable: bool
    quiet: QuietHours | None
    zone: str

    def from_on(self, now: datetime) -> datetime:
        """The first instant from `now` on at which something may be said there unasked."""
        over_at = None if self.quiet is None else self.quiet.over_at(now, self.zone)
        return over_at or now


class Directory:
    """Reads what there is. Groups that became supergroups are told of once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(self, search: str, number: int) -> Page:
        """A page of what matches: a part of a title, of a number, of a segment, or of whom it is
        bound to; all where `search` is empty. One behind the last page is the last. Bound chats
        come first, and those that the bot has left come last."""
        total = await self._store.fetchval(_COUNT, search)
        pages = max(1, -(-total // PAGE_ROWS))
        number = max(1, min(number, pages))
        rows = await self._store.fetch(_PAGE, search, (number - 1) * PAGE_ROWS, PAGE_ROWS)
        return Page(tuple(_entry(row) for row in rows), number, pages, total)

    async def by_no(self, no: int, *, tx: Queries | None = None) -> Entry:
        """The group or channel that people name so. Refusals: group_not_found."""
        row = await (tx or self._store).fetchrow(_BY_NO, no)
        if row is None:
            raise Refusal("group_not_found", text=f"G{no}")
        return _entry(row)

    async def segments(self) -> list[Segment]:
        """The segments that any chat is in, by their names."""
        rows = await self._store.fetch(_SEGMENTS)
        return [Segment(row["name"], row["chats"]) for row in rows]

    async def targets(self, queries: Queries, audience: Audience) -> list[Target]:
        """The chats of an audience, at most MAX_TARGETS, those that cannot be written to as well.
        Refusals: segment_not_found."""
        rows = await queries.fetch(
            _TARGETS, audience.aim, audience.segment, list(audience.chat_ids), MAX_TARGETS
        )
        if audience.aim == "segment" and not rows:
            raise Refusal("segment_not_found", text=audience.segment)
        return [
            Target(**{name: row[name] for name in _OF_TARGET}, quiet=read_quiet(row))
            for row in rows
        ]


def _entry(row: asyncpg.Record) -> Entry:
    values: dict[str, Any] = {name: row[name] for name in _OF_ENTRY}
    holders: list[Mapping[str, str]] = row["holders"]
    return Entry(
        **values,
        holders=tuple(Holder(one["no"], one["name"]) for one in holders),
        segments=tuple(row["segments"]),
        topics=read_topics(row),
        quiet=read_quiet(row),
    )


_OF_ENTRY: Final = (
    "chat_id", "no", "kind", "type", "title", "language", "label", "zone", "own_zone", "bot_status",
    "may_post", "may_pin", "added_by", "members", "gone", "parked", "sent_at", "heard_at",
)  # fmt: skip
_OF_TARGET: Final = ("chat_id", "no", "kind", "type", "title", "language", "reachable", "zone")
# Of a chat `g`: on whose clocks it lives; whether the bot is out of it.
_ZONE: Final = """
coalesce(g.zone, (
    SELECT h.zone FROM binding b JOIN holder h ON h.id = coalesce(b.merchant_id, b.supplier_id)
    WHERE b.chat_id = g.chat_id ORDER BY b.created_at, b.id LIMIT 1
), (SELECT zone FROM desk)) AS zone
"""
_IS_GONE: Final = """
(g.bot_status IN ('left', 'kicked') OR EXISTS (
    SELECT FROM chat_lane l WHERE l.chat_id = g.chat_id AND l.gone_at IS NOT NULL))
"""
_ENTRY: Final = f"""
SELECT g.chat_id, g.no, g.kind, g.type, g.title, g.language, g.label, {_ZONE},
    g.zone AS own_zone, g.quiet_from, g.quiet_to, g.segments, g.topics, g.bot_status, g.may_post,
    g.may_pin, g.added_by, g.members, {_IS_GONE} AS gone,
    coalesce((
        SELECT jsonb_agg(jsonb_build_object('no', h.no, 'name', h.name)
                         ORDER BY b.supplier_id IS NOT NULL, b.created_at, b.id)
        FROM binding b JOIN holder h ON h.id = coalesce(b.merchant_id, b.supplier_id)
        WHERE b.chat_id = g.chat_id
    ), '[]') AS holders,
    (SELECT count(*) FROM outbox WHERE chat_id = g.chat_id AND state = 'parked') AS parked,
    (SELECT created_at FROM outbox WHERE chat_id = g.chat_id AND message_id IS NOT NULL
     ORDER BY message_id DESC LIMIT 1) AS sent_at,
    {{heard_at}} AS heard_at
FROM chat_group g
"""  # noqa: S608 (our own)
# $1: what is looked for; a percent sign stands for itself.
_MATCHES: Final = """
g.moved_to IS NULL AND ($1 = '' OR strpos(lower(concat_ws(' ', 'g' || g.no, g.title, g.chat_id,
    array_to_string(g.segments, ' '), (
        SELECT string_agg(h.no || ' ' || h.name, ' ') FROM binding b
        JOIN holder h ON h.id = coalesce(b.merchant_id, b.supplier_id)
        WHERE b.chat_id = g.chat_id))), lower($1)) > 0)
"""
_COUNT: Final = f"SELECT count(*) FROM chat_group g WHERE {_MATCHES}"  # noqa: S608 (our own)
_PAGE: Final = (
    f"{_ENTRY.format(heard_at='NULL::timestamptz')} WHERE {_MATCHES}"
    f" ORDER BY {_IS_GONE}, g.kind = 'unbound', g.title, g.no OFFSET $2 LIMIT $3"
)
_HEARD_AT: Final = "(SELECT max(u.received_at) FROM telegram_update u WHERE u.chat_id = g.chat_id)"
_BY_NO: Final = f"{_ENTRY.format(heard_at=_HEARD_AT)} WHERE g.no = $1 AND g.moved_to IS NULL"
_SEGMENTS: Final = """
SELECT name, count(*) AS chats FROM chat_group g, unnest(g.segments) name
WHERE g.moved_to IS NULL GROUP BY name ORDER BY name
"""
# $1: the aim, $2: a segment, $3: chats that were picked.
_TARGETS: Final = f"""
SELECT g.chat_id, g.no, g.kind, g.type, g.title, g.language, g.may_post AND NOT {_IS_GONE}
    AS reachable, g.quiet_from, g.quiet_to, {_ZONE}
FROM chat_group g
WHERE g.moved_to IS NULL AND CASE $1
    WHEN 'all' THEN g.kind IN ('merchant', 'supplier') OR g.type = 'channel'
    WHEN 'merchants' THEN g.kind = 'merchant'
    WHEN 'suppliers' THEN g.kind = 'supplier'
    WHEN 'segment' THEN EXISTS (
        SELECT FROM unnest(g.segments) name WHERE lower(name) = lower($2))
    ELSE g.chat_id = ANY($3::bigint[]) END
ORDER BY g.title, g.no LIMIT $4
"""  # noqa: S608 (our own)
