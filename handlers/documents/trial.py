"""A connector document as somebody sent it: what it does, whether it keeps its word, and the
requests it would make, with every key masked. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from core.connectors import DocumentFaults, DryRun, DrySent, Explanation, check, load
from core.kernel.errors import Refusal

SHOWN_FAULTS: Final = 20
SHOWN_DIFF_LINES: Final = 10
_FAULTS_CHARS: Final = 2500
_WAYS: Final = 8  # of which requests are shown
_CLIPPED_CHARS: Final = 900  # of a body or a signed text, where it stands in a message


def fault_facts(faults: DocumentFaults) -> dict[str, Any]:
    """What is wrong with a document: the first faults, and how many there are. long: a message
    has no room for all of it."""
    return {
        "total": len(faults.faults),
        "long": len(faults.faults) > SHOWN_FAULTS or len(str(faults)) > _FAULTS_CHARS,
        "faults": [
            {
                "line": fault.line,
                "path": fault.path,
                "found": fault.found,
                "expected": fault.expected,
            }
            for fault in faults.faults[:SHOWN_FAULTS]
        ],
    }


def summary(text: str) -> dict[str, Any]:
    """What a document does, and which of its fixtures fail. sound: it can be proposed. Raises
    DocumentFaults."""
    connector = load(text)
    failures = check(connector)
    told = connector.explained()
    return {
        "code": told.code,
        "name": told.name,
        "offers": list(told.offers),
        "lacks": list(told.lacks),
        "signing": _signing(told),
        "credentials": list(told.credentials),
        "servers": list(connector.servers),
        "hosts": [*told.hosts, *(f"{scheme}://" for scheme in told.apps)],
        "ways": sorted(connector.ways),
        "sandbox_only": told.sandbox_only,
        "cautions": [
            {"code": caution.code, "about": ", ".join(caution.about)} for caution in told.cautions
        ],
        "cases": told.fixtures,
        "failures": [
            {"case": failure.case, "line": failure.line, "why": failure.why} for failure in failures
        ],
        "sound": not failures and "callback" in told.offers,
    }


def _signing(told: Explanation) -> dict[str, str]:
    """How payments are opened: the text that is signed, and how; both empty where none is."""
    for call in told.calls:
        if call.operation == "create" and call.signed is not None:
            return {"text": call.signed.text, "steps": call.signed.steps}
    return {"text": "", "steps": ""}


def dry_run(text: str) -> list[dict[str, str]]:
    """The request that opens a payment, of each way that there is, made of the fixtures' facts:
    way, method, url, headers, body, signed; or way and `fault`, where none can be made. Raises
    DocumentFaults."""
    connector = load(text)
    facts = connector.fixtures.facts
    made = []
    for way in sorted(connector.ways)[:_WAYS] or [facts.channel_code]:
        tried = DryRun(connector, facts=replace(facts, channel_code=way))
        try:
            made.append({"way": way, **_request(tried.request("create"))})
        except Refusal as refusal:
            made.append({"way": way, "fault": refusal.facts["why"]})
    return made


def pasted(text: str, said: str) -> tuple[str, str] | None:
    """What came from a supplier, pasted behind the operation it belongs to (`callback a=1&b=2`):
    the operation, and what came. None for any other words. Raises DocumentFaults."""
    words = said.split(maxsplit=1)
    if len(words) < 2 or words[0] not in load(text).explained().offers:
        return None
    return words[0], words[1]


def dry_read(text: str, operation: str, came: str) -> dict[str, Any]:
    """How what came would be read with the facts and keys of the fixtures, step by step. Raises
    DocumentFaults. Refusals: dry_run_impossible."""
    tried = DryRun(load(text))
    read = tried.callback(came) if operation == "callback" else tried.answer(operation, came)
    return {
        "operation": operation,
        "gives": read.gives,
        "outcomes": {name: value for name, value in read.outcomes.items() if value},
        "steps": [
            {"name": step.name, "ok": step.ok, "why": step.why, "said": dict(step.said)}
            for step in read.steps
        ],
    }


def _request(sent: DrySent) -> dict[str, str]:
    return {
        "method": sent.method,
        "url": sent.url,
        "headers": sent.headers,
        "body": sent.body,
        "fields": "\n".join(f"{name} = {value}" for name, value in sent.fields),
        "signed": sent.signed,
    }


def clipped(request: dict[str, str]) -> dict[str, str]:
    """The same, as much of it as a message has room for."""
    return {
        name: value if len(value) <= _CLIPPED_CHARS else f"{value[:_CLIPPED_CHARS]}…"
        for name, value in request.items()
    }


def written(requests: list[dict[str, str]]) -> str:
    """The requests as a text file."""
    return "\n".join(_written(request) for request in requests)


def _written(request: dict[str, str]) -> str:
    if "fault" in request:
        return f"# {request['way']}\n{request['fault']}\n"
    parts = [f"# {request['way']}", f"{request['method']} {request['url']}", request["headers"]]
    for title, name in (("", "body"), ("# decoded", "fields"), ("# what is signed", "signed")):
        if request[name]:
            parts += ["", *([title] if title else []), request[name]]
    return "\n".join([*parts, ""])
