"""Whether a message is a supplier's, and about us: signatures, freshness, cross-checks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from core.connectors import limits
from core.connectors.ciphers import CipherError, certified_key
from core.connectors.document import Document, Places, Reads, Sign
from core.connectors.messages import Path, Tree, find, need_text, raw_member, read_form
from core.connectors.operators import Value, ValueFault
from core.connectors.pipes import Scope
from core.connectors.readings import Role, second_reading
from core.connectors.requests import scope_of, secret
from core.connectors.signatures import is_signed, params_text
from core.connectors.trace import Watch
from core.connectors.types import AttemptFacts
from core.kernel.errors import Refusal
from core.kernel.money import Money, parse_money

_MINOR_DIGITS: Final = 15
_WHOLE: Final = re.compile(r"(\d{1,15})(?:\.0{1,15})?", re.ASCII)
# `1.0E7`, as Java and JSON write whole millions
_POWER: Final = re.compile(r"\d{1,20}(?:\.\d{1,20})?[eE][+-]?\d{1,2}", re.ASCII)
_MS_DIGITS: Final = 12  # more digits than seconds will have for long


class DoubtError(Exception):
    """A message that proves nothing. why: for staff; reason: one of REFUSED_FOR."""

    def __init__(self, why: str, reason: str = "content") -> None:
        self.reason = reason
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Message:
    """What came in. query: of its address, raw; it is read where a document speaks of it. text: the
    body as it was; body: what it says at its root; now: when it came."""

    headers: Mapping[str, str]
    query: str
    text: str
    body: Tree
    now: datetime


def incoming_scope(
    document: Document,
    message: Message,
    rule: Sign | None,
    credentials: Mapping[str, str],
    within: Path = (),
) -> Scope:
    """What the texts of a message that came in may speak of."""
    names: dict[str, Value] = {"body": message.text}
    if rule is not None:
        if "content" in rule.names:
            names["content"] = raw_member(message.text, within[0]) if within else message.text
        if "params" in rule.names:
            names["params"] = params_text(message.body, rule.params, rule.own)
    ours = scope_of(document, names, credentials)

    def scope(name: str) -> Value:
        if name in names:
            return names[name]
        root, _, rest = name.partition(".")
        if not (rest or name == "certificate"):
            return ours(name)
        if root == "header":
            return need_text(message.headers.get(rest.lower(), ""), f"the header {rest}")
        if name == "certificate":
            return _certified(rule, scope, credentials, message.now)
        tree = message.body if root == "body" else read_form(message.query)
        return find(tree, tuple(rest.split(".")))

    return scope


def need_signature(rule: Sign, message: Message, scope: Scope, watch: Watch) -> None:
    """Raises DoubtError where a message is not signed as it should be."""
    watch.signature(rule, scope)
    if rule.came is None or not is_signed(rule, rule.came.text(scope), scope):
        raise DoubtError("the signature is wrong", "signature")
    if rule.fresh is not None:
        signed_at = rule.fresh.text(scope)
        watch.at("freshness", said=signed_at, now=message.now)
        _need_fresh(signed_at, message.now)


def need_one_reading(
    rule: Sign, message: Message, scope: Scope, roles: Sequence[Role], watch: Watch
) -> None:
    """Raises DoubtError where what was signed could be another message that decides otherwise.
    roles: what decides."""
    watch.at("clearness")
    if why := second_reading(rule, message.body, scope, roles):
        raise DoubtError(plain_words(why))


def need_ours(
    document: Document, tree: Tree, credentials: Mapping[str, str], watch: Watch, *, always: bool
) -> None:
    """Raises DoubtError where a message is about somebody else. always: it has to say so, not only
    where it does."""
    for path, words in document.must_equal:
        said = find(tree, path)
        if not (said or always):
            continue
        ours = words.text(scope_of(document, {}, credentials))
        watch.at("ours", field=".".join(path), said=said, ours=ours)
        if said != ours:
            raise DoubtError(f"{'.'.join(path)} is not ours", "not_ours")


def need_same(
    document: Document, reads: Reads, tree: Tree, facts: AttemptFacts, watch: Watch
) -> None:
    """Raises DoubtError where a message is about another attempt, amount, currency or refund."""
    currency = facts.amount.currency
    _need_number(first(tree, reads.attempt_no), facts.attempt_no, "attempt", watch)
    _need_amount(document, first(tree, reads.amount), facts.amount, watch)
    if said := first(tree, reads.currency):
        watch.at("currency", said=said, ours=currency)
        if said.upper() != currency:
            raise DoubtError("the answer is about another currency")
    if facts.refund is not None:
        _need_number(first(tree, reads.refund_no), facts.refund.refund_no, "refund", watch)
        _need_amount(document, first(tree, reads.refunded), facts.refund.amount, watch)


def roles_of(document: Document, reads: Reads, *, called: bool, asks: bool) -> list[Role]:
    """What of a message decides, as `reads` and `must_equal` say; but for `paid_roles`. called: it
    is a callback, which has to say who we are and which payment it is about. asks: a query has the
    word, and so a state and a number of theirs may be absent."""
    told = called and not asks
    return [
        Role(reads.attempt_no, needed=called),
        Role(reads.upstream_no, needed=told),
        *_state_roles(reads, needed=told),
        *(Role((path,), needed=called) for path, _ in document.must_equal),
    ]


def paid_roles(reads: Reads) -> list[Role]:
    """What decides besides where the state is paid: in other ones nobody looks at it."""
    return [Role(reads.paid, "amount"), *(Role((path,)) for path in reads.currency)]


def checked_roles(reads: Reads) -> Iterator[Role]:
    """What of an answer has to be as we asked, where it is said."""
    for places in (reads.amount, reads.refunded):
        yield from (Role((path,), "amount") for path in places)
    for places in (reads.refund_no, reads.upstream_refund_no):
        yield from (Role((path,)) for path in places)


def _state_roles(reads: Reads, *, needed: bool) -> list[Role]:
    if reads.together:
        return [Role((path,), needed=needed) for path in reads.state]
    return [Role(reads.state, needed=needed)]


def first(tree: Tree, places: Places) -> str:
    """The text at the first place where there is one; empty where there is none."""
    for path in places:
        if said := find(tree, path):
            return said
    return ""


def state_word(tree: Tree, reads: Reads) -> str:
    """The supplier's word for how something stands; of several fields, with spaces between."""
    if not reads.together:
        return first(tree, reads.state)
    return " ".join(word for path in reads.state if (word := find(tree, path)))


