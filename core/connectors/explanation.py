"""What a document does, said as facts: how it calls, what it believes, what it promises about
money, and what whoever switches it on should have thought about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from core.connectors.document import Answers, CallbackRule, Document, Operation, Sign

WarningCode = Literal[
    "answers_unsigned", "answers_signed_good", "callbacks_unsigned", "callbacks_hearsay",
    "callbacks_any_address", "callbacks_any_merchant", "no_callback", "no_query",
    "no_close", "no_refund", "no_refund_query", "refused_codes", "refused_none",
    "refused_statuses", "number_not_repeated", "servers_anywhere", "hosts_anywhere",
    "create_repeatable", "refund_repeatable", "not_found_final",
]  # fmt: skip
"""answers_unsigned: believed though nobody signed them; answers_signed_good: only refusals are not
signed. callbacks_hearsay: signed, but a query must say it too; callbacks_unsigned: that, and
anybody may send one. callbacks_any_merchant: no field says that they are about us. refused_…: after
these surely no payment can follow. …_repeatable, not_found_final: promises."""

OFFERS: Final = (
    "create", "query", "close", "capture", "refund", "refund_query", "balance", "callback",
)  # fmt: skip

_LACKING: Final[Mapping[str, WarningCode]] = {
    "query": "no_query", "close": "no_close", "refund": "no_refund",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signing:
    """How a message is signed, in the document's language. where: the field, or the pipe, that
    holds the signature; empty where the headers carry it."""

    text: str
    steps: str
    where: str


@dataclass(frozen=True, slots=True)
class CallExplained:
    """One call. way: the channel's code, where it has one. by_payer: the payer's browser sends it.
    answers: which of its answers are signed. refused: codes after which no payment can follow."""

    operation: str
    way: str
    method: str
    path: str
    body: str
    signed: Signing | None
    by_payer: bool
    answers: Literal["signed", "good", "unsigned", "none"]
    answers_signed: Signing | None
    refused: tuple[str, ...]
    not_found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallbackExplained:
    """How it calls us. sources: where its fields may come. then: whether it is believed, or a query
    has the word."""

    sources: tuple[str, ...]
    signed: Signing | None
    then: Literal["believe", "query"]
    addresses: tuple[str, ...]
    success: str


@dataclass(frozen=True, slots=True)
class Caution:
    """Something to have thought about. about: operations, codes, or what else it names."""

    code: WarningCode
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """offers, lacks: operations, `callback` included. credentials: with a title each. secrets:
    those that are hidden wherever people look. says_who: fields that must name us. fixtures: how
    many there are."""

    code: str
    name: str
    sandbox_only: bool
    credentials: Mapping[str, str]
    secrets: tuple[str, ...]
    offers: tuple[str, ...]
    lacks: tuple[str, ...]
    hosts: tuple[str, ...]
    apps: tuple[str, ...]
    says_who: tuple[str, ...]
    calls: tuple[CallExplained, ...]
    callback: CallbackExplained | None
    cautions: tuple[Caution, ...]
    fixtures: int


def explain(document: Document, secrets: Iterable[str]) -> Explanation:
    """A document as facts for people. secrets: names that are hidden."""
    offered = {"create", *document.operations} | ({"callback"} if document.callback else set())
    calls = (
        *(_call("create", way, made) for way, made in document.creates.items()),
        *(_call(name, "", made) for name, made in document.operations.items()),
    )
    return Explanation(
        code=document.code,
        name=document.name,
        sandbox_only=document.sandbox_only,
        credentials=document.credentials,
        secrets=tuple(sorted(secrets)),
        offers=tuple(name for name in OFFERS if name in offered),
        lacks=tuple(name for name in OFFERS if name not in offered),
        hosts=document.hosts,
        apps=document.apps,
        says_who=tuple(".".join(path) for path, _ in document.must_equal),
        calls=calls,
        callback=_called(document.callback) if document.callback else None,
        cautions=tuple(_cautions(document, calls)),
        fixtures=len(document.fixtures.cases),
    )


def _call(name: str, way: str, declared: Operation) -> CallExplained:
    answers = declared.answers
    return CallExplained(
        operation=name,
        way=way,
        method=declared.method,
        path=str(declared.path),
        body=declared.body,
        signed=_signing(declared.sign) if declared.sign else None,
        by_payer=declared.hands is not None,
        answers="none" if declared.hands is not None else _kind_of(answers),
        answers_signed=_signing(answers.verify) if answers.verify else None,
        # Nobody else's answer refuses anything.
        refused=_told(answers.refused, answers.refused_statuses)
        if name in ("create", "refund")
        else (),
        not_found=_told(answers.not_found, answers.not_found_statuses),
    )


def _called(rule: CallbackRule) -> CallbackExplained:
    return CallbackExplained(
        sources=rule.sources,
        signed=_signing(rule.verify) if rule.verify else None,
        then="query" if rule.asks else "believe",
        addresses=tuple(map(str, rule.addresses)),
        success=rule.success.body.decode(),
    )


def _signing(sign: Sign) -> Signing:
    where = sign.own or (str(sign.came) if sign.came else "")
    return Signing(str(sign.text), " | ".join(map(str, sign.steps)), where)


def _kind_of(answers: Answers) -> Literal["signed", "good", "unsigned"]:
    if answers.verify is None:
        return "unsigned"
    return "good" if answers.only_good else "signed"


def _told(codes: frozenset[str], statuses: frozenset[int]) -> tuple[str, ...]:
    return (*sorted(codes), *(f"HTTP {status}" for status in sorted(statuses)))


# ── what to have thought about ───────────────────────────────────────────────────────────────────
def _cautions(document: Document, calls: tuple[CallExplained, ...]) -> Iterator[Caution]:
    yield from _of_answers(calls)
    yield from _of_callbacks(document)
    offered = {"create", *document.operations}
    yield from (Caution(code) for name, code in _LACKING.items() if name not in offered)
    if "refund" in offered and "refund_query" not in offered:
        yield Caution("no_refund_query")
    yield from _of_refusals(document, calls)
    if any(made.hands is None and not made.reads.attempt_no for made in document.creates.values()):
        yield Caution("number_not_repeated")
    if not document.servers:
        yield Caution("servers_anywhere")
    if not document.hosts and any(_sends_payers(made) for made in document.creates.values()):
        yield Caution("hosts_anywhere")
    if document.create_is_idempotent:
        yield Caution("create_repeatable")
    if document.refund_is_idempotent:
        yield Caution("refund_repeatable")
    if document.not_found_is_final:
        yield Caution("not_found_final")


def _of_answers(calls: tuple[CallExplained, ...]) -> Iterator[Caution]:
    money = [call for call in calls if call.operation not in ("token", "balance")]
    if unsigned := _names(call for call in money if call.answers == "unsigned"):
        yield Caution("answers_unsigned", unsigned)
    if good := _names(call for call in money if call.answers == "good"):
        yield Caution("answers_signed_good", good)


def _of_callbacks(document: Document) -> Iterator[Caution]:
    rule = document.callback
    if rule is None:
        yield Caution("no_callback")
        return
    if rule.verify is None:
        yield Caution("callbacks_unsigned")
    elif rule.asks:
        yield Caution("callbacks_hearsay")
    if not rule.addresses:
        yield Caution("callbacks_any_address")
    if rule.verify is not None and not document.must_equal:
        yield Caution("callbacks_any_merchant")


def _of_refusals(document: Document, calls: tuple[CallExplained, ...]) -> Iterator[Caution]:
    creates = [made.answers for made in document.creates.values() if made.hands is None]
    codes = sorted({code for answers in creates for code in answers.refused})
    statuses = sorted({str(s) for answers in creates for s in answers.refused_statuses})
    if codes:
        yield Caution("refused_codes", tuple(codes))
    if statuses:
        yield Caution("refused_statuses", tuple(statuses))
    if creates and not codes and not statuses:
        yield Caution("refused_none")


def _sends_payers(declared: Operation) -> bool:
    """Whether an answer of the supplier says where the payer goes."""
    return declared.hands is None and bool(declared.pay)


def _names(calls: Iterable[CallExplained]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(call.operation for call in calls))
