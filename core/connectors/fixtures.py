"""The fixtures of a document: its own tests, with invented credentials and a fixed moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from core.connectors.section import Section
from core.connectors.types import AttemptFacts
from core.errors import Refusal
from core.money import parse_money

_NOW: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_SAMPLE: Final = AttemptFacts(
    attempt_no="B2A0001EXAMPLE00001A",
    order_no="T2A0001EXAMPLE00001B",
    amount=parse_money("12.34", "CNY"),
    subject="Tea",
    merchant_name="Tea House",
    channel_code="example",
    notify_url="https://desk.example/callbacks/example",
    return_url=None,
    client_ip="203.0.113.7",
    expires_at=_NOW + timedelta(minutes=15),
)
_FACTS: Final = (
    "attempt_no", "order_no", "amount", "currency", "subject", "merchant_name", "channel_code",
    "notify_url", "return_url", "client_ip", "expires_at", "upstream_no",
)  # fmt: skip
# What a case may say about what comes out, beside `gives`.
OUTCOMES: Final = (
    "url", "sent", "signed", "attempt_no", "upstream_no", "paid", "pay", "code", "message",
)  # fmt: skip

CaseKind = Literal["build", "read", "verify"]


@dataclass(frozen=True, slots=True)
class Case:
    """One expectation.

    kind and operation: `build: create`, `read: query`, `verify: callback`. body: what comes in.
    gives: the kind of outcome (`accepted`, `paid`, `invalid`, ...). outcomes: exact texts.
    """

    about: str
    line: int
    kind: CaseKind
    operation: str
    status: int
    headers: Mapping[str, str]
    body: str
    gives: str
    outcomes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fixtures:
    """What the cases share, and the cases."""

    credentials: Mapping[str, str]
    facts: AttemptFacts
    now: datetime
    nonce: str
    cases: tuple[Case, ...]


def read_fixtures(section: Section, operations: tuple[str, ...]) -> Fixtures:
    """The `fixtures` section. operations: what the document offers, `callback` included."""
    return Fixtures(
        credentials=section.table("credentials", None).each(lambda table, key: table.text(key)),
        facts=_facts(section.table("attempt", _FACTS)),
        now=_instant(section, "now", _NOW),
        nonce=section.text("nonce", "n0nce0n0nce0n0nc"),
        cases=tuple(
            _case(table, operations)
            for table in section.tables(
                "cases",
                (
                    "about",
                    "build",
                    "read",
                    "verify",
                    "status",
                    "headers",
                    "body",
                    "gives",
                    *OUTCOMES,
                ),
            )
        ),
    )


def _facts(section: Section) -> AttemptFacts:
    def text(key: str) -> str:
        return section.text(key, str(getattr(_SAMPLE, key) or ""))

    amount = _SAMPLE.amount
    if "amount" in section:
        try:
            amount = parse_money(section.text("amount"), section.text("currency", "CNY"))
        except Refusal as refusal:
            section.fault("amount", "no amount", refusal.message)
    return AttemptFacts(
        attempt_no=text("attempt_no"),
        order_no=text("order_no"),
        amount=amount,
        subject=text("subject"),
        merchant_name=text("merchant_name"),
        channel_code=text("channel_code"),
        notify_url=text("notify_url"),
        return_url=text("return_url") or None,
        client_ip=text("client_ip"),
        expires_at=_instant(section, "expires_at", _SAMPLE.expires_at),
        upstream_no=text("upstream_no") or None,
    )


def _instant(section: Section, key: str, default: datetime) -> datetime:
    expected = "an instant like 2026-01-02T03:04:05Z"
    text = section.text(key, default.isoformat(), expected=expected)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        section.fault(key, "no instant with a zone", expected)
        return default
    return instant


def _case(section: Section, operations: tuple[str, ...]) -> Case:
    kinds: tuple[CaseKind, ...] = ("build", "read", "verify")
    named = [kind for kind in kinds if kind in section]
    if len(named) != 1:
        section.fault(
            "", f"{len(named)} of build, read and verify", "exactly one, like `read: create`"
        )
    kind: CaseKind = named[0] if named else "build"
    legal = ("callback",) if kind == "verify" else tuple(o for o in operations if o != "callback")
    operation = section.choice(kind, legal, "") if kind in section else ""
    if operation and operation not in operations:
        section.fault(kind, f"“{operation}”", "an operation of this document")
    if kind == "build":
        gives = ""
    else:
        gives = section.text("gives", expected="what comes out, like `paid`")
        section.text("body", "" if "body" in section else None, expected="what comes in")
    return Case(
        about=section.text("about", f"{kind} {operation}" + (f": {gives}" if gives else "")),
        line=section.line,
        kind=kind,
        operation=operation,
        status=section.number("status", 200, 100, 599),
        headers=section.table("headers", None).each(lambda table, name: table.text(name)),
        body=section.text("body", ""),
        gives=gives,
        outcomes={key: section.text(key, "") for key in OUTCOMES if key in section},
    )
