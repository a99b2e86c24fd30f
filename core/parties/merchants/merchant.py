"""A merchant, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from core.kernel.clock import DayCut


@dataclass(frozen=True, slots=True)
class Merchant:
    """A customer of the platform. tag: its short number inside order numbers."""

    id: UUID
    merchant_no: str
    tag: int
    name: str
    state: str
    currency: str
    day_cut: DayCut
    credit_line_minor: int | None
    reviewed: bool


def read_merchant(row: asyncpg.Record) -> Merchant:
    """A row as it is read."""
    return Merchant(
        id=row["id"],
        merchant_no=row["merchant_no"],
        tag=row["tag"],
        name=row["name"],
        state=row["state"],
        currency=row["currency"],
        day_cut=DayCut(row["day_cut"], row["zone"]),
        credit_line_minor=row["credit_line_minor"],
        reviewed=row["reviewed_at"] is not None,
    )
