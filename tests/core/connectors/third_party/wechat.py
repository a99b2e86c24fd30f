"""A platform that stands for WeChat Pay, and the library's client that speaks to it."""

from __future__ import annotations

import json
import re
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.utils import load_private_key, rsa_sign, rsa_verify

from core.connectors import AttemptFacts, HttpAnswer, HttpRequest, RefundFacts, load
from core.kernel.money import Money
from tests.core.connectors.support import here

CONNECTOR: Final = load(here("wechat_v3"))
MADE: Final = CONNECTOR.fixtures.credentials
NOW: Final = datetime.now(UTC)
FACTS: Final = AttemptFacts(
    attempt_no="B2A0001Q5R7T9V2X4Z6K",
    order_no="T2A0001Q5R7T9V2X4Z6K",
    amount=Money(1234, "CNY"),
    subject='乌龙茶 & 100% "more"+=~/\\',
    merchant_name="Tea House",
    channel_code="native",
    notify_url="https://desk.example/callbacks/s1",
    return_url="https://desk.example/pay/x?y=茶",
    client_ip="203.0.113.7",
    created_at=NOW,
    expires_at=NOW + timedelta(minutes=15),
    payer_id="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
    refund=RefundFacts("R2A0001N3P5R7T9V2X4Y", Money(500, "CNY"), "商品已售完", NOW),
)
PREPAY_ID: Final = "wx201410272009395522657a690389285100"
UPSTREAM_NO: Final = "4200000985202601021234567890"
PAID: Final = {
    "mchid": MADE["mch_id"], "appid": MADE["app_id"], "out_trade_no": FACTS.attempt_no,
    "transaction_id": UPSTREAM_NO, "trade_state": "SUCCESS",
    "amount": {"total": 1234, "payer_total": 1200, "currency": "CNY"},
}  # fmt: skip
REFUNDED: Final = {
    "refund_id": "50300000412026010200000000001", "out_refund_no": "R2A0001N3P5R7T9V2X4Y",
    "out_trade_no": FACTS.attempt_no, "status": "PROCESSING",
    "amount": {"total": 1234, "refund": 500, "currency": "CNY"},
}  # fmt: skip
ANSWERS: Final[Mapping[str, tuple[int, object]]] = {
    "/transactions/native": (200, {"code_url": "weixin://wxpay/bizpayurl?pr=p4lpSuKzz"}),
    "/transactions/h5": (200, {"h5_url": "https://wx.tenpay.com/checkmweb?prepay_id=wx20"}),
    "/transactions/jsapi": (200, {"prepay_id": PREPAY_ID}),
    "/transactions/app": (200, {"prepay_id": PREPAY_ID}),
    "/close": (204, None),
    "/refunds": (200, REFUNDED),
    FACTS.attempt_no: (200, PAID),
    "R2A0001N3P5R7T9V2X4Y": (200, {**REFUNDED, "status": "SUCCESS"}),
}
AUTHORIZATION: Final = re.compile(
    'WECHATPAY2-SHA256-RSA2048 mchid="([^"]+)",nonce_str="([^"]+)",signature="([^"]+)",'
    'timestamp="([0-9]+)",serial_no="([^"]+)"'
)


@dataclass(slots=True)
class Platform:
    """WeChat's side. pinned: what a merchant has of its key. asked: method, path, body, and the
    serial number that the request names."""

    key: RSAPrivateKey
    serial: str
    pinned: str
    address: str = ""
    asked: list[tuple[str, str, Any, str | None]] = field(default_factory=list)

    def signs(self, body: str, at: int | None = None) -> dict[str, str]:
        stamp = str(int(time.time()) if at is None else at)
        return {
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": "c5ac7061fccab6bf3e254dcf98995b8c",
            "Wechatpay-Serial": self.serial,
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
            "Wechatpay-Signature": rsa_sign(
                self.key, f"{stamp}\nc5ac7061fccab6bf3e254dcf98995b8c\n{body}\n"
            ),
        }

    def notice(self, content: object, event: str = "TRANSACTION.SUCCESS") -> str:
        kind = event.partition(".")[0].lower()
        sealed = AESGCM(MADE["api_v3_key"].encode()).encrypt(
            b"fdasfjihihih", json.dumps(content, ensure_ascii=False).encode(), kind.encode()
        )
        return json.dumps({
            "id": "EV-1", "resource_type": "encrypt-resource", "event_type": event,
            "resource": {
                "algorithm": "AEAD_AES_256_GCM", "nonce": "fdasfjihihih",
                "associated_data": kind, "ciphertext": b64encode(sealed).decode(),
            },
        })  # fmt: skip

    @property
    def credentials(self) -> dict[str, str]:
        """Ours, at this platform."""
        ours = {"base_url": self.address, "platform_serial": self.serial}
        return {**MADE, **ours, "platform_key": self.pinned}


class Listener(BaseHTTPRequestHandler):
    """The platform's address: it answers nobody whose signature the library does not prove."""

    platform: Platform

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        said = AUTHORIZATION.fullmatch(self.headers["Authorization"])
        assert said is not None
        mchid, nonce, signature, stamp, serial = said.groups()
        whole = f"{self.command}\n{self.path}\n{stamp}"
        proved = rsa_verify(whole, nonce, body, signature, private(MADE).public_key())
        known = (mchid, serial) == (MADE["mch_id"], MADE["cert_serial"])
        told: tuple[int, object] = (401, {"code": "SIGN_ERROR"})
        if proved and known and abs(int(stamp) - time.time()) < 300:
            named = self.headers.get("Wechatpay-Serial")
            asked = (self.command, self.path, json.loads(body or "null"), named)
            self.platform.asked.append(asked)
            path = urlsplit(self.path).path
            told = next(answer for end, answer in ANSWERS.items() if path.endswith(end))
        status, content = told
        text = "" if content is None else json.dumps(content, ensure_ascii=False)
        self.send_response(status)
        for name, value in self.platform.signs(text).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Client(WeChatPay):  # type: ignore[misc] # the library carries no types
    """The library, speaking to the test's platform."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        known = {"public_key": platform.pinned, "public_key_id": platform.serial}
        if "CERTIFICATE" in platform.pinned:
            (folder / "platform.pem").write_text(platform.pinned, encoding="utf-8")
            known = {"cert_dir": str(folder)}
        super().__init__(
            wechatpay_type=WeChatPayType.NATIVE,
            mchid=MADE["mch_id"],
            private_key=MADE["private_key"],
            cert_serial_no=MADE["cert_serial"],
            appid=MADE["app_id"],
            apiv3_key=MADE["api_v3_key"],
            proxy={"no_proxy": "127.0.0.1"},
            timeout=10,
            **known,
        )
        self._core.__dict__["_gate_way"] = platform.address


def private(credentials: Mapping[str, str]) -> Any:
    return load_private_key(credentials["private_key"])


def public_pem(key: RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def certificate(key: RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Tenpay.com sign")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(NOW - timedelta(days=1))
    return builder.not_valid_after(NOW + timedelta(days=1)).sign(key, hashes.SHA256())


def sent(request: HttpRequest) -> HttpAnswer:
    parts = urlsplit(request.url)
    connection = HTTPConnection(parts.netloc, timeout=10)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    connection.request(request.method, path, request.body, dict(request.headers))
    answer = connection.getresponse()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    body = answer.read()
    connection.close()
    return HttpAnswer(answer.status, headers, body)
