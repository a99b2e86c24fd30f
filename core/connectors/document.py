"""A connector document after loading: what it declares, checked and complete with defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.connectors.fixtures import Fixtures
from core.connectors.types import CallbackState, PayKind, Reply

Path = tuple[str, ...]
"""Names from an answer's root inwards: `data.pay_url` is ("data", "pay_url")."""

AmountForm = Literal["decimal", "minor"]
TimeForm = Literal["unix_s", "unix_ms", "yyyyMMddHHmmss", "yyyy-MM-dd HH:mm:ss"]
BodyForm = Literal["form", "json"]
CallbackSource = Literal["form", "json", "query"]


@dataclass(frozen=True, slots=True)
class Value:
    """What a field is given: our own fact or a credential by name, or else a fixed text."""

    ref: str | None
    text: str = ""


Pairs = tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class SignRule:
    """Digest of the sorted, non-empty, raw fields and the key.

    key: name of the credential. join: what stands between fields and key. field: where the
    signature goes; it and `unsigned` take no part.
    """

    key: str
    join: str
    digest: Literal["md5", "sha256"]
    case: Literal["upper", "lower"]
    field: str
    unsigned: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reads:
    """Where an answer or callback says what. amount: as we asked; paid: as the payer paid."""

    attempt_no: Path
    upstream_no: Path | None
    state: Path | None
    amount: Path | None
    paid: Path | None


@dataclass(frozen=True, slots=True)
class Answers:
    """How answers are told apart. refused: codes after which surely no payment can follow."""

    signed: bool
    ok: tuple[tuple[Path, str], ...]
    code: Path
    message: Path | None
    refused: frozenset[str]
    not_found: frozenset[str]


@dataclass(frozen=True, slots=True)
class Operation:
    """One call. pay: where the way to pay is found, the first that is there; create only."""

    method: Literal["POST", "GET"]
    path: str
    fields: Pairs
    reads: Reads
    pay: tuple[tuple[PayKind, Path], ...]


@dataclass(frozen=True, slots=True)
class CallbackRule:
    """How the supplier calls us, and what it wants to hear."""

    source: CallbackSource
    reads: Reads
    success: Reply
    failure: Reply


@dataclass(frozen=True, slots=True)
class Document:
    """Everything a document says. `operations` has no callback in it; `callback` may be absent."""

    code: str
    name: str
    sandbox_only: bool
    create_is_idempotent: bool
    not_found_is_final: bool
    credentials: tuple[str, ...]
    hosts: tuple[str, ...]
    amounts: AmountForm
    times: TimeForm
    zone: str
    body: BodyForm
    sign: SignRule
    must_equal: tuple[tuple[Path, Value], ...]
    states: Mapping[str, CallbackState]
    answers: Answers
    operations: Mapping[str, Operation]
    callback: CallbackRule | None
    fixtures: Fixtures
