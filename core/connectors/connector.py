"""A loaded document at work: it builds requests, reads answers and believes callbacks, or not.

Pure: the same document, facts, credentials, moment and nonce always give the same result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final, Literal
from urllib.parse import urlsplit

from core.connectors import limits
from core.connectors.building import build_request, scope_of, secrets_of
from core.connectors.document import Answers, CallbackRule, Document, Operation, Reads, Sign
from core.connectors.fixtures import Fixtures
from core.connectors.loading import load_document
from core.connectors.messages import (
    BodyForm,
    Path,
    Tree,
    UnreadableError,
    find,
    flat,
    raw_member,
    read_body,
    read_form,
)
from core.connectors.operators import Value, ValueFault
from core.connectors.pipes import Scope
from core.connectors.signing import ambiguous, is_signed, params_text
from core.connectors.types import (
    Accepted,
    AttemptFacts,
    Callback,
    CallbackState,
    CreateReading,
    Event,
    InvalidCallback,
    Pay,
    Rejected,
    Reply,
    Standing,
    Unknown,
)
from core.errors import Bug, Refusal
from core.money import Money, parse_money
from core.wire import HttpAnswer, HttpRequest

_MINOR_DIGITS: Final = 15


def load(text: str) -> Connector:
    """A connector from its document. Raises DocumentFaults, which lists every fault."""
    return Connector(load_document(text), hashlib.sha256(text.encode()).hexdigest())


class _DoubtError(Exception):
    """A message that proves nothing; the text says why, for staff."""


@dataclass(frozen=True, slots=True)
class _Message:
    """What came in. text: the body as it was; tree: what reads go by (opened, where it was
    sealed)."""

    headers: Mapping[str, str]
    query: Tree
    text: str
    body: Tree
    tree: Tree


class Connector:
    """What one document can do. Get one from `load`.

    operations: what is offered, `callback` included. version: a hash of the document's text.
    hosts: where payers may be sent; empty means any. credential_names: `base_url` included.
    not_found_is_final, create_is_idempotent: promises of the supplier (payments design, §1).
    """

    def __init__(self, document: Document, version: str) -> None:
        self._document = document
        self.version = version
        self.code = document.code
        self.name = document.name
        self.sandbox_only = document.sandbox_only
        self.create_is_idempotent = document.create_is_idempotent
        self.not_found_is_final = document.not_found_is_final
        self.credential_names = document.credentials
        self.hosts = document.hosts
        self.operations = frozenset(document.operations) | (
            {"callback"} if document.callback else set()
        )

    @property
    def called_by(self) -> BodyForm | None:
        """Where callbacks carry their content; None where there are none."""
        return self._document.callback.source if self._document.callback else None

    @property
    def fixtures(self) -> Fixtures:
        """The document's own tests; `check` runs them."""
        return self._document.fixtures

    @cached_property
    def secrets(self) -> frozenset[str]:
        """Credentials, and values made of them, that are hidden wherever people look."""
        return secrets_of(self._document)

    # ── out ──────────────────────────────────────────────────────────────────────────────────────
    def build(
        self,
        operation: str,
        facts: AttemptFacts,
        credentials: Mapping[str, str],
        *,
        now: datetime,
        nonce: str,
    ) -> HttpRequest:
        """The request for an operation: create, query or close.

        Raises Bug where the document lacks the operation, the supplier a credential, or a value
        cannot be written as the document wants it.
        """
        declared = self._operation(operation)
        try:
            return build_request(
                self._document, declared, facts, credentials, self.secrets, now=now, nonce=nonce
            )
        except ValueFault as fault:
            raise Bug(f"the connector {self.code} cannot build “{operation}”: {fault}") from None

    # ── in ───────────────────────────────────────────────────────────────────────────────────────
    def read_create(
        self, answer: HttpAnswer, facts: AttemptFacts, credentials: Mapping[str, str]
    ) -> CreateReading:
        """Accepted or Rejected only on the supplier's clear word; everything else is Unknown."""
        declared = self._operation("create")
        answers = declared.answers
        try:
            tree = self._believed(declared, answer, facts, credentials)
            if not _is_ok(answers, answer.status, tree):
                code = find(tree, answers.code or ())
                if code in answers.refused or answer.status in answers.refused_statuses:
                    return Rejected(_plain(code), _plain(find(tree, answers.message or ())))
                return Unknown(_words_of(answers, tree))
            if declared.reads.attempt_no is not None:
                _need_own_number(declared.reads, tree, facts)
            upstream_no = _number(find(tree, declared.reads.upstream_no or ()))
            return Accepted(upstream_no, self._pay(declared, tree))
        except _DoubtError as doubt:
            return Unknown(str(doubt))

    def read_standing(
        self,
        operation: str,
        answer: HttpAnswer,
        facts: AttemptFacts,
        credentials: Mapping[str, str],
    ) -> Standing:
        """What the answer to a query or a close says; state `unknown` where it proves nothing."""
        declared = self._operation(operation)
        reads, answers = declared.reads, declared.answers
        try:
            tree = self._believed(declared, answer, facts, credentials)
            if not _is_ok(answers, answer.status, tree):
                code = find(tree, answers.code or ())
                if code in answers.not_found or answer.status in answers.not_found_statuses:
                    return Standing("not_found")
                raise _DoubtError(_words_of(answers, tree))
            if declared.gives is not None:
                return Standing(declared.gives)
            _need_own_number(reads, tree, facts)
            state = _state(declared.states, reads, tree)
            upstream_no = _number(find(tree, reads.upstream_no or ()))
            paid = self._paid(reads, tree, facts.amount.currency) if state == "paid" else None
            if state == "paid" and upstream_no is None:
                raise _DoubtError("paid, but the supplier's number is missing")
            return Standing(state, upstream_no=upstream_no, paid=paid)
        except _DoubtError as doubt:
            return Standing("unknown", str(doubt))

    def verify(self, callback: Callback, credentials: Mapping[str, str], *, currency: str) -> Event:
        """The event a callback proves. Raises InvalidCallback for every other one.

        currency: in which the attempt was made; amounts are read in it.
        """
        rule = self._callback_rule()
        try:
            tree = self._opened(rule, callback, credentials)
            for path, words in self._document.must_equal:
                if find(tree, path) != words.text(scope_of(self._document, {}, credentials)):
                    raise _DoubtError(f"{'.'.join(path)} is not ours")
            attempt_no = _number(find(tree, rule.reads.attempt_no or ()))
            upstream_no = _number(find(tree, rule.reads.upstream_no or ()))
            if attempt_no is None or upstream_no is None:
                raise _DoubtError("a number is missing")
            state = _state(rule.states, rule.reads, tree)
            paid = self._paid(rule.reads, tree, currency) if state == "paid" else None
        except (UnreadableError, ValueFault, _DoubtError) as doubt:
            raise InvalidCallback(str(doubt)) from None
        return Event(attempt_no, upstream_no, state, paid)

    def reply(self, kind: Literal["success", "failure"]) -> Reply:
        """What the supplier wants to hear after a callback that was stored, or was not."""
        rule = self._callback_rule()
        return rule.success if kind == "success" else rule.failure

    def _operation(self, name: str) -> Operation:
        declared = self._document.operations.get(name)
        if declared is None:
            raise Bug(f"the connector {self.code} has no operation “{name}”")
        return declared

    def _callback_rule(self) -> CallbackRule:
        if self._document.callback is None:
            raise Bug(f"the connector {self.code} takes no callbacks")
        return self._document.callback

    def _opened(
        self, rule: CallbackRule, callback: Callback, credentials: Mapping[str, str]
    ) -> Tree:
        """A callback's content, if it is the supplier's. Raises _DoubtError, UnreadableError,
        ValueFault."""
        if max(len(callback.body), len(callback.query)) > limits.CALLBACK_BYTES:
            raise UnreadableError("the callback is too long")
        query = read_form(callback.query) if callback.query else {}
        body = query if rule.source == "query" else read_body(rule.source, callback.body)
        message = _Message(callback.headers, query, _text(callback.body), body, body)
        scope = self._incoming(message, rule.verify, credentials)
        self._need_signature(rule.verify, message, scope, self._deciding(rule.reads))
        if rule.envelope is None:
            return body
        return read_body(rule.envelope.form, rule.envelope.opened.text(scope).encode())

    def _believed(
        self,
        declared: Operation,
        answer: HttpAnswer,
        facts: AttemptFacts,
        credentials: Mapping[str, str],
    ) -> Tree:
        """The answer's content, if it is theirs and about this attempt; raises _DoubtError.

        It answers our own signed request, so it may leave out what a callback must repeat; but
        what it does say of number, amount and merchant has to be right.
        """
        answers, reads = declared.answers, declared.reads
        told = (
            answers.statuses
            | answers.faults
            | answers.refused_statuses
            | answers.not_found_statuses
        )
        if answer.status not in told:
            raise _DoubtError(f"HTTP status {answer.status}")
        if len(answer.body) > limits.ANSWER_BYTES:
            raise _DoubtError("the answer is too long")
        try:
            empty = declared.gives is not None and not answer.body
            tree = {} if empty else read_body(answers.form, answer.body)
            if answers.verify is not None:
                message = _Message(answer.headers, {}, _text(answer.body), tree, tree)
                scope = self._incoming(message, answers.verify, credentials, declared.within)
                deciding = self._deciding(reads, declared)
                self._need_signature(answers.verify, message, scope, deciding)
            for path, words in self._document.must_equal:
                said = find(tree, path)
                if said and said != words.text(scope_of(self._document, {}, credentials)):
                    raise _DoubtError(f"{'.'.join(path)} is not ours")
        except (UnreadableError, ValueFault) as error:
            raise _DoubtError(str(error)) from None
        if (number := find(tree, reads.attempt_no or ())) and number != facts.attempt_no:
            raise _DoubtError("the answer is about another attempt")
        asked = find(tree, reads.amount or ())
        if asked and self._money(asked, facts.amount.currency) != facts.amount:
            raise _DoubtError("the answer is about another amount")
        said = find(tree, reads.currency or ())
        if said and said.upper() != facts.amount.currency:
            raise _DoubtError("the answer is about another currency")
        return tree

    def _incoming(
        self, message: _Message, rule: Sign, credentials: Mapping[str, str], within: Path = ()
    ) -> Scope:
        """What the text of a signature that came in may speak of."""
        names: dict[str, Value] = {"body": message.text}
        if "content" in rule.names:
            names["content"] = raw_member(message.text, within[0]) if within else message.text
        if "params" in rule.names:
            names["params"] = params_text(message.body, rule.params, rule.own)
        ours = scope_of(self._document, names, credentials)

        def scope(name: str) -> Value:
            root, _, rest = name.partition(".")
            if not rest or name in names:
                return ours(name)
            if root == "header":
                return message.headers.get(rest.lower(), "")
            return find(message.body if root == "body" else message.query, tuple(rest.split(".")))

        return scope

    def _need_signature(
        self, rule: Sign, message: _Message, scope: Scope, deciding: Iterator[str]
    ) -> None:
        if rule.came is None or not is_signed(rule, rule.came.text(scope), scope):
            raise _DoubtError("the signature is wrong")
        if "params" not in rule.names or rule.params.url:
            return
        between = rule.params.join
        if hidden := ambiguous(dict(flat(message.body)), between, [*deciding, rule.own or ""]):
            raise _DoubtError(f"“{between}{hidden}=” stands inside another field")

    def _deciding(self, reads: Reads, declared: Operation | None = None) -> Iterator[str]:
        """The names at the root whose values mean something to us."""
        paths: list[Path | None] = [
            reads.attempt_no, reads.upstream_no, reads.state, reads.amount, reads.paid,
            reads.currency, *(path for path, _ in self._document.must_equal),
        ]  # fmt: skip
        if declared is not None:
            paths += [declared.answers.code, *(held.path for held in declared.answers.ok)]
            paths += [path for _, path in declared.pay]
        yield from (path[0] for path in paths if path)
        yield "key"

    def _paid(self, reads: Reads, tree: Tree, currency: str) -> Money:
        said = find(tree, reads.currency or ())
        if said and said.upper() != currency:
            raise _DoubtError("paid, but in another currency")
        money = self._money(find(tree, reads.paid or ()), currency)
        if money is None:
            raise _DoubtError("paid, but the amount cannot be read")
        return money

    def _money(self, text: str, currency: str) -> Money | None:
        """A supplier's amount, exactly; None where it is none, or not more than zero."""
        if self._document.amounts == "minor":
            if not (text.isascii() and text.isdigit() and len(text) <= _MINOR_DIGITS):
                return None
            money = Money(int(text), currency)
        else:
            try:
                money = parse_money(text, currency)
            except Refusal:
                return None
        return money if money.minor > 0 else None

    def _pay(self, declared: Operation, tree: Tree) -> Pay:
        for kind, path in declared.pay:
            value = find(tree, path)
            if not value:
                continue
            if len(value) > limits.PAY_CHARS or not value.isprintable():
                raise _DoubtError("what to pay with cannot be read")
            if kind == "url" and not self._may_send_to(value):
                raise _DoubtError("the pay address is not one where payers may be sent")
            return Pay(kind, value)
        raise _DoubtError("accepted, but there is nothing to pay with")

    def _may_send_to(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            host = parts.hostname
            port_is_sane = parts.port != 0
        except ValueError:
            return False
        if parts.scheme not in {"http", "https"} or not host or not port_is_sane:
            return False
        if parts.username is not None or any(c in url for c in " \\"):
            return False
        return not self.hosts or any(_host_fits(host, pattern) for pattern in self.hosts)


def _is_ok(answers: Answers, status: int, tree: Tree) -> bool:
    return status in answers.statuses and all(
        (word in held.words if held.words else word != "")
        for held in answers.ok
        for word in [find(tree, held.path)]
    )


def _words_of(answers: Answers, tree: Tree) -> str:
    code, message = find(tree, answers.code or ()), find(tree, answers.message or ())
    return _plain(f"the supplier says: {code} {message}".strip())


def _need_own_number(reads: Reads, tree: Tree, facts: AttemptFacts) -> None:
    if find(tree, reads.attempt_no or ()) != facts.attempt_no:
        raise _DoubtError("our number is missing")


def _state(states: Mapping[str, CallbackState], reads: Reads, tree: Tree) -> CallbackState:
    word = find(tree, reads.state or ())
    state = states.get(word)
    if state is None:
        raise _DoubtError(f"the state “{_plain(word)}” is not in the document")
    return state


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise UnreadableError("the body is not UTF-8") from None


def _host_fits(host: str, pattern: str) -> bool:
    """`*.example.com` fits every name below example.com, and not example.com itself."""
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _number(text: str) -> str | None:
    """A supplier's or our own number: short and printable, else none."""
    if not text or len(text) > limits.NUMBER_CHARS or not (text.isascii() and text.isprintable()):
        return None
    return text


def _plain(text: str) -> str:
    """Somebody else's words, made safe to show and log."""
    return "".join(c if c.isprintable() else " " for c in text[: limits.WORDS_CHARS])
