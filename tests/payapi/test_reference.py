"""The API's description of itself: valid, complete, and true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from openapi_spec_validator import validate

from core.runtime import Runtime
from payapi import account, orders
from payapi.answers import status_of
from payapi.openapi import OPERATIONS, api_refusals
from payapi.openapi import document as describe
from payapi.reference import KEPT_S, Documents
from tests.codes import REFUSALS
from tests.payapi.client import Caller

Desk = tuple[Runtime, str]


async def document(desk: Desk, http: aiohttp.ClientSession) -> dict[str, Any]:
    async with http.get(f"{desk[1]}/v1/openapi.json") as response:
        assert response.status == 200
        found: dict[str, Any] = await response.json()
        return found


async def test_the_document_is_valid_and_complete(desk: Desk, http: aiohttp.ClientSession) -> None:
    found = await document(desk, http)
    validate(found)
    assert found["openapi"] == "3.1.0"
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            assert {"401", "403", "429", "500", "503"} <= set(operation["responses"]), path
            for response in operation["responses"].values():
                media = response["content"]["application/json"]
                assert "example" in media or media["examples"]
            if "requestBody" in operation:
                assert "example" in operation["requestBody"]["content"]["application/json"]
            assert operation.get("security", found["security"]), (path, method)
    assert set(found["components"]["securitySchemes"]) == {"key", "id", "timestamp", "signature"}


def test_every_route_is_described() -> None:
    served = {
        (route.method.lower(), f"/v1{route.path}") for route in [*orders.ROUTES, *account.ROUTES]
    }
    assert served == {(operation.method, operation.path) for operation in OPERATIONS}


async def test_documents_are_made_once_and_sent_to_those_who_have_none(
    http: aiohttp.ClientSession,
) -> None:
    made: list[str] = []

    def counted(url: str) -> dict[str, Any]:
        made.append(url)
        return describe(url)

    documents = Documents("https://desk.example", counted)
    app = web.Application()
    app.add_routes([*documents.document_routes, web.get("/docs/api", documents.show)])
    marks = set()
    async with TestServer(app) as server:
        for path in ("/openapi.json", "/docs/api?lang=zh", "/docs/api?lang=en"):
            url = server.make_url(path)
            seen = set()
            for _ in range(20):
                async with http.get(url) as first:
                    assert first.status == 200
                    assert await first.read()
                    assert first.headers["Cache-Control"] == f"public, max-age={KEPT_S}"
                    seen.add(first.headers["ETag"])
            (mark,) = seen
            marks.add(mark)
            for known in (mark, f"W/{mark}", f'"other", {mark}', "*"):
                async with http.get(url, headers={"If-None-Match": known}) as again:
                    assert (again.status, await again.read()) == (304, b"")
                    assert again.headers["ETag"] == mark
            async with http.get(url, headers={"If-None-Match": '"other"'}) as other:
                assert other.status == 200
    assert len(marks) == 3
    assert made == ["https://desk.example"]


async def test_answers_have_the_fields_that_are_described(
    caller: Caller, desk: Desk, http: aiohttp.ClientSession
) -> None:
    schemas = (await document(desk, http))["components"]["schemas"]
    order = (await caller.create()).json
    assert set(order) == set(schemas["OrderView"]["properties"])
    balance = (await caller.call("GET", "/v1/balance")).json
    assert set(balance) == set(schemas["BalanceView"]["properties"])
    product = (await caller.call("GET", "/v1/products")).json["data"][0]
    assert set(product) == set(schemas["ProductView"]["properties"])
    assert set(product["tiers"][0]) == set(schemas["TierView"]["properties"])
    error = (await caller.create(amount=0)).json["error"]
    assert set(error) | {"expected_to_sign"} == set(schemas["ErrorFacts"]["properties"])


async def test_the_page_explains_every_error(desk: Desk, http: aiohttp.ClientSession) -> None:
    for lang, words in (("en", "Signing a request"), ("zh", "请求签名")):
        async with http.get(f"{desk[1]}/docs/api", headers={"Accept-Language": lang}) as response:
            assert response.status == 200
            text = await response.text()
        assert words in text
        anchors = set(re.findall(r'id="error-([a-z_]+)"', text))
        assert {"signature_invalid", "field_unknown", "order_conflict", "no_channel"} <= anchors
        assert anchors <= set(REFUSALS)
        linked = set(re.findall(r'href="#([A-Za-z_.-]+)"', text))
        assert linked <= set(re.findall(r'id="([A-Za-z_-]+)"', text))
        assert not re.search(r"<script|\sstyle=", text)


def test_the_guide_lists_every_error() -> None:
    guide = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_]+)` \| (\d+) \| ([a-z_]+) \| (.*) \|$", guide, re.MULTILINE)
    wanted = [
        (code, str(status_of(code)), REFUSALS[code].type, REFUSALS[code].text)
        for code in api_refusals()
    ]
    assert rows == wanted
