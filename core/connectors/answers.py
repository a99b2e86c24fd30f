"""Answers: what a supplier's words mean, and what they leave open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from core.connectors import limits
from core.connectors.document import Answers, Document, Operation, PayAt, PayBy, PayMade
from core.connectors.messages import Tree, UnreadableError, find, read_body, text_of
from core.connectors.operators import Value, ValueFault
from core.connectors.pay_instructions import pay_of
from core.connectors.pipes import Scope
from core.connectors.readings import Role
from core.connectors.requests import fact_values, scope_of
from core.connectors.trace import Watch
from core.connectors.types import (
    Accepted,
    AttemptFacts,
    Balance,
    CreateReading,
    RefundStanding,
    RefundState,
    Rejected,
    Standing,
    StandingState,
    Token,
    TokenRefused,
    Unknown,
)
from core.connectors.verification import (
    DoubtError,
    Message,
    checked_roles,
    first,
    incoming_scope,
    money_of,
    need_one_reading,
    need_ours,
    need_same,
    need_signature,
    number_of,
    paid_of,
    paid_roles,
    plain_words,
    roles_of,
    state_word,
)
from core.kernel.errors import Bug
from core.kernel.wire import HttpAnswer

DEFAULT_TOKEN_LIVES_S = 300


@dataclass(frozen=True, slots=True)
class Received:
    """An answer as it came. credentials: of the supplier's account; they prove whose it is. now:
    when it came."""

    answer: HttpAnswer
    credentials: Mapping[str, str]
    now: datetime


class Answer:
    """One answer of a supplier to one operation, being read."""

    def __init__(
        self,
        document: Document,
        declared: Operation,
        received: Received,
        facts: AttemptFacts | None,
        watch: Watch,
    ) -> None:
        self._document = document
        self._declared = declared
        self._answer = received.answer
        self._credentials = received.credentials
        self._now = received.now
        self._facts = facts
        self._watch = watch

    def create(self, facts: AttemptFacts, nonce: str) -> CreateReading:
        """Accepted or Rejected only on the supplier's clear word; everything else is Unknown."""
        declared, answers = self._declared, self._declared.answers
        try:
            tree = self._believed()
            if not self._is_ok(tree):
                code = first(tree, answers.code)
                if code in answers.refused or self._answer.status in answers.refused_statuses:
                    return Rejected(plain_words(code), plain_words(first(tree, answers.message)))
                return Unknown(self._words(tree))
            if declared.reads.attempt_no:
                self._need_own_number(tree, facts)
            self._watch.at("pay")
            pay = pay_of(declared, tree, lambda: self._ours(facts, nonce), self._document)
            return Accepted(number_of(first(tree, declared.reads.upstream_no)), pay)
        except (DoubtError, ValueFault) as doubt:
            return Unknown(str(doubt))

    def _ours(self, facts: AttemptFacts, nonce: str) -> Scope:
        """What the way to pay may be made of, beside the answer."""
        names: dict[str, Value] = {**fact_values(facts, self._now), "nonce": nonce}
        return scope_of(self._document, names, self._credentials)

    def standing(self, facts: AttemptFacts) -> Standing:
        """How an attempt stands; `unknown` where the answer proves nothing."""
        declared, reads = self._declared, self._declared.reads
        try:
            tree = self._believed()
            if not self._is_ok(tree):
                if self._is_not_found(tree):
                    return Standing("not_found")
                raise DoubtError(self._words(tree))
            if declared.gives is None:
                self._need_own_number(tree, facts)
            upstream_no = number_of(first(tree, reads.upstream_no))
            match declared.gives or self._state(tree):
                case "paid":
                    if upstream_no is None:
                        raise DoubtError("paid, but the supplier's number is missing")
                    self._watch.at("paid", said=first(tree, reads.paid))
                    paid = paid_of(self._document, reads, tree, facts.amount.currency)
                    return Standing("paid", upstream_no=upstream_no, paid=paid)
                case "pending" | "approved" | "failed" | "closed" as state:
                    return Standing(state, upstream_no=upstream_no)
                case other:
                    raise Bug(f"“{other}” is no state of a payment")
        except DoubtError as doubt:
            return Standing("unknown", str(doubt))

    def refund(self) -> RefundStanding:
        """How a refund stands; a clear refusal of one is `failed`."""
        declared, answers = self._declared, self._declared.answers
        try:
            tree = self._believed()
            if not self._is_ok(tree):
                code, why = first(tree, answers.code), self._words(tree)
                if self._is_not_found(tree):
                    return RefundStanding("not_found", plain_words(code), why)
                if code in answers.refused or self._answer.status in answers.refused_statuses:
                    return RefundStanding("failed", plain_words(code), why)
                raise DoubtError(why)
            upstream_no = number_of(first(tree, declared.reads.upstream_refund_no))
            match declared.gives or self._state(tree):
                case "succeeded" | "pending" | "failed" as state:
                    return RefundStanding(state, upstream_refund_no=upstream_no)
                case other:
                    raise Bug(f"“{other}” is no state of a refund")
        except DoubtError as doubt:
            return RefundStanding("unknown", why=str(doubt))

    def balance(self, currency: str) -> Balance:
        """What the supplier holds for us in a currency."""
        reads = self._declared.reads
        try:
            tree = self._good()
            self._watch.at("balance", said=first(tree, reads.available))
            if (said := first(tree, reads.currency)) and said.upper() != currency:
                raise DoubtError("the balance is in another currency")
            available = money_of(self._document, first(tree, reads.available), currency, zero=True)
            if available is None:
                raise DoubtError("the balance cannot be read")
            return Balance(available)
        except DoubtError as doubt:
            return Balance(None, str(doubt))

    def token(self) -> Token:
        """A token and how long it lives. Raises TokenRefused."""
        reads = self._declared.reads
        try:
            tree = self._good()
            self._watch.at("token")
            value, lives = first(tree, reads.token), first(tree, reads.lives)
            if not value or len(value) > limits.FIELD_CHARS or not value.isprintable():
                raise DoubtError("there is no token in the answer")
        except DoubtError as doubt:
            raise TokenRefused(str(doubt)) from None
        whole = lives.isascii() and lives.isdigit() and len(lives) < 9
        return Token(value, int(lives) if whole else DEFAULT_TOKEN_LIVES_S)

    def _good(self) -> Tree:
        tree = self._believed()
        if not self._is_ok(tree):
            raise DoubtError(self._words(tree))
        return tree

    def _believed(self) -> Tree:
        """The answer's content, if it is theirs and about this attempt; raises DoubtError.

        It answers our own signed request, so it may leave out what a callback must repeat; but
        what it does say of number, amount and merchant has to be right.
        """
        answers = self._declared.answers
        self._watch.at("status", status=self._answer.status)
        if not answers.tells(self._answer.status):
            raise DoubtError(f"HTTP status {self._answer.status}")
        if len(self._answer.body) > limits.ANSWER_BYTES:
            raise DoubtError("the answer is too long")
        try:
            tree = self._read(answers)
        except (UnreadableError, ValueFault) as error:
            raise DoubtError(str(error)) from None
        need_ours(self._document, tree, self._credentials, self._watch, always=False)
        if self._facts is not None:
            need_same(self._document, self._declared.reads, tree, self._facts, self._watch)
        code, message = first(tree, answers.code), first(tree, answers.message)
        self._watch.at("verdict", status=self._answer.status, code=code, message=message)
        return tree

    def _read(self, answers: Answers) -> Tree:
        """Raises DoubtError, UnreadableError, ValueFault."""
        self._watch.at("form", form=answers.form)
        empty = self._declared.gives is not None and not self._answer.body
        tree = {} if empty else read_body(answers.form, self._answer.body)
        if answers.verify is None and answers.envelope is None:
            return tree
        message = Message(self._answer.headers, "", text_of(self._answer.body), tree, self._now)
        scope = incoming_scope(
            self._document, message, answers.verify, self._credentials, self._declared.within
        )
        if answers.verify is not None and (not answers.only_good or self._is_ok(tree)):
            need_signature(answers.verify, message, scope, self._watch)
            need_one_reading(answers.verify, message, scope, self._roles(), self._watch)
        if answers.envelope is None or (answers.only_good and not self._is_ok(tree)):
            return tree
        self._watch.at("opening", form=answers.envelope.form)
        return read_body(answers.envelope.form, answers.envelope.opened.text(scope).encode())

    def _roles(self) -> list[Role]:
        """What decides: of sealed content, what it is opened out of. A refusal leaves out what a
        good answer says, so nothing is in each of them."""
        answers, reads = self._declared.answers, self._declared.reads
        if answers.envelope is not None:
            return [Role((path,)) for path in answers.envelope.paths]
        if self._declared.pay:  # of a create nobody asks how it stands
            reads = replace(reads, state=(), paid=())
        roles = roles_of(self._document, reads, called=False, asks=False)
        roles += [*paid_roles(reads), *checked_roles(reads)]
        roles += [Role((held.path,)) for held in answers.ok]
        roles += [Role((path,)) for path in answers.code]
        roles += [Role((path,), "amount") for path in (*reads.available, *reads.lives)]
        roles += [Role((path,), "handed") for path in reads.token]
        for rule in self._declared.pay:
            match rule:
                case PayAt(_, where, _):
                    roles += [Role((path,), "handed") for path in where]
                case PayBy(where, by, _, _):
                    roles += [Role((by,)), *(Role((path,), "handed") for path in where)]
                case PayMade():
                    roles += [Role((path,), "handed") for path in rule.needs]
        return roles

    def _is_ok(self, tree: Tree) -> bool:
        answers = self._declared.answers
        return self._answer.status in answers.statuses and all(
            (word in held.words if held.words else word != "")
            for held in answers.ok
            for word in [find(tree, held.path)]
        )

    def _is_not_found(self, tree: Tree) -> bool:
        answers = self._declared.answers
        code = first(tree, answers.code)
        return code in answers.not_found or self._answer.status in answers.not_found_statuses

    def _state(self, tree: Tree) -> StandingState | RefundState:
        word = state_word(tree, self._declared.reads)
        self._watch.at("state", said=word)
        state = self._declared.states.get(word)
        if state is None:
            raise DoubtError(f"the state “{plain_words(word)}” is not in the document")
        return state

    def _words(self, tree: Tree) -> str:
        answers = self._declared.answers
        code, message = first(tree, answers.code), first(tree, answers.message)
        return plain_words(f"the supplier says: {code} {message}".strip())

    def _need_own_number(self, tree: Tree, facts: AttemptFacts) -> None:
        if first(tree, self._declared.reads.attempt_no) != facts.attempt_no:
            self._watch.at("number", ours=facts.attempt_no)
            raise DoubtError("our number is missing")
