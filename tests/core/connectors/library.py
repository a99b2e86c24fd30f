"""The messages of the library's documents: what their fixtures say came in, and what that means."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from core.connectors import (
    Balance,
    Callback,
    Connector,
    CreateReading,
    Event,
    HttpAnswer,
    RefundStanding,
    Standing,
    Token,
    TokenRefused,
    load,
)
from core.connectors.fixtures import Case
from core.connectors.messages import BodyForm
from tests.core.connectors.support import LIBRARY

Outcome = CreateReading | Standing | RefundStanding | Balance | Token | None
"""What an answer says; None where a token was refused."""

DOCUMENTS: Final = {path.stem: path.read_text() for path in sorted(LIBRARY.glob("*.yaml"))}
CONNECTORS: Final = {code: load(text) for code, text in DOCUMENTS.items()}
PARSED: Final[dict[str, dict[str, Any]]] = {
    code: yaml.safe_load(text.partition("\nfixtures:")[0]) for code, text in DOCUMENTS.items()
}


@dataclass(frozen=True)
class Answered:
    """An answer of a document's fixtures. signed: `true`, `good` or `false`, as the document has
    it; form: what it is read as."""

    connector: Connector
    case: Case
    signed: str
    form: BodyForm

    @property
    def answer(self) -> HttpAnswer:
        return HttpAnswer(self.case.status, lower(self.case.headers), self.case.body.encode())

    def said(self, answer: HttpAnswer, credentials: Mapping[str, str]) -> Outcome:
        connector, facts, now = self.connector, self.case.facts, self.case.now
        match self.case.operation:
            case "create":
                return connector.read_create(answer, facts, credentials, now=now, nonce="n")
            case "refund" | "refund_query" as operation:
                return connector.read_refund(operation, answer, facts, credentials, now=now)
            case "balance":
                currency = facts.amount.currency
                return connector.read_balance(answer, credentials, currency=currency, now=now)
            case "token":
                with contextlib.suppress(TokenRefused):
                    return connector.read_token(answer, credentials, now=now)
                return None
            case operation:
                return connector.read_standing(operation, answer, facts, credentials, now=now)


@dataclass(frozen=True)
class Called:
    """A callback of a document's fixtures. form: what it is read as."""

    connector: Connector
    case: Case
    form: BodyForm

    @property
    def callback(self) -> Callback:
        headers, address = lower(self.case.headers), self.case.address
        if self.form == "query":
            return Callback("GET", self.case.body, headers, b"", address)
        return Callback("POST", "", headers, self.case.body.encode(), address)

    def said(self, callback: Callback, credentials: Mapping[str, str]) -> tuple[Event, ...]:
        currency = self.case.facts.amount.currency
        return self.connector.verify(callback, credentials, currency=currency, now=self.case.now)


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def rules_of(code: str, case: Case) -> dict[str, Any]:
    """What a document says of the answers to an operation, the innermost word last."""
    whole = PARSED[code]
    operation = whole[case.operation]
    ways = operation.get("ways", {})
    way = ways.get(case.facts.channel_code, ways.get("*", {}))
    layers = [whole, operation, *([way] if case.operation == "create" else [])]
    return {name: rule for layer in layers for name, rule in layer.get("answers", {}).items()}


def answered() -> Iterator[Answered]:
    for code, connector in CONNECTORS.items():
        for case in connector.fixtures.cases:
            if case.kind == "read":
                rules = rules_of(code, case)
                signed = str(rules.get("signed", "true")).lower()
                yield Answered(connector, case, signed, rules.get("from", "json"))


ANSWERED: Final = list(answered())
CALLED: Final = [
    Called(connector, case, connector.called_by[0])
    for connector in CONNECTORS.values()
    for case in connector.fixtures.cases
    if case.kind == "verify"
]
