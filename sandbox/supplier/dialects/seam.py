"""What a dialect is: a way to read what was sent and to write what is said."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple
from urllib.parse import parse_qsl

from sandbox.supplier.answers import BAD_PARAMETER, Answer, Facts, Refused
from sandbox.supplier.config import Account

MAX_FIELDS = 64
PAGE = "page"  # a create that a payer's browser brings, instead of a server


class Route(NamedTuple):
    """Where an operation is asked; '' where the message itself names it."""

    method: Literal["GET", "POST"]
    path: str
    operation: str


class Heading(NamedTuple):
    """What a message claims before anything is checked: '' for what cannot be told."""

    mch_id: str
    operation: str


@dataclass(frozen=True)
class Sent:
    """A request as it came. target: path and query as they were written. names: what stands in
    the path for what a route left open."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    operation: str
    names: Mapping[str, str]


@dataclass(frozen=True)
class Asked:
    """A request whose signature is right; when it was signed, in unix seconds."""

    sent_at: int
    facts: Facts


@dataclass(frozen=True)
class Wire:
    """An answer or a callback as it leaves."""

    body: bytes
    content_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Dialect(ABC):
    """`routes`: where it is asked. `names`: what it calls a field, where that differs from
    `Facts`. `wrong_signature` has the right form and never fits."""

    routes: ClassVar[tuple[Route, ...]]
    names: ClassVar[Mapping[str, str]]
    wrong_signature: ClassVar[str]

    @abstractmethod
    def heading(self, sent: Sent) -> Heading:
        """Whatever was sent: nothing here refuses."""

    @abstractmethod
    def read(self, sent: Sent, account: Account) -> Asked:
        """`Refused` when the signature is not the account's, or the request cannot be read."""

    @abstractmethod
    def answer(self, operation: str, answer: Answer, account: Account | None, at: int) -> Wire:
        """A signed answer. account: None where it is unknown. at: now, in unix seconds."""

    @abstractmethod
    def callback(self, facts: Facts, account: Account, at: int, sign: str | None) -> Wire:
        """A signed callback; `sign` stands in the place of the signature."""

    @abstractmethod
    def is_delivered(self, status: int, text: str) -> bool:
        """Whether this answer to a callback means that it was taken."""


def form_claims(raw: bytes) -> dict[str, str]:
    """The fields of a form that nobody has checked; none where it is no form."""
    try:
        return dict(parse_qsl(raw.decode("utf-8"), max_num_fields=MAX_FIELDS))
    except ValueError:
        return {}


def read_form(raw: bytes) -> dict[str, str]:
    """URL-encoded fields of a body; `Refused` when they cannot be told apart for certain."""
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=bool(raw),
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:
        raise Refused(BAD_PARAMETER, "body", "must be a URL-encoded UTF-8 form") from error
    params = dict(pairs)
    if len(params) != len(pairs):
        raise Refused(BAD_PARAMETER, "body", "gives a field twice")
    return params
