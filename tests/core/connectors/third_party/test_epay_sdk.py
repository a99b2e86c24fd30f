"""Epay's document against epay-sdk, a client of the same protocol: it signs and reads as we do.

A gateway of the test's own stands for Epay and believes what the library's signature says; the
library's client and the engine's requests go to it over HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import Request, urlopen

import pytest
from epay_sdk import CreateOrderRequest, EPayClient, EPayConfig, EPaySignError, QueryOrderRequest
from hypothesis import given
from hypothesis import strategies as st

from core.connectors import (
    Accepted,
    Callback,
    Event,
    HttpAnswer,
    HttpRequest,
    InvalidCallback,
    Pay,
    RefundFacts,
    Rejected,
)
from core.kernel.money import Money
from tests.core.connectors import support
from tests.core.connectors.library import CONNECTORS
from tests.core.connectors.support import NOW

CONNECTOR: Final = CONNECTORS["epay"]
PID: Final = "1001"
KEY: Final = "89unJUB8HZ54Hj7x4nUj56HN4nUzUJ8i"
TRADE_NO: Final = "20260304130607123450"
FACTS: Final = replace(
    support.FACTS,
    channel_code="wxpay",
    subject='乌龙茶 & 100% "more"+=~/\\',
    return_url="https://desk.example/pay/x?y=茶&z=1",
    refund=RefundFacts("R2A0001Q5R7T9V2X4Z6K", Money(500, "CNY"), "少发一包", NOW),
)
PAID: Final = {
    "pid": PID, "trade_no": TRADE_NO, "out_trade_no": FACTS.attempt_no, "type": "wxpay",
    "name": FACTS.subject, "money": "12.34", "trade_status": "TRADE_SUCCESS",
}  # fmt: skip
TYPES: Final = {"page": None, "page_alipay": "alipay", "page_wxpay": "wxpay", "page_qqpay": "qqpay"}


def library(base_url: str = "https://epay.example", key: str = KEY) -> EPayClient:
    return EPayClient(EPayConfig(pid=PID, key=key, base_url=base_url, environment="sandbox"))


@dataclass
class Gateway:
    """Epay's side. said: of a payment that was made; heard: path, and fields of the address and
    of the body."""

    url: str = ""
    key: str = KEY
    said: dict[str, object] = field(default_factory=lambda: {**PAID, "code": 1, "status": 1})
    heard: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)

    def answer(self, path: str, query: dict[str, str], body: dict[str, str]) -> object:
        self.heard.append((path, query, body))
        fields = {**query, **body}
        if not (fields.get("key") == self.key or library(key=self.key).verify_sign(fields)):
            return {"code": -3, "msg": "签名校验失败"}
        match path, query.get("act"):
            case "/mapi.php", None:
                return {"code": 1, "trade_no": TRADE_NO, "payurl": f"{self.url}/pay/{TRADE_NO}"}
            case "/api.php", "order":
                return self.said
            case "/api.php", "refund":
                return {"code": 0, "money": body["money"], "out_trade_no": body["out_trade_no"]}
            case "/submit.php", None:
                return {"cashier": fields["out_trade_no"]}
        return {"code": -5, "msg": "No Act!"}


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    there = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply("")

        def do_POST(self) -> None:
            self._reply(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def log_message(self, *_: object) -> None:
            pass

        def _reply(self, text: str) -> None:
            parts = urlsplit(self.path)
            query, fields = (dict(parse_qsl(one, keep_blank_values=True))
                             for one in (parts.query, text))  # fmt: skip
            body = json.dumps(there.answer(parts.path, query, fields)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        there.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield there
        server.shutdown()
        thread.join()


def credentials(base_url: str = "https://epay.example", key: str = KEY) -> dict[str, str]:
    return {"base_url": base_url, "pid": PID, "key": key}


def built(operation: str, code: str = "wxpay", subject: str = FACTS.subject) -> HttpRequest:
    facts = replace(FACTS, channel_code=code, subject=subject)
    return CONNECTOR.build(operation, facts, credentials(), now=NOW, nonce="n")


def fields_of(request: HttpRequest) -> dict[str, str]:
    text = request.body.decode() or urlsplit(request.url).query
    return dict(parse_qsl(text, strict_parsing=True))


def sent(operation: str, gateway: Gateway, key: str = KEY) -> HttpAnswer:
    keys = credentials(gateway.url, key)
    request = CONNECTOR.build(operation, FACTS, keys, now=NOW, nonce="n")
    asked = Request(  # noqa: S310 (our own server)
        request.url, request.body or None, dict(request.headers), method=request.method
    )
    with urlopen(asked, timeout=10) as reply:  # noqa: S310
        return HttpAnswer(reply.status, {}, reply.read())


def called(fields: Mapping[str, str], key: str = KEY) -> Callback:
    """As Epay calls: in the address, with the library's signature."""
    whole = {**fields, "sign": library(key=key).sign(fields), "sign_type": "MD5"}
    return Callback("GET", urlencode(whole), {}, b"", "203.0.113.9")


def believed(callback: Callback) -> tuple[Event, ...]:
    return CONNECTOR.verify(callback, credentials(), currency="CNY", now=NOW)


