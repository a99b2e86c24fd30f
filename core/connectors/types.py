"""What goes into a connector and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.money import Money

CallbackState = Literal["paid", "pending", "failed", "closed"]
StandingState = Literal["paid", "pending", "failed", "closed", "not_found", "unknown"]
PayKind = Literal["url", "qr", "app", "jsapi"]


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    """One try of an order on one channel, as a supplier is told about it.

    attempt_no: our number at the supplier. merchant_name: who sells, so that the payer can be told
    the truth. channel_code: the supplier's own code of the payment method. upstream_no: the
    supplier's number, once it is known.
    """

    attempt_no: str
    order_no: str
    amount: Money
    subject: str
    merchant_name: str
    channel_code: str
    notify_url: str
    return_url: str | None
    client_ip: str
    expires_at: datetime
    upstream_no: str | None = None


@dataclass(frozen=True, slots=True)
class Pay:
    """How the payer gets on. value: an http(s) address, a QR text, or an app's parameters."""

    kind: PayKind
    value: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The supplier took the attempt, and its answer was signed where the document asks for it."""

    upstream_no: str | None
    pay: Pay


@dataclass(frozen=True, slots=True)
class Rejected:
    """The supplier definitely refused: another channel may be tried. Its own code and words."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The answer proves nothing: the attempt may exist. Ask again; never try elsewhere."""

    why: str


CreateReading = Accepted | Rejected | Unknown


@dataclass(frozen=True, slots=True)
class Standing:
    """What a query or a close says about an attempt.

    why: in words, for staff, where the state is `unknown`. paid: what was paid, in `paid` always.
    """

    state: StandingState
    why: str = ""
    upstream_no: str | None = None
    paid: Money | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """A supplier's call as it came in.

    query: raw, without the question mark. headers: names in lower case. address: the caller's.
    """

    method: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    address: str


@dataclass(frozen=True, slots=True)
class Event:
    """A callback whose signature and cross-checks hold. paid: what was paid, in `paid` always."""

    attempt_no: str
    upstream_no: str
    state: CallbackState
    paid: Money | None


@dataclass(frozen=True, slots=True)
class Reply:
    """Our answer to a callback, in the supplier's own words."""

    status: int
    content_type: str
    body: bytes


class InvalidCallback(Exception):
    """The callback is not believed. why: for staff; it holds no secret and no signature."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a document. line: from 1. path: `create.fields.amount`."""

    line: int
    path: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.path or 'document'}: {self.found}; {self.expected}"


class DocumentFaults(Exception):
    """A document cannot be loaded. faults: every one that was found, in the order of lines."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(map(str, faults)))


@dataclass(frozen=True, slots=True)
class FixtureFailure:
    """A fixture of a document that does not come out as it says."""

    case: str
    line: int
    why: str
