"""A loaded document at work: it builds requests, reads answers and believes callbacks, or not.

Pure: the same document, facts, credentials, moment and nonce always give the same result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Literal

from core.connectors.answers import Answer, Received
from core.connectors.callbacks import read_callback
from core.connectors.document import CallbackRule, Document, Operation
from core.connectors.explanation import Explanation, explain
from core.connectors.fixtures import Fixtures
from core.connectors.forgeries import forgeries
from core.connectors.loader import load_document
from core.connectors.messages import BodyForm
from core.connectors.operators import ValueFault
from core.connectors.requests import build_request, fact_values, handed, secret_texts, secrets_of
from core.connectors.trace import Watch
from core.connectors.types import (
    AttemptFacts,
    Balance,
    Callback,
    CreateReading,
    Event,
    Pay,
    RefundStanding,
    Reply,
    Standing,
    Token,
)
from core.kernel.errors import Bug
from core.kernel.wire import HttpAnswer, HttpRequest


def load(text: str) -> Connector:
    """A connector from its document. Raises DocumentFaults, which lists every fault."""
    return Connector(load_document(text), hashlib.sha256(text.encode()).hexdigest())


class Connector:
    """What one document can do. Get one from `load`.

    operations: what is offered, `callback` included. version: a hash of the document's text.
    servers: where the supplier's interface may be; hosts: where payers may be sent; of both, empty
    means any. apps: schemes of apps that payers may be sent to. credentials: with a title for
    people, `base_url` included. ways: the channel's codes that it can open payments for; empty
    means any.
    not_found_is_final, create_is_idempotent, refund_is_idempotent: promises of the supplier.

    More than seven verbs: a document answers every moment of a call, and each of them has its own
    facts.
    """

    def __init__(self, document: Document, version: str, watch: Watch | None = None) -> None:
        self._document = document
        self._watch = watch or Watch()
        self.version = version
        self.code = document.code
        self.name = document.name
        self.sandbox_only = document.sandbox_only
        self.create_is_idempotent = document.create_is_idempotent
        self.refund_is_idempotent = document.refund_is_idempotent
        self.not_found_is_final = document.not_found_is_final
        self.credentials = document.credentials
        self.servers = document.servers
        self.hosts = document.hosts
        self.apps = document.apps
        self.ways = frozenset(() if "" in document.creates else document.creates)
        self.operations = frozenset(("create", *document.operations)) - {"token"} | (
            {"callback"} if document.callback else set()
        )

    @property
    def credential_names(self) -> tuple[str, ...]:
        """What a supplier of this kind needs, `base_url` first."""
        return tuple(self.credentials)

    @property
    def called_by(self) -> tuple[BodyForm, ...]:
        """Where callbacks may carry their content; empty where there are none."""
        return self._document.callback.sources if self._document.callback else ()

    @property
    def signs_callbacks(self) -> bool:
        """Whether callbacks are signed; else they are hearsay that anybody may send."""
        return self._callback_rule().verify is not None

    @property
    def calls_to_create(self) -> bool:
        """Whether some order is opened by a call of ours, which is answered."""
        return any(made.hands is None for made in self._document.creates.values())

    @property
    def says_paid(self) -> frozenset[str]:
        """The operations that may say that money came, and are believed."""
        document = self._document
        found = {
            name
            for name in ("query", "close", "capture")
            if (made := document.operations.get(name)) and "paid" in made.states.values()
        }
        rule = document.callback
        if rule is not None and not rule.asks and "paid" in rule.states.values():
            found.add("callback")
        return frozenset(found)

    @property
    def fixtures(self) -> Fixtures:
        """The document's own tests; `check` runs them."""
        return self._document.fixtures

    @cached_property
    def secrets(self) -> frozenset[str]:
        """Credentials, and values made of them, that are hidden wherever people look."""
        return secrets_of(self._document)

    def watched_by(self, watch: Watch) -> Connector:
        """The same, with somebody who looks on while messages are read."""
        return Connector(self._document, self.version, watch)

    def secret_texts(
        self, credentials: Mapping[str, str], facts: AttemptFacts, now: datetime
    ) -> frozenset[str]:
        """What stands behind the names in `secrets`: for masking."""
        return secret_texts(self._document, self.secrets, facts, credentials, now)

    def explained(self) -> Explanation:
        """What the document does and believes, for people who are to answer for it."""
        return explain(self._document, self.secrets)

    @property
    def fetches_tokens(self) -> bool:
        """Whether it has the operation `token`, which is none that anybody else asks for."""
        return "token" in self._document.operations

    # ── out ──────────────────────────────────────────────────────────────────────────────────────
    def build(
        self,
        operation: str,
        facts: AttemptFacts | None,
        credentials: Mapping[str, str],
        *,
        now: datetime,
        nonce: str,
        resources: Mapping[str, str] | None = None,
    ) -> HttpRequest:
        """The request for an operation. facts: None for those about no attempt (balance).
        resources: what the gateway fetched before, `token` where `needs_token`.

        Raises Bug where the document lacks the operation, the supplier a credential, or a value
        cannot be written as the document wants it.
        """
        declared = self._operation(operation, facts)
        token = (resources or {}).get("token", "")
        try:
            return build_request(
                self._document,
                declared,
                facts,
                credentials,
                self.secrets,
                now=now,
                nonce=nonce,
                token=token,
            )
        except ValueFault as fault:
            raise Bug(f"the connector {self.code} cannot build “{operation}”: {fault}") from None

    def can_ask(self, operation: str, facts: AttemptFacts) -> bool:
        """Whether an operation is offered, and what its address is made of is known: a supplier
        that goes by its own number cannot be asked before it said that number."""
        declared = self._document.operations.get(operation)
        if declared is None:
            return False
        known = fact_values(facts, facts.created_at)
        return all(known.get(name, "known") != "" for name in declared.path.names)

    def sent_by_payer(self, facts: AttemptFacts) -> bool:
        """Whether not we but the payer sends the create of an attempt: then `hand_over` it."""
        return self._operation("create", facts).hands is not None

    def hand_over(
        self, facts: AttemptFacts, credentials: Mapping[str, str], *, now: datetime, nonce: str
    ) -> Pay:
        """What the payer is handed instead of a call of ours. Raises Bug as `build` does."""
        request = self.build("create", facts, credentials, now=now, nonce=nonce)
        return handed(self._operation("create", facts), request)

    # ── tokens ───────────────────────────────────────────────────────────────────────────────────
    def needs_token(self, operation: str) -> bool:
        """Whether the request of an operation carries a token."""
        return operation in self._with_token

    @cached_property
    def _with_token(self) -> frozenset[str]:
        """The operations whose requests carry a token; every call asks."""
        creates = (("create", declared) for declared in self._document.creates.values())
        operations = (*creates, *self._document.operations.items())
        return frozenset(name for name, declared in operations if "token" in declared.names)

    def build_token(
        self, credentials: Mapping[str, str], *, now: datetime, nonce: str
    ) -> HttpRequest:
        """The request for a token. Raises Bug as `build` does."""
        return self.build("token", None, credentials, now=now, nonce=nonce)

    def read_token(
        self, answer: HttpAnswer, credentials: Mapping[str, str], *, now: datetime
    ) -> Token:
        """Raises TokenRefused."""
        return self._answer("token", answer, None, credentials, now).token()

    def token_lost(self, answer: HttpAnswer) -> bool:
        """Whether an answer says that the token is over, so that nothing was done."""
        return answer.status in self._document.lost

    # ── in ───────────────────────────────────────────────────────────────────────────────────────
    def read_create(
        self,
        answer: HttpAnswer,
        facts: AttemptFacts,
        credentials: Mapping[str, str],
        *,
        now: datetime,
        nonce: str,
    ) -> CreateReading:
        """Accepted or Rejected only on the supplier's clear word; everything else is Unknown.

        nonce: for what is signed of the answer and handed to the payer's app.
        """
        return self._answer("create", answer, facts, credentials, now).create(facts, nonce)

    def read_standing(
        self,
        operation: str,
        answer: HttpAnswer,
        facts: AttemptFacts,
        credentials: Mapping[str, str],
        *,
        now: datetime,
    ) -> Standing:
        """What the answer to a query, close or capture says; `unknown` where it proves nothing."""
        return self._answer(operation, answer, facts, credentials, now).standing(facts)

    def read_refund(
        self,
        operation: str,
        answer: HttpAnswer,
        facts: AttemptFacts,
        credentials: Mapping[str, str],
        *,
        now: datetime,
    ) -> RefundStanding:
        """What the answer to a refund or refund_query says. facts: with its refund."""
        return self._answer(operation, answer, facts, credentials, now).refund()

    def read_balance(
        self, answer: HttpAnswer, credentials: Mapping[str, str], *, currency: str, now: datetime
    ) -> Balance:
        """What the supplier holds for us."""
        return self._answer("balance", answer, None, credentials, now).balance(currency)

    def verify(
        self, callback: Callback, credentials: Mapping[str, str], *, currency: str, now: datetime
    ) -> tuple[Event, ...]:
        """The events that a callback proves: several of a batch, none where the document has it
        ignored. Raises InvalidCallback for every callback that is not to be believed.

        currency: in which the attempts were made; amounts are read in it.
        """
        rule = self._callback_rule()
        return read_callback(
            self._document,
            rule,
            callback,
            credentials,
            currency=currency,
            now=now,
            watch=self._watch,
        )

    def forgeries(self, callback: Callback) -> Iterator[Callback]:
        """A callback as somebody without a key would change it: for `check`."""
        return forgeries(self._callback_rule(), callback)

    def reply(self, kind: Literal["success", "duplicate", "failure"]) -> Reply:
        """What the supplier wants to hear after a callback that was stored, was known already, or
        was not believed."""
        rule = self._callback_rule()
        match kind:
            case "success":
                return rule.success
            case "duplicate":
                return rule.duplicate
            case "failure":
                return rule.failure

    def _answer(
        self,
        operation: str,
        answer: HttpAnswer,
        facts: AttemptFacts | None,
        credentials: Mapping[str, str],
        now: datetime,
    ) -> Answer:
        declared = self._operation(operation, facts)
        received = Received(answer, credentials, now)
        return Answer(self._document, declared, received, facts, self._watch)

    def _operation(self, name: str, facts: AttemptFacts | None) -> Operation:
        """Raises Bug: what is absent is not offered, so nobody asks for it."""
        if name == "create" and facts is not None:
            creates = self._document.creates
            declared = creates.get(facts.channel_code) or creates.get("")
        else:
            declared = self._document.operations.get(name)
        if declared is None:
            raise Bug(f"the connector {self.code} has no operation “{name}”")
        return declared

    def _callback_rule(self) -> CallbackRule:
        if self._document.callback is None:
            raise Bug(f"the connector {self.code} takes no callbacks")
        return self._document.callback
