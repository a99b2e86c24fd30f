"""The API described by itself: the OpenAPI document, and a page for people."""

from __future__ import annotations

import json
from typing import Any, Final

from aiohttp import web

from core.errors import REFUSALS
from payapi.answers import STATUSES
from payapi.auth import CALLS_PER_APP, CLOCK_SKEW_S
from payapi.examples import ANSWERS, NEWS, curl_script, error
from payapi.openapi import (
    EVENTS,
    OPERATIONS,
    VERSION,
    api_refusals,
    document,
    refusals_of,
    retry_gaps,
)
from payapi.pages import language, page
from payapi.requests import BODY_LIMIT_BYTES, RUNTIME


async def openapi(request: web.Request) -> web.StreamResponse:
    """The OpenAPI 3.1 document. It is public: it holds nobody's data."""
    return web.json_response(
        document(request.app[RUNTIME].public_url, STATUSES),
        headers={"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"},
    )


async def show(request: web.Request) -> web.StreamResponse:
    """The reference page."""
    runtime = request.app[RUNTIME]
    lang = language(request)
    described = document(runtime.public_url, STATUSES)
    facts: dict[str, Any] = {
        "url": runtime.public_url,
        "version": VERSION,
        "operations": [
            {
                "known": operation,
                "fields": _fields(described, operation.body.__name__) if operation.body else [],
                "answer": _fields(described, operation.answer.__name__),
                "request_example": _pretty(operation.body_example),
                "answer_example": _pretty(ANSWERS[operation.answer.__name__]),
                "refusals": refusals_of(operation),
            }
            for operation in OPERATIONS
        ],
        "errors": [(code, STATUSES[code], REFUSALS[code]) for code in api_refusals()],
        "script": curl_script(runtime.public_url),
        "events": EVENTS,
        "gaps": retry_gaps(),
        "order_news": _pretty(NEWS["order.paid"]),
        "refund_news": _pretty(NEWS["refund.succeeded"]),
        "refund_fields": _fields(described, "RefundView"),
        "error_example": _pretty(error("field_unknown", runtime.public_url)),
        "limit": CALLS_PER_APP,
        "skew_s": CLOCK_SKEW_S,
        "body_kb": BODY_LIMIT_BYTES // 1024,
        "other_lang": "en" if lang == "zh" else "zh",
    }
    return page(request, "reference.html", facts)


def _fields(described: dict[str, Any], model: str) -> list[dict[str, str | bool]]:
    schema = described["components"]["schemas"][model]
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "required": name in required,
            "type": _type(facts),
            "limits": _limits(facts),
            "description": facts.get("description", ""),
        }
        for name, facts in schema.get("properties", {}).items()
    ]


def _type(facts: dict[str, Any]) -> str:
    if "anyOf" in facts:
        return " | ".join(_type(one) for one in facts["anyOf"])
    if "$ref" in facts:
        return str(facts["$ref"]).rsplit("/", 1)[-1]
    if "enum" in facts:
        return " | ".join(f'"{value}"' for value in facts["enum"])
    if facts.get("type") == "array":
        return f"[{_type(facts['items'])}]"
    if facts.get("format") == "date-time":
        return "time"
    return str(facts.get("type", ""))


def _limits(facts: dict[str, Any]) -> str:
    inner = next((one for one in facts.get("anyOf", ()) if one.get("type") != "null"), facts)
    said = []
    if "pattern" in inner:
        said.append(str(inner["pattern"]))
    if "minimum" in inner and "maximum" in inner:
        said.append(f"{inner['minimum']} – {inner['maximum']}")
    if "maxLength" in inner:
        said.append(f"≤ {inner['maxLength']}")
    if "maxProperties" in inner:
        said.append(f"≤ {inner['maxProperties']}")
    return ", ".join(said)


def _pretty(example: object) -> str:
    return json.dumps(example, ensure_ascii=False, indent=2) if example else ""


DOCUMENT_ROUTES: Final[list[web.RouteDef]] = [web.get("/openapi.json", openapi)]
PAGE_ROUTES: Final[list[web.RouteDef]] = [web.get("", show)]
