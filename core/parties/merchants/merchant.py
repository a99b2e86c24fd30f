"""A merchant, as a value, and what its review looks at."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from core.kernel.clock import DayCut
from core.kernel.money import HOME_CURRENCY


@dataclass(frozen=True, slots=True)
class Merchant:
    """A customer of the platform. tag: its short number inside order numbers. state: open |
    suspended | archived."""

    id: UUID
    merchant_no: str
    tag: int
    name: str
    state: str
    currency: str
    day_cut: DayCut
    credit_line_minor: int | None
    reviewed: bool


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """Who a merchant is before the law, as far as it is known. Empty: nobody said it yet.

    category: what it sells. site: where it sells. contact: whom to ask.
    """

    legal_name: str = ""
    licence_no: str = ""
    category: str = ""
    site: str = ""
    contact: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """What has to be said before a review, by name."""
        return tuple(name for name, text in asdict(self).items() if not text)


# What a review looks at, each with the most characters it may have.
REVIEW_FACTS: Final = {
    "legal_name": 200, "licence_no": 100, "category": 100, "site": 200, "contact": 200,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dossier:
    """A merchant with what its review looks at, and how that went. reviewed_digest: of what was
    reviewed; empty where nobody could say."""

    merchant: Merchant
    facts: ReviewFacts
    reviewed_at: datetime | None
    reviewed_by_name: str
    reviewed_digest: str

    @property
    def digest(self) -> str:
        """Of all that a review looks at, as it is now."""
        looked_at = {"name": self.merchant.name, **asdict(self.facts)}
        return hashlib.sha256(json.dumps(looked_at, sort_keys=True).encode()).hexdigest()

    @property
    def changed(self) -> bool:
        """Whether something is not as it was when it was reviewed."""
        return bool(self.reviewed_digest) and self.reviewed_digest != self.digest


@dataclass(frozen=True, slots=True)
class NewMerchant:
    """What it takes to open a merchant. merchant_no: M and 1 to 9 digits. name: 1 to 64 characters;
    suppliers see it."""

    merchant_no: str
    name: str
    currency: str = HOME_CURRENCY
    day_cut: DayCut = field(default_factory=DayCut)
    facts: ReviewFacts = field(default_factory=ReviewFacts)


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


def read_dossier(row: asyncpg.Record) -> Dossier:
    """The same row, with all that a review looks at."""
    return Dossier(
        merchant=read_merchant(row),
        facts=ReviewFacts(*(row[name] for name in REVIEW_FACTS)),
        reviewed_at=row["reviewed_at"],
        reviewed_by_name=row["reviewed_by_name"],
        reviewed_digest=row["reviewed_digest"],
    )
