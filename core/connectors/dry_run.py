"""Trying a document out on a desk: what would be sent, and how an answer or a callback is read.

Nothing is sent and nothing is kept. Every secret is masked, and of a signature that should have
come only the ends are shown: whoever tries a document out cannot make a callback with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from core.connectors.checks import answered, called
from core.connectors.connector import Connector
from core.connectors.fixtures import facts_with
from core.connectors.trace import Recorder, Step
from core.connectors.types import AttemptFacts, Callback, DocumentFaults
from core.kernel.errors import Bug, Refusal
from core.kernel.masking import Mask
from core.kernel.wire import HttpAnswer, HttpRequest

_STATUS_LINE: Final = re.compile(r"HTTP/[0-9.]+ ([1-5][0-9]{2})\b[^\n]*")
_REQUEST_LINE: Final = re.compile(r"(GET|POST|PUT) (\S+) HTTP/[0-9.]+")
_DOUBTS: Final = frozenset({"unknown", "invalid", "refused"})
# About no attempt.
_BARE: Final = frozenset({"balance", "token"})
ADDRESS: Final = "203.0.113.9"


@dataclass(frozen=True, slots=True)
class DrySent:
    """A request as it would be sent, secrets masked.

    headers: one on each line. fields: of a form or a query, decoded. body: as it leaves. signed:
    the exact text that was signed. by_payer: not we but the payer's browser sends it.
    """

    method: str
    url: str
    headers: str
    fields: tuple[tuple[str, str], ...]
    body: str
    signed: str
    by_payer: bool


@dataclass(frozen=True, slots=True)
class DryRead:
    """How a message is read, secrets masked.

    steps: in order; where it is not believed, or not understood, the last one is not ok. gives:
    what comes out, in the word that a fixture has for it; outcomes: the rest, by name.
    """

    steps: tuple[Step, ...]
    gives: str
    outcomes: Mapping[str, str]


def tried_facts(connector: Connector, said: Mapping[str, str]) -> AttemptFacts:
    """The facts of the fixtures with some said anew, by their names: `amount`, `upstream_no`,
    `refund_amount`, … Refusals: dry_run_impossible."""
    try:
        return facts_with(connector.fixtures.facts, said)
    except DocumentFaults as error:
        why = "; ".join(f"{f.path}: {f.found}; {f.expected}" for f in error.faults)
        raise Refusal("dry_run_impossible", why=why) from None


class DryRun:
    """One document, tried with facts, credentials and a moment; those of its fixtures where none
    are given.

    Refusals: dry_run_impossible.
    """

    def __init__(
        self,
        connector: Connector,
        *,
        facts: AttemptFacts | None = None,
        credentials: Mapping[str, str] | None = None,
        now: datetime | None = None,
    ) -> None:
        shared = connector.fixtures
        if credentials is not None:
            _need_all(connector, credentials)
        self._connector = connector
        self._facts = facts or shared.facts
        self._credentials = shared.credentials if credentials is None else credentials
        self._now = now or shared.now
        self._nonce = shared.nonce
        self._token = shared.token

    def request(self, operation: str) -> DrySent:
        """The request of an operation."""
        self._need_called(operation)
        facts = None if operation in _BARE else self._facts
        try:
            request = self._connector.build(
                operation,
                facts,
                self._credentials,
                now=self._now,
                nonce=self._nonce,
                resources={"token": self._token},
            )
            mask = self._mask()
        except Bug as bug:
            raise Refusal("dry_run_impossible", why=str(bug)) from None
        return DrySent(
            method=request.method,
            url=mask.text(request.url),
            headers=mask.headers(request.headers),
            fields=tuple((mask.text(name), mask.text(value)) for name, value in _fields(request)),
            body=mask.body(request.body),
            signed=mask.text(request.signed),
            by_payer=operation == "create" and self._connector.sent_by_payer(self._facts),
        )

    def answer(self, operation: str, pasted: str) -> DryRead:
        """How an answer to an operation is read. pasted: its body, or all of it from the line
        `HTTP/1.1 200` on."""
        self._need_called(operation)
        recorder, answer = Recorder(self._connector.secrets), pasted_answer(pasted)
        watched = self._connector.watched_by(recorder)
        try:
            gives, outcomes = answered(
                watched,
                operation,
                answer,
                self._facts,
                self._credentials,
                now=self._now,
                nonce=self._nonce,
            )
            return self._read(recorder, gives, outcomes)
        except Bug as bug:
            raise Refusal("dry_run_impossible", why=str(bug)) from None

    def callback(self, pasted: str, *, address: str = ADDRESS) -> DryRead:
        """How a callback is read. pasted: its body (or its query, where it says all there), or all
        of it from the line `POST /path HTTP/1.1` on. address: the caller's."""
        self._need_offered("callback")
        recorder = Recorder(self._connector.secrets)
        call = pasted_callback(
            pasted, in_query=self._connector.called_by[0] == "query", address=address
        )
        watched = self._connector.watched_by(recorder)
        currency = self._facts.amount.currency
        try:
            gives, outcomes = called(
                watched, call, self._credentials, currency=currency, now=self._now
            )
            return self._read(recorder, gives, outcomes)
        except Bug as bug:
            raise Refusal("dry_run_impossible", why=str(bug)) from None

    def _read(self, recorder: Recorder, gives: str, outcomes: Mapping[str, str]) -> DryRead:
        # A token that was answered is as secret as the key that it was given for.
        mask = self._mask(outcomes.get("token", ""))
        why = outcomes.get("why", "") if gives in _DOUBTS else ""
        steps = tuple(
            Step(
                step.name,
                {name: mask.text(text) for name, text in step.said.items()},
                step.ok,
                mask.text(step.why),
            )
            for step in recorder.steps(why)
        )
        shown = {name: mask.text(text) for name, text in outcomes.items() if text}
        return DryRead(steps, gives, shown)

    def _mask(self, *more: str) -> Mask:
        hidden = self._connector.secret_texts(self._credentials, self._facts, self._now)
        return Mask([*hidden, self._token, *more])

    def _need_called(self, operation: str) -> None:
        if operation == "callback":
            why = "a callback is no call of ours: paste one, and see how it is read"
            raise Refusal("dry_run_impossible", why=why)
        self._need_offered(operation)

    def _need_offered(self, operation: str) -> None:
        more = {"token"} if self._connector.fetches_tokens else set()
        offered = sorted(self._connector.operations | more)
        if operation not in offered:
            why = f"“{operation}” is not offered here; offered are {', '.join(offered)}"
            raise Refusal("dry_run_impossible", why=why)


