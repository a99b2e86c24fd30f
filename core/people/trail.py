"""The trail, read: who did what, where, the newest first. `core.delivery.audit` writes it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.people.actors import Actor
from core.system.store import Store

RIGHT: Final = "watch"
PAGE_ROWS: Final = 8
MAX_PAGE: Final = 100
# A name may be several people's.
_MAX_NAMESAKES: Final = 50


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; what is left out matches all. who: a Telegram id, or a part of a name.
    number: of an order, a merchant, a supplier, whatever the facts hold. since, until: instants;
    the latter is not among them."""

    who: str = ""
    number: str = ""
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TrailRow:
    """One deed. actor: as the trail names it. actor_name: empty where nobody is known by it.
    chat: the title of a group; empty for a private chat, and for what no chat said."""

    at: datetime
    actor: str
    actor_name: str
    chat_id: int | None
    chat: str
    merchant_no: str
    action: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TrailPage:
    """more: whether older rows follow."""

    rows: tuple[TrailRow, ...]
    more: bool


class Trail:
    """Searches the trail."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, actor: Actor, search: Search, page: int = 1) -> TrailPage:
        """A page of what matches all that is said, from 1 to MAX_PAGE. Refusals: those of
        `Actor.need_among_staff`."""
        actor.need_among_staff(RIGHT)
        page = max(1, min(page, MAX_PAGE))
        first = (page - 1) * PAGE_ROWS
        values: list[object] = []

        def put(value: object) -> str:
            values.append(value)
            return f"${len(values)}"

        said = [
            f"actor = ANY({put(await self._named(search.who))}::text[])" if search.who else "",
            f"action = {put(search.action)}" if search.action else "",
            f"at >= {put(search.since)}" if search.since else "",
            f"at < {put(search.until)}" if search.until else "",
        ]
        about = [""]
        if search.number:
            holds = put(f"$.** ? (@ == {json.dumps(search.number)})")
            about = [_HOLDS.format(holds), _WHOSE.format(put(search.number))]
        reach = put(first + PAGE_ROWS + 1)
        # Each part is walked by its own index, no further than the page reaches.
        parts = [_PART.format(_where(*said, one), reach) for one in about]
        sql = _READ.format(" UNION ".join(parts), put(first), put(PAGE_ROWS + 1))
        rows = await self._store.fetch(sql, *values)
        found = tuple(TrailRow(**dict(row)) for row in rows[:PAGE_ROWS])
        return TrailPage(found, len(rows) > PAGE_ROWS and page < MAX_PAGE)

    async def _named(self, who: str) -> list[str]:
        """Whom a Telegram id or a part of a name means, as the trail names them."""
        if who.isascii() and who.isdecimal():
            return [f"telegram:{who}"]
        rows = await self._store.fetch(
            "SELECT user_id FROM person WHERE strpos(lower(name), lower($1)) > 0"
            " ORDER BY user_id LIMIT $2",
            who,
            _MAX_NAMESAKES,
        )
        return [f"telegram:{row['user_id']}" for row in rows]


def _where(*conditions: str) -> str:
    said = [one for one in conditions if one]
    return f"WHERE {' AND '.join(said)}" if said else ""


# What a number is in: the facts, or whose row it is.
_HOLDS: Final = "facts @? {}::text::jsonpath"
_WHOSE: Final = "merchant_id = (SELECT id FROM merchant WHERE merchant_no = {})"
_PART: Final = (
    "(SELECT id, at, actor, chat_id, merchant_id, action, facts FROM audit {}"
    " ORDER BY at DESC, id DESC LIMIT {})"
)
# A person's name is today's; of somebody who was never of the staff, that of the deed.
_READ: Final = """
SELECT a.at, a.actor, coalesce(p.name, a.facts->>'actor_name', '') AS actor_name, a.chat_id,
    coalesce(g.title, '') AS chat, coalesce(m.merchant_no, '') AS merchant_no, a.action, a.facts
FROM (
    SELECT * FROM ({}) AS found ORDER BY at DESC, id DESC OFFSET {} LIMIT {}
) a
LEFT JOIN person p ON a.actor = 'telegram:' || p.user_id
LEFT JOIN chat_group g ON g.chat_id = a.chat_id
LEFT JOIN merchant m ON m.id = a.merchant_id
ORDER BY a.at DESC, a.id DESC
"""
