"""A server that says how it answers: the plans of all statements, those inside functions as well.

PostgreSQL's auto_explain writes them into the server's log as they were carried out.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.embedded import EmbeddedPostgres

_CONF: Final = """
session_preload_libraries = 'auto_explain'
auto_explain.log_min_duration = 0
auto_explain.log_nested_statements = on
auto_explain.log_analyze = on
auto_explain.log_timing = off
auto_explain.log_format = json
"""
_LOGGED: Final = re.compile(r"LOG:  duration: ([\d.]+) ms  plan:\n((?:\t.*\n)+)")
_MONTHLY: Final = re.compile(r"(.+)_(\d{4}_\d{2})")


@dataclass(frozen=True)
class Node:
    """A step of a plan, of a month. rows: that it looked at. ran: else it was only planned."""

    kind: str
    table: str
    month: str
    rows: float
    ran: bool


@dataclass(frozen=True)
class Plan:
    """A statement and how it was carried out. kinds: of all its steps. read_through: tables that
    were read from one end to the other."""

    sql: str
    took_ms: float
    kinds: frozenset[str]
    read_through: frozenset[str]
    months: tuple[Node, ...]


class Talkative:
    """A server of its own in a home of its own, with its log."""

    def __init__(self, home: Path) -> None:
        self.postgres = EmbeddedPostgres(home, durable=False)
        self._conf = home / "postgres" / "postgresql.conf"
        self._log = home / "log" / "postgresql.log"

    async def start(self) -> None:
        await self.postgres.start()
        await self.postgres.stop()
        with self._conf.open("a", encoding="utf-8") as conf:
            conf.write(_CONF)
        await self.postgres.start()

    def written(self) -> int:
        """How long the log is by now."""
        return self._log.stat().st_size

    def plans(self, since: int) -> list[Plan]:
        """Of what was asked since the log was so long."""
        with self._log.open("rb") as log:
            log.seek(since)
            text = log.read().decode()
        return [_plan(float(found[1]), json.loads(found[2])) for found in _LOGGED.finditer(text)]


def _plan(took_ms: float, said: dict[str, Any]) -> Plan:
    nodes = list(_nodes(said["Plan"]))
    return Plan(
        said["Query Text"],
        took_ms,
        frozenset(node["Node Type"] for node in nodes),
        frozenset(node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"),
        tuple(
            Node(
                node["Node Type"],
                found[1],
                found[2],
                node["Actual Rows"] + node.get("Rows Removed by Filter", 0),
                bool(node["Actual Loops"]),
            )
            for node in nodes
            if (found := _MONTHLY.fullmatch(node.get("Relation Name", "")))
        ),
    )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


@asynccontextmanager
async def talkative(home: Path) -> AsyncIterator[Talkative]:
    """A server that runs inside."""
    server = Talkative(home)
    await server.start()
    try:
        yield server
    finally:
        await server.postgres.stop()
