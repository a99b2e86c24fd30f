"""The fixtures of a document: its own tests, with invented credentials and a fixed moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from core.connectors.section import Faults, Section
from core.connectors.tree import Entry, Table, Text
from core.connectors.types import AttemptFacts, RefundFacts
from core.kernel.errors import Refusal
from core.kernel.money import Money, parse_money

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
    created_at=_NOW,
    expires_at=_NOW + timedelta(minutes=15),
)
SECTION: Final = ("credentials", "attempt", "refund", "token", "now", "nonce", "cases")
ATTEMPT: Final = (
    "attempt_no", "order_no", "amount", "currency", "subject", "merchant_name", "channel_code",
    "notify_url", "return_url", "client_ip", "payer_id", "created_at", "expires_at", "upstream_no",
)  # fmt: skip
_OF_REFUND: Final[Mapping[str, str]] = {
    "refund_no": "refund_no", "refund_amount": "amount", "refund_reason": "reason",
    "refund_created_at": "created_at", "upstream_refund_no": "upstream_refund_no",
}  # fmt: skip
REFUND: Final = ("refund_no", "amount", "reason", "created_at", "upstream_refund_no")
# What a case may say about what comes out, beside `gives`.
OUTCOMES: Final = (
    "url", "sent", "signed", "attempt_no", "upstream_no", "paid", "pay", "kind", "code", "message",
    "upstream_refund_no", "available", "token", "events",
)  # fmt: skip
CASE: Final = (
    "about", "build", "read", "verify", "attempt", "refund", "now", "status", "address", "headers",
    "body", "gives", *OUTCOMES,
)  # fmt: skip

CaseKind = Literal["build", "read", "verify"]


@dataclass(frozen=True, slots=True)
class Case:
    """One expectation.

    kind and operation: `build: create`, `read: query`, `verify: callback`. facts, now: of this
    case. address: who calls. body: what comes in. gives: the kind of outcome (`accepted`, `paid`,
    `invalid`, ...). outcomes: exact texts.
    """

    about: str
    line: int
    kind: CaseKind
    operation: str
    facts: AttemptFacts
    now: datetime
    status: int
    address: str
    headers: Mapping[str, str]
    body: str
    gives: str
    outcomes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fixtures:
    """What the cases share, and the cases."""

    credentials: Mapping[str, str]
    facts: AttemptFacts
    token: str
    now: datetime
    nonce: str
    cases: tuple[Case, ...]


def read_fixtures(section: Section, operations: tuple[str, ...]) -> Fixtures:
    """The `fixtures` section. operations: what the document offers, `callback` included."""
    now = _instant(section, "now", _NOW)
    facts = _facts(section.table("attempt", ATTEMPT), _SAMPLE)
    if "refund" in section or {"refund", "refund_query"} & set(operations):
        facts = replace(facts, refund=_refund(section.table("refund", REFUND), facts))
    return Fixtures(
        credentials=section.table("credentials", None).each(lambda table, key: table.text(key)),
        facts=facts,
        token=section.text("token", "t0ken"),
        now=now,
        nonce=section.text("nonce", "n0nce0n0nce0n0nc"),
        cases=tuple(
            _case(table, operations, facts, now) for table in section.tables("cases", CASE)
        ),
    )


def facts_with(facts: AttemptFacts, said: Mapping[str, str]) -> AttemptFacts:
    """Facts with some said anew, by the names that requests know them by. Raises DocumentFaults."""
    faults = Faults()
    entries = {name: Entry(name, 1, Text(text, 1)) for name, text in said.items()}
    of_refund = {
        known: Entry(known, 1, entries.pop(name).node)
        for name, known in _OF_REFUND.items()
        if name in entries
    }
    made = _facts(Section(Table(entries, 1), "", faults, (*ATTEMPT, *_OF_REFUND)), facts)
    if of_refund:
        made = replace(made, refund=_refund(Section(Table(of_refund, 1), "", faults, REFUND), made))
    faults.raise_any()
    return made


def _facts(section: Section, usual: AttemptFacts) -> AttemptFacts:
    def text(key: str) -> str:
        return section.text(key, str(getattr(usual, key) or ""))

    return AttemptFacts(
        attempt_no=text("attempt_no"),
        order_no=text("order_no"),
        amount=_money(section, usual.amount, section.text("currency", usual.amount.currency)),
        subject=text("subject"),
        merchant_name=text("merchant_name"),
        channel_code=text("channel_code"),
        notify_url=text("notify_url"),
        return_url=text("return_url") or None,
        client_ip=text("client_ip"),
        created_at=_instant(section, "created_at", usual.created_at),
        expires_at=_instant(section, "expires_at", usual.expires_at),
        payer_id=text("payer_id"),
        upstream_no=text("upstream_no") or None,
        refund=usual.refund,
    )


def _refund(section: Section, facts: AttemptFacts) -> RefundFacts:
    usual = facts.refund or RefundFacts("R2A0001EXAMPLE00001C", facts.amount, "returned", _NOW)
    return RefundFacts(
        refund_no=section.text("refund_no", usual.refund_no),
        amount=_money(section, usual.amount, facts.amount.currency),
        reason=section.text("reason", usual.reason),
        created_at=_instant(section, "created_at", usual.created_at),
        upstream_refund_no=section.text("upstream_refund_no", usual.upstream_refund_no or "")
        or None,
    )


def _money(section: Section, usual: Money, currency: str) -> Money:
    if "amount" not in section and currency == usual.currency:
        return usual
    try:
        money = parse_money(section.text("amount", usual.plain()), currency)
    except Refusal as refusal:
        section.fault("amount", "no amount", refusal.message)
        return usual
    if money.minor <= 0:
        section.fault("amount", f"“{money.plain()}”", "more than 0")
    return money


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


def _case(
    section: Section, operations: tuple[str, ...], facts: AttemptFacts, now: datetime
) -> Case:
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
    own = _facts(section.table("attempt", ATTEMPT), facts) if "attempt" in section else facts
    if "refund" in section:
        own = replace(own, refund=_refund(section.table("refund", REFUND), own))
    return Case(
        about=section.text("about", f"{kind} {operation}" + (f": {gives}" if gives else "")),
        line=section.line,
        kind=kind,
        operation=operation,
        facts=own,
        now=_instant(section, "now", now),
        status=section.number("status", 200, 100, 599),
        address=section.text("address", "203.0.113.9"),
        headers=section.table("headers", None).each(lambda table, name: table.text(name)),
        body=section.text("body", ""),
        gives=gives,
        outcomes={key: section.text(key, "") for key in OUTCOMES if key in section},
    )
