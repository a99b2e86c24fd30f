"""Alipay's document against python-alipay-sdk: it signs, sends and reads as we do.

A gateway of the test's own stands for Alipay, with a key pair made here; the library's client and
the engine's requests go to it over HTTP.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import Request, urlopen

import pytest
from alipay import AliPay
from alipay.exceptions import AliPayException, AliPayValidationError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from core.connectors import (
    Accepted,
    Callback,
    HttpAnswer,
    HttpRequest,
    InvalidCallback,
    Pay,
    RefundFacts,
    Unknown,
    load,
)
from core.kernel.money import Money
from tests.core.connectors import support
from tests.core.connectors.support import NOW, here

CONNECTOR: Final = load(here("alipay"))
APP_ID: Final = "2014072300007148"
SELLER_ID: Final = "2088101106499364"
TRADE_NO: Final = "2026030422001450561000000001"
QR_CODE: Final = "https://qr.alipay.com/bavh4wjlxf12tper3a"
EXPIRES: Final = "2026-03-04 13:21:07"
REFUND: Final = RefundFacts("R2A0001Q5R7T9V2X4Z6K", Money(500, "CNY"), "少发一包", NOW)
FACTS: Final = replace(
    support.FACTS,
    subject='乌龙茶 & 100% "more"+=~/\\',
    return_url="https://desk.example/pay/x?y=茶",
    payer_id="286520031234567890",
    refund=REFUND,
)
WAYS: Final = ("page", "wap", "app", "qr", "bar")
OTHERS: Final = ("query", "close", "refund", "refund_query")
GOOD: Final = {"code": "10000", "msg": "Success", "out_trade_no": FACTS.attempt_no}
ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "alipay.trade.precreate": {**GOOD, "qr_code": QR_CODE},
    "alipay.trade.pay": {**GOOD, "trade_no": TRADE_NO, "total_amount": "12.34"},
    "alipay.trade.query": {
        **GOOD, "trade_no": TRADE_NO, "trade_status": "TRADE_SUCCESS", "total_amount": "12.34",
        "fund_bill_list": [{"amount": "12.34", "fund_channel": "ALIPAYACCOUNT"}],
    },
    "alipay.trade.close": {**GOOD, "trade_no": TRADE_NO},
    "alipay.trade.refund": {**GOOD, "fund_change": "Y", "refund_fee": "8.00"},
    "alipay.trade.fastpay.refund.query": {
        **GOOD, "out_request_no": REFUND.refund_no, "refund_amount": "5.00",
        "refund_status": "REFUND_SUCCESS",
    },
}  # fmt: skip
CALLED: Final = {
    "notify_type": "trade_status_sync",
    "notify_id": "91722adff935e8cfa58b3aabf4dead6ibe",
    "charset": "utf-8",
    "version": "1.0",
    "app_id": APP_ID,
    "seller_id": SELLER_ID,
    "out_trade_no": FACTS.attempt_no,
    "trade_no": TRADE_NO,
    "trade_status": "TRADE_SUCCESS",
    "total_amount": "12.34",
    "subject": FACTS.subject,
    "body": "",
    "fund_bill_list": '[{"amount":"12.34","fundChannel":"ALIPAYACCOUNT"}]',
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A key pair: the library wants PEM, people paste the bare base64 that Alipay shows them."""

    key: RSAPrivateKey

    @property
    def private_pem(self) -> str:
        pkcs8, nobody = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, pkcs8, nobody).decode()

    @property
    def public_pem(self) -> str:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    def sign(self, text: str) -> str:
        return base64.b64encode(self.key.sign(text.encode(), PKCS1v15(), hashes.SHA256())).decode()

    def proves(self, text: str, signature: str) -> bool:
        try:
            self.key.public_key().verify(
                base64.b64decode(signature), text.encode(), PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            return False
        return True


def bare(pem: str) -> str:
    return "".join(pem.splitlines()[1:-1])


OURS: Final = Pair(generate_private_key(65537, 2048))
ALIPAYS: Final = Pair(generate_private_key(65537, 2048))
OTHER: Final = Pair(generate_private_key(65537, 2048))


def library(ours: Pair = OURS, theirs: Pair = ALIPAYS) -> AliPay:
    """The library's client. ours: whose private key it has; theirs: whose public key."""
    return AliPay(
        appid=APP_ID,
        app_notify_url=FACTS.notify_url,
        app_private_key_string=ours.private_pem,
        alipay_public_key_string=theirs.public_pem,
        sign_type="RSA2",
    )


@dataclass
class Gateway:
    """Alipay's side: it believes what the app signed, and signs what it answers."""

    url: str = ""
    signer: Pair | None = ALIPAYS
    answers: dict[str, dict[str, Any]] = field(default_factory=lambda: {**ANSWERS})
    heard: list[dict[str, str]] = field(default_factory=list)

    def answer(self, fields: dict[str, str]) -> bytes:
        self.heard.append(fields)
        text = "&".join(f"{k}={v}" for k, v in sorted(fields.items()) if v and k != "sign")
        said = self.answers[fields["method"]]
        if not OURS.proves(text, fields["sign"]):
            said = {
                "code": "40002",
                "msg": "Invalid Arguments",
                "sub_code": "isv.invalid-signature",
            }
        content = json.dumps(said, ensure_ascii=False)
        node = fields["method"].replace(".", "_") + "_response"
        sign = f', "sign": "{self.signer.sign(content)}"' if self.signer else ""
        return f'{{"{node}": {content}{sign}}}'.encode()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    there = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self._reply(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def log_message(self, *_: object) -> None:
            pass

        def _reply(self, text: str) -> None:
            body = there.answer(dict(parse_qsl(text, strict_parsing=True)))
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


@pytest.fixture
def client(gateway: Gateway) -> AliPay:
    made = library()
    made._gateway = f"{gateway.url}/gateway.do"  # noqa: SLF001 (it takes none but Alipay's own)
    return made


def credentials(base_url: str = "https://openapi.alipay.com") -> dict[str, str]:
    return {
        "base_url": base_url,
        "app_id": APP_ID,
        "seller_id": SELLER_ID,
        "private_key": bare(OURS.private_pem),
        "alipay_public_key": bare(ALIPAYS.public_pem),
    }


def built(operation: str, way: str = "qr", base_url: str = "https://alipay.example") -> HttpRequest:
    facts = replace(FACTS, channel_code=way)
    return CONNECTOR.build(operation, facts, credentials(base_url), now=NOW, nonce="n")


def fields_of(request: HttpRequest) -> dict[str, str]:
    text = request.body.decode() or urlsplit(request.url).query
    return dict(parse_qsl(text, strict_parsing=True))


def sent(operation: str, gateway: Gateway, way: str = "qr") -> HttpAnswer:
    request = built(operation, way, gateway.url)
    asked = Request(  # noqa: S310 (our own server)
        request.url, request.body, dict(request.headers), method=request.method
    )
    with urlopen(asked, timeout=10) as reply:  # noqa: S310
        return HttpAnswer(reply.status, {}, reply.read())


def without(fields: dict[str, str], *names: str) -> dict[str, Any]:
    """Fields that do not depend on when, and by whom, they were written."""
    kept: dict[str, Any] = {k: v for k, v in fields.items() if k not in names}
    return {**kept, "biz_content": json.loads(kept["biz_content"])}


UNLIKE: Final = ("sign", "timestamp", "format")  # the library leaves the format out


@pytest.mark.parametrize(
    ("operation", "way"), [*(("create", way) for way in WAYS), *((o, "qr") for o in OTHERS)]
)
def test_the_library_signs_each_request_as_we_do(operation: str, way: str) -> None:
    fields = fields_of(built(operation, way))
    ours = fields.pop("sign")
    theirs = dict(parse_qsl(library().sign_data(dict(fields)), strict_parsing=True))
    assert theirs == {**fields, "sign": ours}


def test_the_payer_brings_what_the_library_would_have_him_bring() -> None:
    order = {"subject": FACTS.subject, "out_trade_no": FACTS.attempt_no, "total_amount": "12.34"}
    back = {"return_url": FACTS.return_url, "time_expire": EXPIRES}
    made = library()
    theirs = {
        "page": made.api_alipay_trade_page_pay(**order, **back),
        "wap": made.api_alipay_trade_wap_pay(
            **order, **back, product_code="QUICK_WAP_WAY", quit_url=FACTS.return_url
        ),
        "app": made.api_alipay_trade_app_pay(**order, time_expire=EXPIRES),
    }
    for way, text in theirs.items():
        facts = replace(FACTS, channel_code=way)
        assert CONNECTOR.sent_by_payer(facts)
        pay = CONNECTOR.hand_over(facts, credentials(), now=NOW, nonce="n")
        if way != "app":
            assert pay.kind == "url"
            assert pay.value.startswith("https://openapi.alipay.com/gateway.do?")
        else:
            assert pay.kind == "app"
        ours = dict(parse_qsl(pay.value.rpartition("?")[2], strict_parsing=True))
        his = dict(parse_qsl(text, strict_parsing=True))
        assert without(ours, *UNLIKE) == without(his, *UNLIKE)


def test_both_ask_the_same_and_hear_the_same(gateway: Gateway, client: AliPay) -> None:
    order = {"out_trade_no": FACTS.attempt_no, "total_amount": "12.34", "time_expire": EXPIRES}
    calls: list[tuple[str, str, Callable[[], object]]] = [
        ("create", "qr", lambda: client.api_alipay_trade_precreate(
            subject=FACTS.subject, **order)),
        ("create", "bar", lambda: client.api_alipay_trade_pay(
            subject=FACTS.subject, scene="bar_code", auth_code=FACTS.payer_id, **order)),
        ("query", "qr", lambda: client.api_alipay_trade_query(out_trade_no=FACTS.attempt_no)),
        ("close", "qr", lambda: client.api_alipay_trade_close(out_trade_no=FACTS.attempt_no)),
        ("refund", "qr", lambda: client.api_alipay_trade_refund(
            "5.00", out_trade_no=FACTS.attempt_no, out_request_no=REFUND.refund_no,
            refund_reason=REFUND.reason)),
        ("refund_query", "qr", lambda: client.api_alipay_trade_fastpay_refund_query(
            REFUND.refund_no, out_trade_no=FACTS.attempt_no)),
    ]  # fmt: skip
    for operation, way, call in calls:
        answer = sent(operation, gateway, way)
        said = call()
        ours, theirs = gateway.heard[-2:]
        assert without(ours, *UNLIKE) == without(theirs, *UNLIKE), operation
        assert said == gateway.answers[ours["method"]]
        assert (
            read(operation, way, answer)
            == {
                ("create", "qr"): Accepted(None, Pay("qr", QR_CODE)),
                ("create", "bar"): Accepted(TRADE_NO, Pay("none", "")),
                ("query", "qr"): ("paid", TRADE_NO, Money(1234, "CNY")),
                ("close", "qr"): ("closed", TRADE_NO, None),
                ("refund", "qr"): "succeeded",
                ("refund_query", "qr"): "succeeded",
            }[operation, way]
        )


def read(operation: str, way: str, answer: HttpAnswer) -> object:
    """What an answer means, in short."""
    facts, keys = replace(FACTS, channel_code=way), credentials()
    if operation == "create":
        return CONNECTOR.read_create(answer, facts, keys, now=NOW, nonce="n")
    if operation.startswith("refund"):
        return CONNECTOR.read_refund(operation, answer, facts, keys, now=NOW).state
    standing = CONNECTOR.read_standing(operation, answer, facts, keys, now=NOW)
    return standing.state, standing.upstream_no, standing.paid


def test_neither_believes_an_answer_that_another_key_signed(
    gateway: Gateway, client: AliPay
) -> None:
    gateway.signer = OTHER
    with pytest.raises(AliPayValidationError):
        client.api_alipay_trade_query(out_trade_no=FACTS.attempt_no)
    assert isinstance(read("create", "qr", sent("create", gateway)), Unknown)
    assert read("query", "qr", sent("query", gateway)) == ("unknown", None, None)
    assert read("refund", "qr", sent("refund", gateway)) == "unknown"
    assert read("refund_query", "qr", sent("refund_query", gateway)) == "unknown"


def test_neither_believes_an_answer_that_nobody_signed(gateway: Gateway, client: AliPay) -> None:
    gateway.signer = None
    with pytest.raises(AliPayException):
        client.api_alipay_trade_query(out_trade_no=FACTS.attempt_no)
    assert read("query", "qr", sent("query", gateway)) == ("unknown", None, None)


def test_what_comes_in_gbk_proves_nothing() -> None:
    """Alipay's gateway, when it is busy, writes so although we ask for UTF-8."""
    content = '{"code":"20000","sub_code":"aop.unknow-error","sub_msg":"系统繁忙"}'
    text = f'{{"alipay_trade_query_response":{content},"sign":"{ALIPAYS.sign(content)}"}}'
    assert read("query", "qr", HttpAnswer(200, {}, text.encode("gbk"))) == ("unknown", None, None)


def called(signer: Pair = ALIPAYS, **changes: str) -> dict[str, str]:
    """A callback's fields, signed by the library as if it were Alipay."""
    fields = {**CALLED, **changes}
    signed = dict(parse_qsl(library(signer).sign_data(dict(fields)), keep_blank_values=True))
    return {**signed, "sign_type": "RSA2"}


def believed(fields: dict[str, str]) -> bool:
    """Whether we believe a callback. What the library says of its signature is said by us too."""
    rest = {name: value for name, value in fields.items() if name != "sign"}
    proved = bool(library().verify(rest, fields["sign"]))
    came = Callback("POST", "", {}, urlencode(fields).encode(), "203.0.113.9")
    doubt = ""
    try:
        CONNECTOR.verify(came, credentials(), currency="CNY", now=NOW)
    except InvalidCallback as found:
        doubt = str(found)
    assert proved == (doubt != "the signature is wrong")
    return not doubt


def test_both_believe_what_alipay_signed_and_nothing_else() -> None:
    good = called()
    assert believed(good)
    assert believed(called(gmt_refund="2026-03-04 13:30:00.123", refund_fee="5.00"))
    assert not believed(called(OTHER))
    assert not believed({**good, "sign": called(subject="x")["sign"]})
    for name in CALLED:
        assert not believed({**good, name: good[name] + "1"})
        assert not believed({other: value for other, value in good.items() if other != name})
    assert not believed(called(app_id="2014072300007149"))
    assert not believed(called(seller_id="2088101106499365"))
    assert not believed(called(total_amount="0.00"))
    # Where it says nothing in the order of signing, it says nothing at all.
    assert believed(called(subject="茶&trade_status=TRADE_SUCCESS"))
    wishes = "&total_amount=9.00&trade_no=2&trade_status=TRADE_SUCCESS&version=1"
    assert not believed(called(subject=f"茶{wishes}"))


def test_the_library_agrees_with_the_callbacks_of_the_document() -> None:
    shared = CONNECTOR.fixtures
    made = AliPay(
        appid=APP_ID,
        app_notify_url=None,
        app_private_key_string=OURS.private_pem,
        alipay_public_key_string=shared.credentials["alipay_public_key"],
        sign_type="RSA2",
    )
    proved = {"paid": 0, "closed": 0, "ignored": 0, "invalid": 0}
    for case in shared.cases:
        if case.kind == "verify":
            fields = dict(parse_qsl(case.body, strict_parsing=True))
            sign = fields.pop("sign")
            is_signed = bool(made.verify(fields, sign))
            assert is_signed or case.gives == "invalid"
            proved[case.gives] += is_signed
    # Two of the invalid ones are rightly signed, and another's.
    assert proved == {"paid": 2, "closed": 1, "ignored": 2, "invalid": 2}