def pasted_answer(text: str) -> HttpAnswer:
    """An answer as people paste it: with its status line and headers (`curl -i`), or its body
    alone, which then came with status 200. A line's end at the very end is an editor's."""
    status, headers = 200, dict[str, str]()
    text = text.lstrip("\ufeff")
    while found := _STATUS_LINE.match(text):
        status = int(found[1])
        headers, text = _headed(text)
    return HttpAnswer(status, headers, text.rstrip("\r\n").encode())


def pasted_callback(text: str, *, in_query: bool, address: str = ADDRESS) -> Callback:
    """A callback as people paste it: with its request line and headers, or what it says alone.
    in_query: that is in the address."""
    text = text.lstrip("\ufeff")
    if found := _REQUEST_LINE.match(text):
        headers, body = _headed(text)
        query = urlsplit(found[2]).query
        return Callback(found[1], query, headers, body.rstrip("\r\n").encode(), address)
    text = text.rstrip("\r\n")
    if in_query:
        return Callback("GET", text.rpartition("?")[2], {}, b"", address)
    return Callback("POST", "", {}, text.encode(), address)


def _headed(text: str) -> tuple[dict[str, str], str]:
    """Headers by their names in small letters, and what stands behind the empty line."""
    head, *body = re.split(r"\r?\n\r?\n", text, maxsplit=1)
    lines = (line.partition(":") for line in head.splitlines()[1:])
    headers = {name.strip().lower(): value.strip() for name, colon, value in lines if colon}
    return headers, body[0] if body else ""


def _fields(request: HttpRequest) -> list[tuple[str, str]]:
    """What a form, or the address, says."""
    pairs = parse_qsl(urlsplit(request.url).query, keep_blank_values=True)
    if request.headers.get("Content-Type") == "application/x-www-form-urlencoded":
        pairs += parse_qsl(request.body.decode(), keep_blank_values=True)
    return pairs


def _need_all(connector: Connector, credentials: Mapping[str, str]) -> None:
    needed = connector.credential_names
    missing = [name for name in needed if not credentials.get(name)]
    unknown = [name for name in credentials if name not in needed]
    wrong = [
        *([f"the credentials lack {', '.join(missing)}"] if missing else []),
        *([f"the document names no credential {', '.join(unknown)}"] if unknown else []),
    ]
    if wrong:
        raise Refusal("dry_run_impossible", why="; ".join(wrong))
