"""A connector document as somebody sent it: what it does, whether it keeps its word, and the
requests it would make, with every key masked. Pure."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Final

from core.connectors import DocumentFaults, DryRun, DrySent, Explanation, check, load
from core.kernel.errors import Refusal
from handlers.documents.screens import (
    CautionLine,
    DocumentFaultsNotice,
    DryReadNotice,
    DryRequest,
    DryStep,
    FailureLine,
    Signing,
    Summary,
)

SHOWN_FAULTS: Final = 20
SHOWN_DIFF_LINES: Final = 10
_FAULTS_CHARS: Final = 2500
_WAYS: Final = 8  # of which requests are shown
_CLIPPED_CHARS: Final = 900  # of a body or a signed text, where it stands in a message


def shown_faults(faults: DocumentFaults) -> DocumentFaultsNotice:
    """What is wrong with a document: the first faults, and how many there are."""
    return DocumentFaultsNotice(len(faults.faults), tuple(faults.faults[:SHOWN_FAULTS]))


def are_long(faults: DocumentFaults) -> bool:
    """Whether a message has no room for all that is wrong with a document."""
    return len(faults.faults) > SHOWN_FAULTS or len(str(faults)) > _FAULTS_CHARS


def summary(text: str) -> Summary:
    """What a document does, and which of its fixtures fail. Raises DocumentFaults."""
    connector = load(text)
    failures = check(connector)
    told = connector.explained()
    return Summary(
        code=told.code,
        name=told.name,
        offers=tuple(told.offers),
        lacks=tuple(told.lacks),
        signing=_signing(told),
        credentials=tuple(told.credentials),
        servers=tuple(connector.servers),
        hosts=(*told.hosts, *(f"{scheme}://" for scheme in told.apps)),
        ways=tuple(sorted(connector.ways)),
        sandbox_only=told.sandbox_only,
        cautions=tuple(
            CautionLine(caution.code, ", ".join(caution.about)) for caution in told.cautions
        ),
        cases=told.fixtures,
        failures=tuple(
            FailureLine(failure.case, failure.line, failure.why) for failure in failures
        ),
        sound=not failures and "callback" in told.offers,
    )


def _signing(told: Explanation) -> Signing:
    for call in told.calls:
        if call.operation == "create" and call.signed is not None:
            return Signing(call.signed.text, call.signed.steps)
    return Signing("", "")


def dry_run(text: str) -> list[DryRequest]:
    """The request that opens a payment, of each way that there is, made of the fixtures' facts.
    Raises DocumentFaults."""
    connector = load(text)
    facts = connector.fixtures.facts
    made = []
    for way in sorted(connector.ways)[:_WAYS] or [facts.channel_code]:
        tried = DryRun(connector, facts=replace(facts, channel_code=way))
        try:
            made.append(_request(way, tried.request("create")))
        except Refusal as refusal:
            made.append(DryRequest(way, fault=refusal.facts.get("why", refusal.code)))
    return made


def pasted(text: str, said: str) -> tuple[str, str] | None:
    """What came from a supplier, pasted behind the operation it belongs to (`callback a=1&b=2`):
    the operation, and what came. None for any other words. Raises DocumentFaults."""
    words = said.split(maxsplit=1)
    if len(words) < 2 or words[0] not in load(text).explained().offers:
        return None
    return words[0], words[1]


def dry_read(text: str, code: str, operation: str, came: str) -> DryReadNotice:
    """How what came would be read with the facts and keys of the fixtures, step by step. code: of
    the document. Raises DocumentFaults. Refusals: dry_run_impossible."""
    tried = DryRun(load(text))
    read = tried.callback(came) if operation == "callback" else tried.answer(operation, came)
    return DryReadNotice(
        code=code,
        operation=operation,
        gives=read.gives,
        outcomes={name: value for name, value in read.outcomes.items() if value},
        steps=tuple(DryStep(step.name, step.ok, step.why, dict(step.said)) for step in read.steps),
    )


def _request(way: str, sent: DrySent) -> DryRequest:
    return DryRequest(
        way=way,
        method=sent.method,
        url=sent.url,
        headers=sent.headers,
        body=sent.body,
        fields="\n".join(f"{name} = {value}" for name, value in sent.fields),
        signed=sent.signed,
    )


def clipped(request: DryRequest) -> DryRequest:
    """The same, as much of it as a message has room for."""
    return DryRequest(
        **{
            name: value if len(value) <= _CLIPPED_CHARS else f"{value[:_CLIPPED_CHARS]}…"
            for name, value in asdict(request).items()
        }
    )


def written(requests: list[DryRequest]) -> str:
    """The requests as a text file."""
    return "\n".join(_written(request) for request in requests)


def _written(request: DryRequest) -> str:
    if request.fault:
        return f"# {request.way}\n{request.fault}\n"
    parts = [f"# {request.way}", f"{request.method} {request.url}", request.headers]
    for title, text in (
        ("", request.body), ("# decoded", request.fields), ("# what is signed", request.signed),
    ):  # fmt: skip
        if text:
            parts += ["", *([title] if title else []), text]
    return "\n".join([*parts, ""])
