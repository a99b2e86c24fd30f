"""A connector document after loading: what it declares, checked and complete with defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

from core.connectors.fixtures import Fixtures
from core.connectors.messages import BodyForm, Path
from core.connectors.pipes import Step, Words
from core.connectors.types import CallbackState, PayKind, RefundState, Reply, StandingState

AmountForm = Literal["decimal", "minor"]
Method = Literal["POST", "GET", "PUT", "PATCH", "DELETE"]
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
class Certificate:
    """A certificate that comes with a message. issued_by: certificates that we trust, as a
    credential; issued_to: one of these its subject's name must contain."""

    came: Words
    issued_by: str
    issued_to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sign:
    """How a message is signed: steps over a text. own: the field that the signature is put into,
    which takes no part in `${params}`; None where a header carries it. came: where the signature
    of a message that comes in stands; None for ours. names: what the text asks for. fresh: when it
    was signed, where old ones are not believed. certificate: of who signed, where it comes along.
    """

    text: Words
    params: Params
    steps: tuple[Step, ...]
    own: str | None
    came: Words | None
    names: frozenset[str]
    fresh: Words | None = None
    certificate: Certificate | None = None

    @property
    def covers(self) -> frozenset[str]:
        """What its text holds the whole of: not what only a part or a weak sum of is in it."""
        pipes = [part for part in self.text.parts if not isinstance(part, str)]
        return frozenset(
            pipe.name for pipe in pipes if not any(step.operator.loses for step in pipe.steps)
        )

    @property
    def keys(self) -> frozenset[str]:
        """What its steps work with."""
        return frozenset(a.text for step in self.steps for a in step.arguments if a.by_name)

    @property
    def asked(self) -> frozenset[str]:
        """What it speaks of, the keys of its steps included."""
        return self.names | self.keys


Places = tuple[Path, ...]
"""Where something may stand; the first that is there counts."""


@dataclass(frozen=True, slots=True)
class Reads:
    """Where an answer or callback says what. together: its state is said by all places of it, not
    by the first that is there. amount: as we asked; paid: as the payer paid. available: of a
    balance; token, lives: of a token."""

    attempt_no: Places = ()
    upstream_no: Places = ()
    state: Places = ()
    together: bool = False
    amount: Places = ()
    paid: Places = ()
    currency: Places = ()
    refund_no: Places = ()
    upstream_refund_no: Places = ()
    refunded: Places = ()
    available: Places = ()
    token: Places = ()
    lives: Places = ()


@dataclass(frozen=True, slots=True)
class Holds:
    """What must be true of a message: the text at a path is one of these; no words: it is there."""

    path: Path
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Envelope:
    """Content that came in sealed or packed. opened: what it is made of; form: as what it is read
    then."""

    opened: Words
    form: BodyForm

    @property
    def paths(self) -> tuple[Path, ...]:
        """The fields of the message that it is made of."""
        names = (name.partition(".") for name in sorted(self.opened.names))
        return tuple(tuple(path.split(".")) for root, _, path in names if root == "body" and path)


@dataclass(frozen=True, slots=True)
class Answers:
    """How answers are told apart. verify: None where they are not signed; only_good: where refusals
    are not. refused, not_found: codes (and HTTP statuses) after which surely no payment can follow,
    or it is not known there. faults: statuses at which codes are read, though nothing there is
    good."""

    form: BodyForm
    verify: Sign | None
    only_good: bool
    envelope: Envelope | None
    ok: tuple[Holds, ...]
    statuses: frozenset[int]
    code: Places
    message: Places
    refused: frozenset[str]
    refused_statuses: frozenset[int]
    not_found: frozenset[str]
    not_found_statuses: frozenset[int]
    faults: frozenset[int]

    def tells(self, status: int) -> bool:
        """Whether an answer of this HTTP status says anything."""
        return (
            status in self.statuses
            or status in self.faults
            or status in self.refused_statuses
            or status in self.not_found_statuses
        )