@pytest.mark.parametrize("code", ["alipay", "wxpay", "bank", *TYPES])
def test_the_library_proves_what_we_sign(code: str) -> None:
    fields = fields_of(built("create", code))
    assert library().verify_sign(fields)
    assert not library(key="another").verify_sign(fields)
    assert not library().verify_sign({**fields, "money": "0.01"})


@pytest.mark.parametrize(("code", "kind"), TYPES.items())
def test_the_payer_brings_what_the_library_would_have_him_bring(
    code: str, kind: str | None
) -> None:
    ours = fields_of(built("create", code))
    order = CreateOrderRequest(
        out_trade_no=FACTS.attempt_no, name=FACTS.subject, money="12.34", pay_type=kind or "any",
        notify_url=FACTS.notify_url, return_url=FACTS.return_url or "",
    )  # fmt: skip
    link = library().create_order_url(order)
    theirs = dict(parse_qsl(urlsplit(link).query, strict_parsing=True))
    assert urlsplit(link).path == urlsplit(built("create", code).url).path
    if kind is None:  # the payer chooses there; the library always says what with
        del theirs["type"]
        theirs["sign"] = library().sign(theirs)
    assert ours == theirs


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1))
def test_any_subject_is_signed_as_the_library_signs_it(subject: str) -> None:
    for code in ("wxpay", "page"):
        fields = fields_of(built("create", code, subject))
        assert library().verify_sign(fields)
        assert subject.startswith(fields["name"])


def test_we_prove_what_the_library_signs_and_nothing_else() -> None:
    paid = Event(FACTS.attempt_no, TRADE_NO, "paid", Money(1234, "CNY"))
    assert believed(called(PAID)) == (paid,)
    assert believed(called({**PAID, "param": "a=1", "money": "12.340"})) == (paid,)
    good = called(PAID)
    for wrong in (
        called(PAID, "another"),
        called({**PAID, "pid": "1002"}),
        called({**PAID, "trade_status": "TRADE_CLOSED"}),
        replace(good, query=good.query.replace("12.34", "99.99")),
        replace(good, query=good.query.replace("&sign=", "&sign=0")),
        replace(good, query=good.query.partition("&sign=")[0]),
    ):
        with pytest.raises(InvalidCallback):
            believed(wrong)


def test_the_library_believes_the_callbacks_that_we_believe() -> None:
    fields = dict(parse_qsl(called(PAID).query))
    result = library().verify_callback(fields)
    (event,) = believed(called(PAID))
    assert (result.out_trade_no, result.trade_no) == (event.attempt_no, event.upstream_no)
    assert event.paid is not None
    assert result.money == event.paid.plain()
    with pytest.raises(EPaySignError):
        library().verify_callback({**fields, "money": "99.99"})


def test_an_order_over_http(gateway: Gateway) -> None:
    accepted = CONNECTOR.read_create(
        sent("create", gateway), FACTS, credentials(), now=NOW, nonce="n"
    )
    assert accepted == Accepted(TRADE_NO, Pay("url", f"{gateway.url}/pay/{TRADE_NO}"))
    wrong = sent("create", gateway, "another")
    refused = CONNECTOR.read_create(wrong, FACTS, credentials(), now=NOW, nonce="n")
    assert refused == Rejected("-3", "签名校验失败")
    facts = replace(FACTS, channel_code="page")
    pay = CONNECTOR.hand_over(facts, credentials(gateway.url), now=NOW, nonce="n")
    with urlopen(pay.value, timeout=10) as page:  # noqa: S310 (our own server)
        assert json.load(page) == {"cashier": FACTS.attempt_no}


@pytest.mark.parametrize(("status", "state"), [(0, "pending"), (1, "paid"), (2, "paid")])
def test_a_question_over_http(gateway: Gateway, status: int, state: str) -> None:
    gateway.said |= {"status": status, "trade_status": "TRADE_SUCCESS" if status else ""}
    standing = CONNECTOR.read_standing(
        "query", sent("query", gateway), FACTS, credentials(), now=NOW
    )
    client = library(gateway.url)
    with client.session:
        theirs = client.parse_query_result(
            client.query_order(QueryOrderRequest(out_trade_no=FACTS.attempt_no))
        )
    assert standing.state == state
    assert theirs.paid == (state == "paid")
    assert theirs.gateway_trade_no == standing.upstream_no
    assert theirs.order_no == FACTS.attempt_no
    if standing.paid is not None:
        assert theirs.amount == standing.paid.plain()


def test_a_refund_over_http(gateway: Gateway) -> None:
    refund = CONNECTOR.read_refund("refund", sent("refund", gateway), FACTS, credentials(), now=NOW)
    assert refund.state == "succeeded"
    path, query, body = gateway.heard[-1]
    assert (path, query) == ("/api.php", {"act": "refund"})
    assert body == {
        "pid": PID, "out_trade_no": FACTS.attempt_no, "key": KEY, "money": "5.00"
    }  # fmt: skip
    wrong = sent("refund", gateway, "another")
    refused = CONNECTOR.read_refund("refund", wrong, FACTS, credentials(), now=NOW)
    assert (refused.state, refused.code) == ("failed", "-3")
