"""A connector document after loading: what it declares, checked and complete with defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.connectors.fixtures import Fixtures
from core.connectors.messages import BodyForm, Path
from core.connectors.pipes import Step, Words
from core.connectors.types import CallbackState, PayKind, Reply

AmountForm = Literal["decimal", "minor"]
Method = Literal["POST", "GET", "PUT", "DELETE"]
Order = Literal["name", "caseless", "written"]


@dataclass(frozen=True, slots=True)
class Packed:
    """Fields that travel as JSON inside one text."""

    tree: FieldTree


FieldTree = Words | Packed | Mapping[str, "FieldTree"] | tuple["FieldTree", ...]
Fields = Mapping[str, FieldTree]


@dataclass(frozen=True, slots=True)
class Params:
    """How a message's fields are written as the text that is signed, `${params}`.

    order: by name (capitals first), by name whatever its case, as they stand in the message, or
    just these, in this order. without: these take no part (nor does the signature's own field).
    write: name=value, the value alone, or name="value". nested: what becomes of a table or list.
    """

    order: Order | tuple[str, ...] = "name"
    without: frozenset[str] = frozenset()
    empty: Literal["drop", "keep"] = "drop"
    write: Literal["pair", "value", "quoted"] = "pair"
    url: bool = False
    join: str = "&"
    nested: Literal["skip", "json", "flat"] = "skip"


@dataclass(frozen=True, slots=True)
class Sign:
    """How a message is signed: steps over a text. own: the field that the signature is put into,
    which takes no part in `${params}`; None where a header carries it. came: where the signature
    of a message that comes in stands; None for ours. names: what the text asks for.
    """

    text: Words
    params: Params
    steps: tuple[Step, ...]
    own: str | None
    came: Words | None
    names: frozenset[str]

    @property
    def asked(self) -> frozenset[str]:
        """What it speaks of, the keys of its steps included."""
        keys = (a.text for step in self.steps for a in step.arguments if a.by_name)
        return self.names | frozenset(keys)


@dataclass(frozen=True, slots=True)
class Reads:
    """Where an answer or callback says what. amount: as we asked; paid: as the payer paid."""

    attempt_no: Path | None = None
    upstream_no: Path | None = None
    state: Path | None = None
    amount: Path | None = None
    paid: Path | None = None
    currency: Path | None = None


@dataclass(frozen=True, slots=True)
class Holds:
    """What must be true of a message: the text at a path is one of these; no words: it is there."""

    path: Path
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Answers:
    """How answers are told apart. verify: None where they are not signed. refused, not_found:
    codes (and HTTP statuses) after which surely no payment can follow, or it is not known there.
    faults: statuses at which codes are read, though nothing there is good."""

    form: BodyForm
    verify: Sign | None
    ok: tuple[Holds, ...]
    statuses: frozenset[int]
    code: Path | None
    message: Path | None
    refused: frozenset[str]
    refused_statuses: frozenset[int]
    not_found: frozenset[str]
    not_found_statuses: frozenset[int]
    faults: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Operation:
    """One call. within: where the paths of its answer begin. pay: where the way to pay is found,
    the first that is there; of create only. gives: what a good answer means by itself; of close.
    """

    method: Method
    path: Words
    body: BodyForm
    root: str
    headers: Mapping[str, Words]
    fields: Fields
    sign: Sign | None
    answers: Answers
    reads: Reads
    states: Mapping[str, CallbackState]
    pay: tuple[tuple[PayKind, Path], ...]
    gives: CallbackState | None = None
    within: Path = ()


@dataclass(frozen=True, slots=True)
class Envelope:
    """Content that came in sealed. opened: what it is made of; form: as what it is read then."""

    opened: Words
    form: BodyForm


@dataclass(frozen=True, slots=True)
class CallbackRule:
    """How the supplier calls us, and what it wants to hear."""

    source: BodyForm
    verify: Sign
    envelope: Envelope | None
    reads: Reads
    states: Mapping[str, CallbackState]
    success: Reply
    failure: Reply


@dataclass(frozen=True, slots=True)
class Document:
    """Everything a document says. `operations` has no callback in it; `callback` may be absent.

    values: texts of the document's own, by name. must_equal: what answers and callbacks must say
    of us.
    """

    code: str
    name: str
    sandbox_only: bool
    create_is_idempotent: bool
    not_found_is_final: bool
    credentials: tuple[str, ...]
    hosts: tuple[str, ...]
    amounts: AmountForm
    values: Mapping[str, Words]
    must_equal: tuple[tuple[Path, Words], ...]
    operations: Mapping[str, Operation]
    callback: CallbackRule | None
    fixtures: Fixtures
