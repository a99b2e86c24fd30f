"""What goes into a connector and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from core.kernel.money import Money

CallbackState = Literal["paid", "pending", "failed", "closed"]
StandingState = Literal["paid", "pending", "approved", "failed", "closed", "not_found", "unknown"]
RefundState = Literal["succeeded", "pending", "failed", "not_found", "unknown"]
PayKind = Literal["url", "qr", "app", "jsapi", "form", "none"]


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """A refund of an attempt's money, as a supplier is told about it.

    refund_no: our number at the supplier. amount: what goes back, at most what was paid.
    created_at: the same in every call about it. upstream_refund_no: the supplier's number, once it
    is known.
    """

    refund_no: str
    amount: Money
    reason: str
    created_at: datetime
    upstream_refund_no: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    """One try of an order on one channel, as a supplier is told about it.

    attempt_no: our number at the supplier. merchant_name: who sells, so that the payer can be told
    the truth. channel_code: the supplier's own code of the payment method. created_at: of the
    attempt, the same in every call about it. payer_id: who the payer is at the supplier (an
    openid), where the merchant said it. upstream_no: the supplier's number, once it is known.
    refund: in calls about one.
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
    created_at: datetime
    expires_at: datetime
    payer_id: str = ""
    upstream_no: str | None = None
    refund: RefundFacts | None = None


@dataclass(frozen=True, slots=True)
class Pay:
    """How the payer gets on.

    value: an http(s) address, a QR text, what an app or a page (jsapi) needs, or a `form`, which is
    the JSON {"action": address, "fields": {name: text}} that a browser posts. `none`: the supplier
    has all it needs, like a code that it scanned; the value is empty.
    """

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
    """What a query, a close or a capture says about an attempt.

    state: `approved` is what waits for our capture. why: in words, for staff, where the state is
    `unknown`. paid: what was paid, in `paid` always.
    """

    state: StandingState
    why: str = ""
    upstream_no: str | None = None
    paid: Money | None = None


@dataclass(frozen=True, slots=True)
class RefundStanding:
    """What a supplier says about a refund. `failed`: it surely gave nothing back and will not.

    code: the supplier's, where it refused. why: in words, for staff.
    """

    state: RefundState
    code: str = ""
    why: str = ""
    upstream_refund_no: str | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What the supplier holds for us. why: in words, where it could not be read."""

    available: Money | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """What opens a supplier's interface for a while."""

    value: str
    lives_s: int


class TokenRefused(Exception):
    """No token was given out. why: for staff; it holds no secret."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


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
    """One thing a callback tells, its signature and cross-checks held.

    paid: what was paid, in `paid` always, unless it is hearsay. upstream_no: of the payment; empty
    where the supplier does not say it. hearsay: not to be acted on before a query said the same
    (the document asks for that, or the supplier does not sign).
    """

    attempt_no: str
    upstream_no: str
    state: CallbackState
    paid: Money | None
    hearsay: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """Our answer to a callback, in the supplier's own words."""

    status: int
    content_type: str
    body: bytes


# Why a callback is not believed, in words for staff. The last two are said by the supplier itself.
REFUSED_FOR: Final[dict[str, str]] = {
    "unreadable": "cannot be read",
    "signature": "the signature is wrong",
    "address": "from an unknown address",
    "stale": "signed too long ago",
    "not_ours": "about somebody else",
    "content": "incomplete or unclear",
    "currency": "signed, but in another currency",
    "attempt": "signed, but about another attempt",
}


class InvalidCallback(Exception):
    """The callback is not believed. why: for staff; it holds no secret and no signature. reason:
    one of REFUSED_FOR, by which it is counted. attempt_no: what it is about, where that is signed;
    else empty."""

    def __init__(self, why: str, reason: str, attempt_no: str = "") -> None:
        self.why = why
        self.reason = reason
        self.attempt_no = attempt_no
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
