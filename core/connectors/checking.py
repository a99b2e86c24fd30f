"""Running a document's fixtures: what it promises of itself, tried."""

from __future__ import annotations

from collections.abc import Mapping

from core.connectors.connector import Connector
from core.connectors.fixtures import Case
from core.connectors.types import (
    Accepted,
    Callback,
    Event,
    FixtureFailure,
    InvalidCallback,
    Rejected,
    Standing,
)
from core.errors import Bug
from core.wire import HttpAnswer


def check(connector: Connector) -> list[FixtureFailure]:
    """Every fixture that fails; empty means that the document keeps its word.

    A document that offers callbacks needs a fixture that is believed and a forged one that is not.
    """
    cases = connector.fixtures.cases
    failures = [failure for case in cases if (failure := _try(connector, case))]
    if "callback" in connector.operations:
        verdicts = {case.gives for case in cases if case.kind == "verify"}
        if not verdicts - {"invalid"}:
            failures.append(FixtureFailure("callback", 1, "no fixture of a good callback"))
        if "invalid" not in verdicts:
            failures.append(FixtureFailure("callback", 1, "no fixture of a forged callback"))
    return failures


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


def _run(connector: Connector, case: Case) -> tuple[str, Mapping[str, str]]:
    """What comes out, as the words a fixture uses."""
    shared = connector.fixtures
    if case.kind == "build":
        request = connector.build(
            case.operation, shared.facts, shared.credentials, now=shared.now, nonce=shared.nonce
        )
        body = request.body.decode()
        for name, value in case.headers.items():
            if (sent := request.headers.get(name, "")) != value:
                return f"{name}: {sent}", {}
        return "", {"url": request.url, "sent": body, "signed": request.signed}
    if case.kind == "verify":
        return _verify(connector, case)
    headers = {name.lower(): value for name, value in case.headers.items()}
    answer = HttpAnswer(case.status, headers, case.body.encode())
    if case.operation == "create":
        reading = connector.read_create(answer, shared.facts, shared.credentials)
        if isinstance(reading, Accepted):
            return "accepted", {
                "upstream_no": reading.upstream_no or "", "pay": reading.pay.value,
            }  # fmt: skip
        if isinstance(reading, Rejected):
            return "rejected", {"code": reading.code, "message": reading.message}
        return "unknown", {"why": reading.why}
    standing = connector.read_standing(case.operation, answer, shared.facts, shared.credentials)
    return standing.state, {"why": standing.why, **_money_words(standing)}


def _verify(connector: Connector, case: Case) -> tuple[str, Mapping[str, str]]:
    shared = connector.fixtures
    headers = {name.lower(): value for name, value in case.headers.items()}
    callback = (
        Callback("GET", case.body, headers, b"", "")
        if connector.called_by == "query"
        else Callback("POST", "", headers, case.body.encode(), "")
    )
    try:
        event = connector.verify(
            callback, shared.credentials, currency=shared.facts.amount.currency
        )
    except InvalidCallback as invalid:
        return "invalid", {"why": invalid.why}
    return event.state, {"attempt_no": event.attempt_no, **_money_words(event)}


def _money_words(reading: Standing | Event) -> dict[str, str]:
    return {
        "upstream_no": reading.upstream_no or "",
        "paid": reading.paid.plain() if reading.paid else "",
    }
