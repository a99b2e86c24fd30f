"""A loaded document at work: it builds requests, reads answers and believes callbacks, or not.

Pure: the same document, facts, credentials, moment and nonce always give the same result.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal
from urllib.parse import urlencode, urlsplit

from core.connectors import limits
from core.connectors.document import CallbackRule, Document, Operation, Path, Reads
from core.connectors.fixtures import Fixtures
from core.connectors.loading import load_document
from core.connectors.parsing import Tree, UnreadableError, find, read_form, read_json, texts
from core.connectors.signing import ambiguous, canonical, is_signed, masked, signature
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
from core.connectors.values import Moment, read_amount, secret
from core.errors import Bug
from core.money import Money
from core.wire import HttpAnswer, HttpRequest


def load(text: str) -> Connector:
    """A connector from its document. Raises DocumentFaults, which lists every fault."""
    return Connector(load_document(text), hashlib.sha256(text.encode()).hexdigest())


class _DoubtError(Exception):
    """An answer that proves nothing; the message says why, for staff."""


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
    def fixtures(self) -> Fixtures:
        """The document's own tests; `check` runs them."""
        return self._document.fixtures

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

        Raises Bug where the document lacks the operation or the supplier a credential.
        """
        document, rule = self._document, self._document.sign
        declared = self._operation(operation)
        moment = Moment(
            facts, credentials, now, nonce, document.amounts, document.times, document.zone
        )
        fields = moment.fields(declared.fields)
        text = canonical(fields, rule)
        fields[rule.field] = signature(text, rule, secret(credentials, rule.key))
        url = secret(credentials, "base_url").rstrip("/") + declared.path
        headers = {"Accept": "application/json"}
        body = b""
        if declared.method == "GET":
            url = f"{url}?{urlencode(fields)}"
        elif document.body == "json":
            headers["Content-Type"] = "application/json"
            body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(fields).encode()
        return HttpRequest(declared.method, url, headers, body, masked(text, rule))

    def read_create(
        self, answer: HttpAnswer, facts: AttemptFacts, credentials: Mapping[str, str]
    ) -> CreateReading:
        """Accepted or Rejected only on the supplier's clear word; everything else is Unknown."""
        declared = self._operation("create")
        try:
            tree = self._believed(declared.reads, answer, facts, credentials)
            if not self._is_ok(tree):
                return self._refusal(tree)
            self._need_own_number(declared.reads, tree, facts)
            upstream_no = _number(find(tree, declared.reads.upstream_no))
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
        reads = self._operation(operation).reads
        try:
            tree = self._believed(reads, answer, facts, credentials)
            if not self._is_ok(tree):
                code = find(tree, self._document.answers.code)
                if code in self._document.answers.not_found:
                    return Standing("not_found")
                raise _DoubtError(self._words(tree))
            self._need_own_number(reads, tree, facts)
            state = self._state(reads, tree)
            upstream_no = _number(find(tree, reads.upstream_no))
            paid = self._paid(reads, tree, facts.amount.currency) if state == "paid" else None
            if state == "paid" and upstream_no is None:
                raise _DoubtError("paid, but the supplier's number is missing")
            return Standing(state, upstream_no=upstream_no, paid=paid)
        except _DoubtError as doubt:
            return Standing("unknown", str(doubt))

    def attempt_of(self, callback: Callback) -> str | None:
        """Which attempt a callback claims to be about. Nothing is verified by this."""
        rule = self._document.callback
        if rule is None:
            return None
        try:
            return _number(find(_fields_of(rule, callback), rule.reads.attempt_no))
        except UnreadableError:
            return None

    def verify(self, callback: Callback, credentials: Mapping[str, str], *, currency: str) -> Event:
        """The event a callback proves. Raises InvalidCallback for every other one.

        currency: in which the attempt was made; amounts are read in it.
        """
        rule = self._callback_rule()
        reads = rule.reads
        try:
            fields = _fields_of(rule, callback)
            self._need_signature(fields, credentials, reads)
            for path, value in self._document.must_equal:
                if find(fields, path) != self._constant(value.ref, value.text, credentials):
                    raise _DoubtError(f"{'.'.join(path)} is not ours")
            attempt_no = _number(find(fields, reads.attempt_no))
            upstream_no = _number(find(fields, reads.upstream_no))
            if attempt_no is None or upstream_no is None:
                raise _DoubtError("a number is missing")
            state = self._state(reads, fields)
            paid = self._paid(reads, fields, currency) if state == "paid" else None
        except (UnreadableError, _DoubtError) as doubt:
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

    def _believed(
        self, reads: Reads, answer: HttpAnswer, facts: AttemptFacts, credentials: Mapping[str, str]
    ) -> Tree:
        """The answer's content, if it is theirs and about this attempt; raises _DoubtError.

        It answers our own signed request, so it may leave out what a callback must repeat; but
        what it does say of number, amount and merchant has to be right.
        """
        if not 200 <= answer.status <= 299:
            raise _DoubtError(f"HTTP status {answer.status}")
        if len(answer.body) > limits.ANSWER_BYTES:
            raise _DoubtError("the answer is too long")
        try:
            tree: Tree = read_json(answer.body)
            if self._document.answers.signed:
                self._need_signature(texts(tree), credentials, reads)
        except UnreadableError as error:
            raise _DoubtError(str(error)) from None
        for path, value in self._document.must_equal:
            said = find(tree, path)
            if said and said != self._constant(value.ref, value.text, credentials):
                raise _DoubtError(f"{'.'.join(path)} is not ours")
        if (number := find(tree, reads.attempt_no)) and number != facts.attempt_no:
            raise _DoubtError("the answer is about another attempt")
        asked = find(tree, reads.amount)
        if asked and self._money(asked, facts.amount.currency) != facts.amount:
            raise _DoubtError("the answer is about another amount")
        return tree

    def _need_signature(
        self, fields: Mapping[str, str], credentials: Mapping[str, str], reads: Reads
    ) -> None:
        rule = self._document.sign
        if not is_signed(fields, rule, secret(credentials, rule.key)):
            raise _DoubtError("the signature is wrong")
        if name := ambiguous(fields, self._deciding(reads)):
            raise _DoubtError(f"“&{name}=” stands inside another field")

    def _deciding(self, reads: Reads) -> Iterator[str]:
        """The names at the root whose values mean something to us."""
        answers, rule = self._document.answers, self._document.sign
        paths: list[Path | None] = [
            reads.attempt_no, reads.upstream_no, reads.state, reads.amount, reads.paid,
            answers.code, *(path for path, _ in answers.ok),
            *(path for path, _ in self._document.must_equal),
            *(path for _, path in self._document.operations["create"].pay),
        ]  # fmt: skip
        yield from (path[0] for path in paths if path)
        yield from filter(None, (rule.field, rule.join.strip("&=")))

    def _need_own_number(self, reads: Reads, tree: Tree, facts: AttemptFacts) -> None:
        if find(tree, reads.attempt_no) != facts.attempt_no:
            raise _DoubtError("our number is missing")

    def _is_ok(self, tree: Tree) -> bool:
        return all(find(tree, path) == word for path, word in self._document.answers.ok)

    def _refusal(self, tree: Tree) -> Rejected | Unknown:
        answers = self._document.answers
        code = find(tree, answers.code)
        if code in answers.refused:
            return Rejected(code, _plain(find(tree, answers.message)))
        return Unknown(self._words(tree))

    def _words(self, tree: Tree) -> str:
        answers = self._document.answers
        code, message = find(tree, answers.code), find(tree, answers.message)
        return _plain(f"the supplier says: {code} {message}".strip())

    def _state(self, reads: Reads, tree: Tree) -> CallbackState:
        word = find(tree, reads.state)
        state = self._document.states.get(word)
        if state is None:
            raise _DoubtError(f"the state “{_plain(word)}” is not in the document")
        return state

    def _paid(self, reads: Reads, tree: Tree, currency: str) -> Money:
        money = self._money(find(tree, reads.paid), currency)
        if money is None:
            raise _DoubtError("paid, but the amount cannot be read")
        return money

    def _money(self, text: str, currency: str) -> Money | None:
        return read_amount(text, self._document.amounts, currency)

    def _constant(self, ref: str | None, text: str, credentials: Mapping[str, str]) -> str:
        return text if ref is None else secret(credentials, ref)

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


def _host_fits(host: str, pattern: str) -> bool:
    """`*.example.com` fits every name below example.com, and not example.com itself."""
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _fields_of(rule: CallbackRule, callback: Callback) -> dict[str, str]:
    """The callback's fields. Raises UnreadableError."""
    if len(callback.body) > limits.CALLBACK_BYTES or len(callback.query) > limits.CALLBACK_BYTES:
        raise UnreadableError("the callback is too long")
    if rule.source == "query":
        return read_form(callback.query)
    if rule.source == "json":
        return texts(read_json(callback.body))
    try:
        return read_form(callback.body.decode())
    except UnicodeDecodeError:
        raise UnreadableError("the form is not UTF-8") from None


def _number(text: str) -> str | None:
    """A supplier's or our own number: short and printable, else none."""
    if not text or len(text) > limits.NUMBER_CHARS or not (text.isascii() and text.isprintable()):
        return None
    return text


def _plain(text: str) -> str:
    """Somebody else's words, made safe to show and log."""
    return "".join(c if c.isprintable() else " " for c in text[: limits.WORDS_CHARS])