def paid_of(document: Document, reads: Reads, tree: Tree, currency: str) -> Money:
    """What was paid. Raises DoubtError."""
    said = first(tree, reads.currency)
    if said and said.upper() != currency:
        raise DoubtError("paid, but in another currency", "currency")
    money = money_of(document, first(tree, reads.paid), currency)
    if money is None:
        raise DoubtError("paid, but the amount cannot be read")
    return money


def money_of(document: Document, text: str, currency: str, *, zero: bool = False) -> Money | None:
    """A supplier's amount, exactly; None where it is none, or not more than zero. zero: it may
    be that. Read is what means exactly one amount: `1.0E7`, `1234.0` cents, blanks around."""
    said = _written_out(text.strip())
    if document.amounts == "minor":
        whole = _WHOLE.fullmatch(said)
        if whole is None:
            return None
        money = Money(int(whole[1]), currency)
    else:
        try:
            money = parse_money(said, currency)
        except Refusal:
            return None
    return money if money.minor > 0 or (zero and money.minor == 0) else None


def number_of(text: str) -> str | None:
    """A supplier's or our own number: short and printable, else none."""
    if not text or len(text) > limits.NUMBER_CHARS or not (text.isascii() and text.isprintable()):
        return None
    return text


def plain_words(text: str) -> str:
    """Somebody else's words, made safe to show and log."""
    return "".join(c if c.isprintable() else " " for c in text[: limits.WORDS_CHARS])


def _written_out(text: str) -> str:
    """A number with its power of ten carried out, digit for digit; any other text as it is."""
    return format(Decimal(text), "f") if _POWER.fullmatch(text) else text


def _need_number(said: str, ours: str, what: str, watch: Watch) -> None:
    if not said:
        return
    watch.at("number", said=said, ours=ours)
    if said != ours:
        raise DoubtError(f"the answer is about another {what}")


def _need_amount(document: Document, said: str, ours: Money, watch: Watch) -> None:
    if not said:
        return
    watch.at("amount", said=said, ours=ours)
    if money_of(document, said, ours.currency) != ours:
        raise DoubtError("the answer is about another amount")


def _need_fresh(text: str, now: datetime) -> None:
    """Unix time, in seconds or milliseconds."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MINOR_DIGITS):
        raise DoubtError("it does not say when it was signed")
    at = int(text) / (1000 if len(text) > _MS_DIGITS else 1)
    if abs(at - now.timestamp()) > limits.FRESH_S:
        raise DoubtError(f"it was signed more than {limits.FRESH_S} s from now", "stale")


def _certified(
    rule: Sign | None, scope: Scope, credentials: Mapping[str, str], now: datetime
) -> str:
    """The key of the certificate that came along, if it was given out by whom we trust."""
    if rule is None or rule.certificate is None:
        raise DoubtError("there is no certificate")
    asked = rule.certificate
    try:
        return certified_key(
            asked.came.text(scope), secret(credentials, asked.issued_by), asked.issued_to, now
        )
    except CipherError as error:
        raise ValueFault(str(error)) from None
