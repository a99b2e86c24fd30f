"""Whatever the API's documents show is true: it fits its schema, and what follows is computed."""

from __future__ import annotations

import asyncio
import hashlib
import html
import json
import os
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import aiohttp
import pytest
from jsonschema import Draft202012Validator

from core.delivery.outbox import News
from core.kernel.errors import Refusal
from core.kernel.ids import read_number
from core.kernel.money import Rate
from core.kernel.tariff import Tariff, Tier
from core.runtime import Runtime
from payapi import examples
from payapi.openapi import EVENTS, OPERATIONS, api_refusals, document, retry_gaps
from payapi.wire import NewOrder, OrderView, read_json
from tests.payapi.client import Caller
from texts import refusal_text

Desk = tuple[Runtime, str]
URL = "https://desk.example"
DOCUMENT = document(URL)
GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def shown(part: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every example of the OpenAPI document: where it is, its schema, itself."""
    if isinstance(part, list):
        for number, one in enumerate(part):
            yield from shown(one, f"{where}/{number}")
    if not isinstance(part, dict):
        return
    if "schema" in part and "example" in part:
        yield where, part["schema"], part["example"]
    if "schema" in part and "examples" in part:
        for name, one in part["examples"].items():
            yield f"{where}/{name}", part["schema"], one["value"]
    for name, one in part.items():
        if name not in ("example", "examples"):
            yield from shown(one, f"{where}/{name}")


def faults(schema: dict[str, Any], example: Any) -> list[str]:
    whole = {**schema, "components": DOCUMENT["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(example)]


def strings(part: Any) -> Iterator[str]:
    if isinstance(part, dict | list):
        for one in part.values() if isinstance(part, dict) else part:
            yield from strings(one)
    elif isinstance(part, str):
        yield part


def test_every_example_fits_its_schema() -> None:
    found = list(shown({name: DOCUMENT[name] for name in ("paths", "webhooks")}))
    assert len(found) > 100
    for where, schema, example in found:
        assert faults(schema, example) == [], where


def test_a_wrong_example_would_be_found() -> None:
    schema = DOCUMENT["webhooks"]["order.paid"]["post"]["requestBody"]["content"]
    schema = schema["application/json"]["schema"]
    news = examples.NEWS["order.paid"]
    assert faults(schema, news) == []
    assert faults(schema, examples.NEWS["order.closed"]) != []  # another type
    for name in OrderView.model_fields:
        data = {key: value for key, value in news["data"].items() if key != name}
        assert faults(schema, {**news, "data": data}) != [], name


def test_every_example_of_a_request_is_taken() -> None:
    for operation in OPERATIONS:
        if operation.body is not None:
            read_json(json.dumps(operation.body_example).encode(), operation.body)


def test_figures_of_the_examples_follow_from_each_other() -> None:
    order, asked = examples.ORDER, examples.NEW_ORDER
    assert {name: order[name] for name in asked if name in order} == {
        name: asked[name] for name in asked if name in order
    }
    (product,) = examples.ANSWERS["ProductList"]["data"]
    tiers = tuple(
        Tier(t["from"], Rate(ppm(t["rate"]), t["fixed"], t["min"], t["max"]))
        for t in product["tiers"]
    )
    tariff = Tariff(tiers, product["tiers_by"])
    assert order["fee"] == tariff.rate_for(order["amount"]).of(order["amount"])
    assert order["net"] == order["amount"] - order["fee"]
    balance = examples.ANSWERS["BalanceView"]
    assert balance["position"] == balance["payable"] + balance["prepaid"]
    assert balance["remaining_prepayment"] == max(0, -balance["position"])


def ppm(percent: str) -> int:
    return int(Decimal(percent.removesuffix("%")) * 10_000)


def test_the_example_of_a_signature_is_that_of_its_text() -> None:
    asked, answer = examples.DESCRIBED_REQUEST, examples.ANSWERS["TextToSign"]
    line = f"{asked['method']} {asked['target']}\n{asked['body']}"
    assert answer["expected_to_sign"] == f"{asked['id']}.{asked['timestamp']}.{line}"
    digest = hashlib.sha256(answer["expected_to_sign"].encode()).hexdigest()
    assert answer["sha256"] == digest


def test_numbers_and_moments_of_the_examples_are_possible() -> None:
    created = datetime.fromisoformat(examples.ORDER["created_at"])
    facts = read_number(examples.ORDER_NO)
    assert facts is not None
    assert (facts.what, facts.mode) == ("order", examples.ORDER["mode"])
    assert facts.month == created.date().replace(day=1)
    for name, news in examples.NEWS.items():
        data = news["data"]
        assert name.split(".")[0] == "refund" or data["pay"] is None
        if "expires_at" not in data:
            assert data["created_at"] < data["ended_at"] <= news["timestamp"]
            continue
        assert data["created_at"] < news["timestamp"]
        assert data["paid_late"] == bool(data["paid_at"] and data["paid_at"] > data["expires_at"])
        if data["status"] == "expired":
            assert news["timestamp"] >= data["expires_at"]
        if data["paid_at"]:
            assert news["timestamp"] >= data["paid_at"]


def test_one_moment_has_one_form() -> None:
    said = [*strings(DOCUMENT["paths"]), *strings(DOCUMENT["webhooks"])]
    moments = [text for text in said if re.fullmatch(r"\d{4}-\d\d-\d\dT.*", text)]
    assert moments
    assert [text for text in moments if not MOMENT.fullmatch(text)] == []
    assert re.findall(r"\d{4}-\d\d-\d\dT\d[^\s\"`]*", GUIDE) == MOMENT.findall(GUIDE)


def test_errors_are_shown_as_they_are_answered() -> None:
    for code in api_refusals():
        shown_error = examples.error(code, URL)["error"]
        assert not re.search(r"[{}]", shown_error["message"]), code
        assert shown_error["code"] == code
    plain = Refusal("field_unknown", param="colour")
    assert examples.error("field_unknown", URL)["error"]["message"] == refusal_text(plain, "en")


def test_every_news_is_a_webhook_of_the_document() -> None:
    assert [event.name for event in EVENTS] == list(get_args(News))
    assert list(DOCUMENT["webhooks"]) == list(get_args(News))
    assert list(examples.NEWS) == list(get_args(News))


def test_the_guide_shows_the_same_examples() -> None:
    blocks = [json.loads(text) for text in fenced("json")]
    known = [
        examples.DESCRIBED_REQUEST, *examples.ANSWERS.values(), *examples.NEWS.values(),
        *(examples.error(code, URL) for code in api_refusals()),
    ]  # fmt: skip
    assert len(blocks) >= 6
    assert [block for block in blocks if block not in known] == []
    (script,) = fenced("sh")
    assert script == examples.curl_script("http://127.0.0.1:8080")


def test_the_guide_names_the_same_fields_events_and_retries() -> None:
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \|", section("Orders"), re.MULTILINE)
    assert re.findall("[a-z_]+", " ".join(rows)) == list(NewOrder.model_fields)
    (said,) = re.findall(r"The order has ([^.]*)\.", section("Orders"))
    assert re.findall("`([a-z_]+)`", said) == list(OrderView.model_fields)
    told = re.findall(r"^\| `([a-z._]+)` \| (.*) \|$", section("Notifications"), re.MULTILINE)
    assert told == [(event.name, event.text) for event in EVENTS]
    assert f"again after {retry_gaps()} (±10 %)" in " ".join(section("Notifications").split())


def fenced(language: str) -> list[str]:
    """The guide's blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)\n```", GUIDE, re.MULTILINE | re.DOTALL)


def section(name: str) -> str:
    return GUIDE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_the_page_shows_the_same(desk: Desk, http: aiohttp.ClientSession, lang: str) -> None:
    async with http.get(f"{desk[1]}/docs/api?lang={lang}") as response:
        text = html.unescape(await response.text())
    for event in EVENTS:
        assert f'id="event-{event.name}"' in text
    assert retry_gaps() in text
    assert examples.curl_script(desk[1]) in text
    for operation in OPERATIONS:
        assert json.dumps(examples.ANSWERS[operation.answer.__name__], indent=2) in text
    for name in ("order.paid", "refund.succeeded"):
        assert json.dumps(examples.NEWS[name], indent=2) in text
    for name in (*NewOrder.model_fields, *OrderView.model_fields):
        assert f"<dt><code>{name}</code>" in text


async def test_the_shown_shell_script_works(caller: Caller) -> None:
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", examples.curl_script(caller.url),
        env={**os.environ, "KEY": caller.key, "SECRET": caller.secret, "no_proxy": "*"},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    made = json.loads(out)
    assert (made["merchant_order_no"], made["status"]) == ("S-1", "pending")
