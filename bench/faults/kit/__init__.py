"""What all faults need: desks of their own, somebody who uses them, and a table."""

from __future__ import annotations

from bench.faults.kit.chat import Chats, Line
from bench.faults.kit.desk import Desk, DeskFailed
from bench.faults.kit.front import Front
from bench.faults.kit.ground import Ground, Ports
from bench.faults.kit.machine import frozen, processes_of
from bench.faults.kit.meter import Call, Meter, p95
from bench.faults.kit.report import Row, as_json, as_table, share
from bench.faults.kit.shop import Shop
from bench.faults.kit.site import Site, site
from bench.faults.kit.town import Town
from bench.faults.kit.waits import NotSo, every, until

__all__ = [
    "Call",
    "Chats",
    "Desk",
    "DeskFailed",
    "Front",
    "Ground",
    "Line",
    "Meter",
    "NotSo",
    "Ports",
    "Row",
    "Shop",
    "Site",
    "Town",
    "as_json",
    "as_table",
    "every",
    "frozen",
    "p95",
    "processes_of",
    "share",
    "site",
    "until",
]