@dataclass(frozen=True, slots=True)
class PayAt:
    """The way to pay stands in the answer. html: it is a page with a form, which is taken apart."""

    kind: PayKind
    places: Places
    html: bool = False


@dataclass(frozen=True, slots=True)
class PayBy:
    """The way to pay stands in one place, and what it is in another. html: words for pages."""

    places: Places
    by: Path
    kinds: Mapping[str, PayKind]
    html: frozenset[str]


@dataclass(frozen=True, slots=True)
class PayMade:
    """The way to pay is made of the answer: a text, or fields that go as JSON, signed by us where
    they are. needs: what the answer must say."""

    kind: PayKind
    text: Words | None
    fields: Fields
    sign: Sign | None
    needs: Places


@dataclass(frozen=True, slots=True)
class PayNothing:
    """There is nothing for the payer to do here."""


PayRule = PayAt | PayBy | PayMade | PayNothing


@dataclass(frozen=True, slots=True)
class Operation:
    """One call. within: where the paths of its answer begin. pay: where the way to pay is found,
    the first that is there; of create only. hands: what the payer is handed where not we but the
    payer sends the request. gives: what a good answer means by itself.
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
    states: Mapping[str, StandingState | RefundState]
    pay: tuple[PayRule, ...] = ()
    hands: PayKind | None = None
    gives: StandingState | RefundState | None = None
    within: Path = ()

    @property
    def names(self) -> frozenset[str]:
        """Everything that its request asks for."""
        return self.path.names | names_in(self.fields) | frozenset().union(
            *(words.names for words in self.headers.values()), self.sign.asked if self.sign else ()
        )  # fmt: skip


def names_in(tree: FieldTree) -> frozenset[str]:
    """Every name that fields ask for."""
    if isinstance(tree, Words):
        return tree.names
    if isinstance(tree, Packed):
        return names_in(tree.tree)
    inner = tree if isinstance(tree, tuple) else tree.values()
    return frozenset().union(*map(names_in, inner))


@dataclass(frozen=True, slots=True)
class CallbackRule:
    """How the supplier calls us, and what it wants to hear.

    sources: where its fields may come; one of them has to be filled, and one alone. verify: None
    where it does not sign; then, as where `asks` is said, a query has the word. each:
    where a batch stands, whose items are read one by one. addresses: networks it calls from; none
    means any. ignored: words of `state` that mean nothing to us.
    """

    sources: tuple[BodyForm, ...]
    verify: Sign | None
    envelope: Envelope | None
    within: Path
    each: Path
    reads: Reads
    states: Mapping[str, CallbackState]
    ignored: frozenset[str]
    asks: bool
    addresses: tuple[IPv4Network | IPv6Network, ...]
    success: Reply
    duplicate: Reply
    failure: Reply


@dataclass(frozen=True, slots=True)
class Document:
    """Everything a document says. `operations` has neither callback nor create in it.

    servers: where its interface may be; hosts: where payers may be sent; none means anywhere. apps:
    schemes of the apps that an address may open instead.
    creates: by the channel's code; under "" the one for every code. credentials: with a title for
    people, `base_url` included. values: texts of the document's own, by name. must_equal: what
    answers and callbacks must say of us. lost: statuses that say that our token is over.
    """

    code: str
    name: str
    sandbox_only: bool
    create_is_idempotent: bool
    refund_is_idempotent: bool
    not_found_is_final: bool
    credentials: Mapping[str, str]
    servers: tuple[str, ...]
    hosts: tuple[str, ...]
    apps: tuple[str, ...]
    amounts: AmountForm
    values: Mapping[str, Words]
    must_equal: tuple[tuple[Path, Words], ...]
    creates: Mapping[str, Operation]
    operations: Mapping[str, Operation]
    lost: frozenset[int]
    callback: CallbackRule | None
    fixtures: Fixtures
