"""Callbacks: what a supplier's call proves, if anything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import Final

from core.connectors import limits
from core.connectors.document import CallbackRule, Document
from core.connectors.messages import (
    BodyForm,
    Tree,
    UnreadableError,
    need_plain_names,
    read_body,
    read_form,
    text_of,
    within,
)
from core.connectors.operators import ValueFault
from core.connectors.readings import Role
from core.connectors.trace import Watch
from core.connectors.types import Callback, Event, InvalidCallback
from core.connectors.verification import (
    DoubtError,
    Message,
    first,
    incoming_scope,
    need_one_reading,
    need_ours,
    need_signature,
    number_of,
    paid_of,
    paid_roles,
    plain_words,
    roles_of,
    state_word,
)

_NAMES_SHOWN: Final = 8


def read_callback(
    document: Document,
    rule: CallbackRule,
    callback: Callback,
    credentials: Mapping[str, str],
    *,
    currency: str,
    now: datetime,
    watch: Watch,
) -> tuple[Event, ...]:
    """What a callback tells: one event, several of a batch, or none that means anything to us.

    Raises InvalidCallback where any of it is not to be believed.
    """
    reader = _Reader(document, rule, credentials, currency, now, watch)
    try:
        reader.need_known_address(callback.address)
        return tuple(event for item in reader.items(callback) if (event := reader.event(item)))
    except (UnreadableError, ValueFault, DoubtError) as doubt:
        reason = doubt.reason if isinstance(doubt, DoubtError) else "unreadable"
        raise InvalidCallback(str(doubt), reason, reader.about) from None


class _Reader:
    """about: the attempt that the item at hand is about, once its signed words have said so."""

    def __init__(
        self,
        document: Document,
        rule: CallbackRule,
        credentials: Mapping[str, str],
        currency: str,
        now: datetime,
        watch: Watch,
    ) -> None:
        self._document = document
        self._rule = rule
        self._credentials = credentials
        self._currency = currency
        self._now = now
        self.about = ""
        self._watch = watch

    def need_known_address(self, text: str) -> None:
        """Raises DoubtError where the caller is none of the supplier's."""
        networks = self._rule.addresses
        if not networks:
            return
        self._watch.at("address", said=text)
        try:
            address = ip_address(text)
        except ValueError:
            address = None
        if address is None or not any(address in network for network in networks):
            raise DoubtError("it comes from an address that is not the supplier's", "address")

    def items(self, callback: Callback) -> list[Tree]:
        """The content, or each item of a batch, signature proved and seal opened."""
        rule = self._rule
        self._watch.at("form", form=" or ".join(rule.sources))
        if max(len(callback.body), len(callback.query)) > limits.CALLBACK_BYTES:
            raise UnreadableError("the callback is too long")
        source = _filled(rule.sources, callback)
        if source == "query":  # what else is there decides nothing
            body, text = read_form(callback.query), ""
        else:
            body, text = read_body(source, callback.body), text_of(callback.body)
        return [
            self._opened(Message(callback.headers, callback.query, text, item, self._now))
            for item in self._each(body)
        ]

    def event(self, tree: Tree) -> Event | None:
        """What one item tells; None where it means nothing to us."""
        rule, reads, self.about = self._rule, self._rule.reads, ""
        always = rule.verify is not None
        need_ours(self._document, tree, self._credentials, self._watch, always=always)
        word = self._word(tree)
        self._watch.at("state", said=word)
        if self._means_nothing(word):
            return None
        attempt_no = number_of(first(tree, reads.attempt_no))
        upstream_no = number_of(first(tree, reads.upstream_no))
        self._watch.at("number", said=attempt_no, upstream_no=upstream_no)
        if attempt_no is None or (upstream_no is None and not rule.asks):
            raise DoubtError("a number is missing")
        state = rule.states.get(word)
        if rule.asks:
            return Event(attempt_no, upstream_no or "", state or "pending", None, hearsay=True)
        self.about = attempt_no
        if state is None:
            raise DoubtError(f"the state “{plain_words(word)}” is not in the document")
        paid = None
        if state == "paid":
            self._watch.at("paid", said=first(tree, reads.paid))
            paid = paid_of(self._document, reads, tree, self._currency)
        return Event(attempt_no, upstream_no or "", state, paid)

    def _each(self, body: Tree) -> list[Tree]:
        if not self._rule.each:
            return [body]
        items = within(body, self._rule.each)
        if not isinstance(items, list) or not 0 < len(items) <= limits.BATCH:
            raise UnreadableError(f"there is no list of 1 to {limits.BATCH} items")
        if not all(isinstance(item, dict) for item in items):
            raise UnreadableError("an item is no table")
        return items

    def _opened(self, message: Message) -> Tree:
        rule = self._rule
        if rule.each:
            self._watch.at("item")
        scope = incoming_scope(self._document, message, rule.verify, self._credentials, rule.within)
        if rule.verify is not None:
            need_signature(rule.verify, message, scope, self._watch)
            # Where nothing comes of it, it is the same how else it might be read.
            if rule.envelope is not None or not self._means_nothing(self._word(message.body)):
                roles = self._roles(message.body)
                need_one_reading(rule.verify, message, scope, roles, self._watch)
        if rule.envelope is None:
            return message.body
        self._watch.at("opening", form=rule.envelope.form)
        return read_body(rule.envelope.form, rule.envelope.opened.text(scope).encode())

    def _roles(self, tree: Tree) -> list[Role]:
        """What decides: of sealed content, what it is opened out of."""
        rule = self._rule
        if rule.envelope is not None:
            return [Role((path,), needed=True) for path in rule.envelope.paths]
        roles = roles_of(self._document, rule.reads, called=True, asks=rule.asks)
        is_paid = rule.states.get(self._word(tree)) == "paid" and not rule.asks
        return [*roles, *paid_roles(rule.reads)] if is_paid else roles

    def _word(self, tree: Tree) -> str:
        return state_word(tree, self._rule.reads)

    def _means_nothing(self, word: str) -> bool:
        rule = self._rule
        return word in rule.ignored or (word not in rule.states and "*" in rule.ignored)


def _filled(sources: tuple[BodyForm, ...], callback: Callback) -> BodyForm:
    """The one place of a callback where something is. Raises UnreadableError."""
    filled = [place for place in sources if _content(place, callback)]
    if len(filled) == 1:
        return filled[0]
    names = " and in the ".join(filled or sources)
    if filled:
        raise UnreadableError(f"it says something in the {names}: one of them has to be empty")
    elsewhere = [
        f"; the {place} has {said}"
        for place in ("query", "body")
        if (said := _said(place, callback))
    ]
    raise UnreadableError(f"nothing came in the {names}{''.join(elsewhere)}")


def _content(place: str, callback: Callback) -> bytes:
    content = callback.query.encode(errors="replace") if place == "query" else callback.body
    return content.strip()


def _said(place: str, callback: Callback) -> str:
    """What stands in a place where nothing was expected: names alone, for values may be secret."""
    content = _content(place, callback)
    try:
        names = list(read_body("form", content))
        need_plain_names(names, "&")
    except UnreadableError:
        return f"{len(content)} bytes"
    shown = ", ".join(names[:_NAMES_SHOWN])
    return plain_words(f"{shown}, …" if len(names) > _NAMES_SHOWN else shown)
