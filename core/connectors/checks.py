"""Running a document's fixtures: what it promises of itself, tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from threading import Lock
from typing import Final

from core.connectors.connector import Connector
from core.connectors.fixtures import Case
from core.connectors.types import (
    Accepted,
    AttemptFacts,
    Callback,
    CreateReading,
    Event,
    FixtureFailure,
    InvalidCallback,
    Rejected,
    Standing,
    TokenRefused,
    Unknown,
)
from core.kernel.errors import Bug
from core.kernel.wire import HttpAnswer

Outcome = tuple[str, Mapping[str, str]]
"""What comes out, as fixtures say it: the word for `gives`, and texts by their names."""
_KEPT: Final = 256
_FOUND: Final[dict[str, list[FixtureFailure]]] = {}
_KEEPING: Final = Lock()  # threads ask


def check(connector: Connector) -> list[FixtureFailure]:
    """Every fixture that fails, and every one that is missing; empty means that the document keeps
    its word.

    A document needs fixtures of an order that is accepted and of money that is seen; with callbacks
    one that is believed and a forged one that is not. What is believed must not be believed as
    anything else once somebody without a key changed it. All that takes some tenths of a second:
    whoever has a loop asks in a thread, and the same text is tried once.
    """
    found = _FOUND.get(connector.version)
    if found is None:
        found = _failures(connector)
        with _KEEPING:
            if len(_FOUND) >= _KEPT:
                del _FOUND[next(iter(_FOUND))]  # the one that was tried first
            _FOUND[connector.version] = found
    return list(found)


def _failures(connector: Connector) -> list[FixtureFailure]:
    cases = connector.fixtures.cases
    failures = [failure for case in cases if (failure := _try(connector, case))]
    if failures:
        return failures
    calls = [case for case in cases if case.kind == "verify"]
    failures = [FixtureFailure(where, 1, why) for where, why in _lacking(connector)]
    failures += [f for case in calls if (f := _about_another(connector, case))]
    return failures + [f for case in calls if (f := _forge(connector, case))]


def _lacking(connector: Connector) -> Iterator[tuple[str, str]]:
    """What no fixture shows, and what the document itself cannot do: where, and what to write."""
    shown = {(case.kind, case.operation, case.gives) for case in connector.fixtures.cases}
    if "callback" in connector.operations:
        if not {("verify", "callback", gives) for gives in ("paid", "hearsay")} & shown:
            yield "callback", "no fixture of a good callback"
        if ("verify", "callback", "invalid") not in shown:
            yield "callback", "no fixture of a forged callback"
    if connector.calls_to_create and ("read", "create", "accepted") not in shown:
        yield "create", "no fixture of a good answer: add `read: create`, `gives: accepted`"
    if not connector.says_paid:
        yield (
            "states",
            "nothing says that money came: add `callback` or `query` with a word for paid",
        )
    elif "callback" not in connector.says_paid and not any(
        ("read", operation, "paid") in shown for operation in connector.says_paid
    ):
        yield "query", "no fixture of an answer that says paid: add `read: query`, `gives: paid`"


def _about_another(connector: Connector, case: Case) -> FixtureFailure | None:
    """A number that is not ours leads to no order, whatever else is right."""
    if case.gives in ("invalid", "ignored"):
        return None
    ours, said = case.facts.attempt_no, [event.attempt_no for event in _events(connector, case)]
    if ours in said:
        return None
    why = (
        f"its number is “{said[0]}”, and that of the attempt is “{ours}”: it must come back as it"
        f" was sent; if that was “{said[0]}”, add `attempt: {{ attempt_no: {said[0]} }}`"
    )
    return FixtureFailure(case.about, case.line, why)


def _events(connector: Connector, case: Case) -> tuple[Event, ...]:
    credentials, currency = connector.fixtures.credentials, case.facts.amount.currency
    came = _callbacks(connector, case)[0]
    return connector.verify(came, credentials, currency=currency, now=case.now)


def _forge(connector: Connector, case: Case) -> FixtureFailure | None:
    """Change a callback that is believed here and there: nothing else may come of it."""
    if case.gives == "invalid" or not connector.signs_callbacks:
        return None
    credentials, currency = connector.fixtures.credentials, case.facts.amount.currency
    events = _events(connector, case)
    for forged in connector.forgeries(_callbacks(connector, case)[0]):
        try:
            said = connector.verify(forged, credentials, currency=currency, now=case.now)
        except InvalidCallback:
            continue
        if said not in (events, ()):
            why = "a callback that was changed is believed: what it says is not all signed"
            return FixtureFailure(case.about, case.line, why)
    return None


def _try(connector: Connector, case: Case) -> FixtureFailure | None:
    try:
        gives, outcomes = _run(connector, case)
    except Bug as bug:
        return FixtureFailure(case.about, case.line, str(bug))
    if gives != case.gives:
        why = outcomes.get("why", "")
        return FixtureFailure(
            case.about, case.line, f"gives {gives}, not {case.gives}" + (f": {why}" if why else "")
        )
    for name, expected in case.outcomes.items():
        if outcomes.get(name, "") != expected:
            why = f"{name} is “{outcomes.get(name, '')}”, not “{expected}”"
            return FixtureFailure(case.about, case.line, why)
    return None


def _run(connector: Connector, case: Case) -> Outcome:
    shared = connector.fixtures
    keys, facts, now = shared.credentials, case.facts, case.now
    if case.kind == "build":
        return _build(connector, case)
    if case.kind == "verify":
        currency = facts.amount.currency
        first, *others = [
            called(connector, call, keys, currency=currency, now=now)
            for call in _callbacks(connector, case)
        ]
        return next((outcome for outcome in others if outcome != first), first)
    headers = {name.lower(): value for name, value in case.headers.items()}
    answer = HttpAnswer(case.status, headers, case.body.encode())
    return answered(connector, case.operation, answer, facts, keys, now=now, nonce=shared.nonce)


def _callbacks(connector: Connector, case: Case) -> list[Callback]:
    """A callback in each place where it may say what it says: query and form are written alike."""
    headers = {name.lower(): value for name, value in case.headers.items()}
    in_query = Callback("GET", case.body, headers, b"", case.address)
    in_body = Callback("POST", "", headers, case.body.encode(), case.address)
    return [in_query if place == "query" else in_body for place in connector.called_by]


def answered(
    connector: Connector,
    operation: str,
    answer: HttpAnswer,
    facts: AttemptFacts,
    keys: Mapping[str, str],
    *,
    now: datetime,
    nonce: str,
) -> Outcome:
    """What an answer to an operation gives."""
    match operation:
        case "create":
            return _created(connector.read_create(answer, facts, keys, now=now, nonce=nonce))
        case "refund" | "refund_query":
            refund = connector.read_refund(operation, answer, facts, keys, now=now)
            return refund.state, {
                "why": refund.why, "code": refund.code,
                "upstream_refund_no": refund.upstream_refund_no or "",
            }  # fmt: skip
        case "balance":
            currency = facts.amount.currency
            balance = connector.read_balance(answer, keys, currency=currency, now=now)
            if balance.available is None:
                return "unknown", {"why": balance.why}
            return "balance", {"available": balance.available.plain()}
        case "token":
            try:
                return "token", {"token": connector.read_token(answer, keys, now=now).value}
            except TokenRefused as refused:
                return "refused", {"why": refused.why}
        case _:
            standing = connector.read_standing(operation, answer, facts, keys, now=now)
            return standing.state, {"why": standing.why, **_money_words(standing)}


def _build(connector: Connector, case: Case) -> Outcome:
    shared = connector.fixtures
    request = connector.build(
        case.operation,
        None if case.operation in ("balance", "token") else case.facts,
        shared.credentials,
        now=case.now,
        nonce=shared.nonce,
        resources={"token": shared.token},
    )
    for name, value in case.headers.items():
        if (sent := request.headers.get(name, "")) != value:
            return f"{name}: {sent}", {}
    made = {"url": request.url, "sent": request.body.decode(), "signed": request.signed}
    if case.operation == "create" and connector.sent_by_payer(case.facts):
        pay = connector.hand_over(case.facts, shared.credentials, now=case.now, nonce=shared.nonce)
        made |= {"pay": pay.value, "kind": pay.kind}
    return "", made


def _created(reading: CreateReading) -> Outcome:
    match reading:
        case Accepted(upstream_no, pay):
            return "accepted", {
                "upstream_no": upstream_no or "", "pay": pay.value, "kind": pay.kind,
            }  # fmt: skip
        case Rejected(code, message):
            return "rejected", {"code": code, "message": message}
        case Unknown(why):
            return "unknown", {"why": why}


def called(
    connector: Connector,
    callback: Callback,
    keys: Mapping[str, str],
    *,
    currency: str,
    now: datetime,
) -> Outcome:
    """What a callback gives: of a batch its first event, and how many there are."""
    try:
        events = connector.verify(callback, keys, currency=currency, now=now)
    except InvalidCallback as invalid:
        return "invalid", {"why": invalid.why}
    if not events:
        return "ignored", {}
    event = events[0]
    return "hearsay" if event.hearsay else event.state, {
        "attempt_no": event.attempt_no, "events": str(len(events)), **_money_words(event),
    }  # fmt: skip


def _money_words(reading: Standing | Event) -> dict[str, str]:
    return {
        "upstream_no": reading.upstream_no or "",
        "paid": reading.paid.plain() if reading.paid else "",
    }
