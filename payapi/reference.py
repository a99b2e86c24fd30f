"""The API described by itself: the OpenAPI document, and a page for people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

from aiohttp import hdrs, web

from core.kernel.errors import declared
from core.parties.merchants import CALLS_PER_S
from payapi.answers import status_of
from payapi.auth import CLOCK_SKEW_S
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
from payapi.pages import drawn, language, page_headers
from payapi.requests import BODY_LIMIT_BYTES
from texts import LANGUAGES

# How long whoever has them does not ask again.
KEPT_S: Final = 300
_OPENAPI: Final = ""


@dataclass(frozen=True, slots=True)
class _Document:
    """What is sent. mark: of its content, which says whether the reader has it already."""

    body: bytes
    content_type: str
    headers: dict[str, str]
    mark: str


class Documents:
    """The OpenAPI document and the page, which say the same to everybody: each is made once."""

    def __init__(
        self, public_url: str, describe: Callable[[str], dict[str, Any]] = document
    ) -> None:
        """describe: makes the OpenAPI document of an address."""
        self._made = _made(public_url, describe)

    async def openapi(self, request: web.Request) -> web.StreamResponse:
        """The OpenAPI 3.1 document. It is public: it holds nobody's data."""
        return _sent(request, self._made[_OPENAPI])

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The reference page."""
        return _sent(request, self._made[language(request)])

    @property
    def document_routes(self) -> list[web.RouteDef]:
        return [web.get("/openapi.json", self.openapi)]

    @property
    def page_routes(self) -> list[web.RouteDef]:
        return [web.get("", self.show)]


@lru_cache(maxsize=4)
def _made(public_url: str, describe: Callable[[str], dict[str, Any]]) -> dict[str, _Document]:
    """The OpenAPI document, and the page in each language."""
    described = describe(public_url)
    headers = {"Access-Control-Allow-Origin": "*"}
    made = {_OPENAPI: _document(json.dumps(described), "application/json", headers)}
    for lang in LANGUAGES:
        html = drawn("reference.html", lang, _facts(public_url, described, lang))
        made[lang] = _document(html, "text/html", page_headers(lang))
    return made


def _document(text: str, content_type: str, headers: dict[str, str]) -> _Document:
    body = text.encode()
    return _Document(body, content_type, headers, f'"{hashlib.sha256(body).hexdigest()[:16]}"')


def _sent(request: web.Request, found: _Document) -> web.Response:
    """The document, or that it is still the one that the reader has."""
    headers = {**found.headers, "ETag": found.mark, "Cache-Control": f"public, max-age={KEPT_S}"}
    known = request.headers.get(hdrs.IF_NONE_MATCH, "").split(",")
    if any(mark.strip().removeprefix("W/") in (found.mark, "*") for mark in known):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return web.Response(
        body=found.body, content_type=found.content_type, charset="utf-8", headers=headers
    )


def _facts(url: str, described: dict[str, Any], lang: str) -> dict[str, Any]:
    return {
        "url": url,
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
        "errors": [(code, status_of(code), declared()[code]) for code in api_refusals()],
        "script": curl_script(url),
        "events": EVENTS,
        "gaps": retry_gaps(),
        "order_news": _pretty(NEWS["order.paid"]),
        "refund_news": _pretty(NEWS["refund.succeeded"]),
        "refund_fields": _fields(described, "RefundView"),
        "error_example": _pretty(error("field_unknown", url)),
        "calls_per_s": CALLS_PER_S,
        "skew_s": CLOCK_SKEW_S,
        "body_kb": BODY_LIMIT_BYTES // 1024,
        "other_lang": "en" if lang == "zh" else "zh",
    }


def _fields(described: dict[str, Any], model: str) -> list[dict[str, str | bool]]:
    schema = described["components"]["schemas"][model]
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "required": name in required,
            "type": _type(shape),
            "limits": _limits(shape),
            "description": shape.get("description", ""),
        }
        for name, shape in schema.get("properties", {}).items()
    ]


def _type(shape: dict[str, Any]) -> str:
    if "anyOf" in shape:
        return " | ".join(_type(one) for one in shape["anyOf"])
    if "$ref" in shape:
        return str(shape["$ref"]).rsplit("/", 1)[-1]
    if "enum" in shape:
        return " | ".join(f'"{value}"' for value in shape["enum"])
    if shape.get("type") == "array":
        return f"[{_type(shape['items'])}]"
    if shape.get("format") == "date-time":
        return "time"
    return str(shape.get("type", ""))


def _limits(shape: dict[str, Any]) -> str:
    inner = next((one for one in shape.get("anyOf", ()) if one.get("type") != "null"), shape)
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
