"""A platform in each dialect, written a second time from docs/sandbox.md, so that it cannot share
a mistake. All of them speak to a test in the same words."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import aiohttp
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from tests.sandbox.supplier.peer import own_sign

KEYS = {"880001": "sandbox-key-1", "880011": "sandbox-key-11"}
ACCOUNTS = {"md5_form": "880001", "hmac_json": "880011", "rsa": "880021"}
BEIJING = timezone(timedelta(hours=8))


@cache
def our_key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


@cache
def supplier_pem() -> bytes:
    """A private key for the supplier: to make one takes a while."""
    key = generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def our_public_pem() -> str:
    form = PublicFormat.SubjectPublicKeyInfo
    return our_key().public_key().public_bytes(Encoding.PEM, form).decode()


def accounts(**changes: Any) -> list[dict[str, Any]]:
    """One account in each dialect; what is given counts for all."""
    return [
        {"mch_id": "880001", "key": KEYS["880001"], "name": "A", **changes},
        {"mch_id": "880011", "key": KEYS["880011"], "name": "B", "dialect": "hmac_json", **changes},
        {"mch_id": "880021", "public_key": our_public_pem(), "name": "C", "dialect": "rsa"}
        | changes,
    ]


@dataclass
class Said:
    """An answer, or a callback, whose signature was right: in the words of the first dialect."""

    status: int
    code: str
    facts: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.facts[name]


class Tongue(ABC):
    """Asks in one dialect. `http_error` is how it says that something is wrong."""

    name: str
    http_error: ClassVar[Mapping[str, int]] = {}

    def __init__(self, http: aiohttp.ClientSession, ready: Mapping[str, str], notify: str) -> None:
        self.http = http
        self.base = ready["base"]
        self.notify = notify
        self.ready = ready
        self.mch_id = ACCOUNTS[self.name]

    async def create(self, number: str, **changes: str) -> Said:
        facts = {
            "out_trade_no": number,
            "pay_type": "alipay_qr",
            "amount": "12.34",
            "subject": "绿茶 & Tea=1",
            "notify_url": self.notify,
            "client_ip": "203.0.113.7",
        }
        return await self.ask("create", {**facts, **changes})

    async def refund(self, number: str, refund_no: str, amount: str) -> Said:
        facts = {"out_trade_no": number, "out_refund_no": refund_no, "refund_amount": amount}
        return await self.ask("refund", facts)

    async def query(self, number: str) -> Said:
        return await self.ask("query", {"out_trade_no": number})

    @abstractmethod
    async def ask(self, operation: str, facts: dict[str, str], **forged: str) -> Said:
        """Send an operation and check the answer's signature. forged: `sign` instead of ours,
        `at` instead of now, and what a dialect's own messages have."""

    @abstractmethod
    def read(self, headers: Mapping[str, str], body: bytes) -> Said | None:
        """A callback; None when its signature is wrong."""


class Md5(Tongue):
    name = "md5_form"

    async def ask(self, operation: str, facts: dict[str, str], **forged: str) -> Said:
        at = forged.get("at", str(int(time.time())))
        form = {"mch_id": self.mch_id, "timestamp": at, "nonce": "n1", **facts}
        form["sign"] = forged.get("sign", own_sign(form, KEYS[self.mch_id]))
        async with self.http.post(f"{self.base}/gateway/{operation}", data=form) as answer:
            told = await answer.json()
            assert told["sign"] == own_sign(told, KEYS[self.mch_id])
            return Said(answer.status, told["code"], told)

    def read(self, headers: Mapping[str, str], body: bytes) -> Said | None:
        form = dict(parse_qsl(body.decode()))
        return Said(0, "0", form) if form["sign"] == own_sign(form, KEYS[self.mch_id]) else None


class Hmac(Tongue):
    name = "hmac_json"
    statuses: ClassVar[dict[str, str]] = {
        "waiting": "WAIT",
        "succeeded": "SUCCESS",
        "closed": "CLOSED",
        "failed": "FAIL",
    }
    refunds: ClassVar[dict[str, str]] = {
        "processing": "PROCESSING",
        "succeeded": "SUCCEEDED",
        "failed": "FAILED",
    }
    codes: ClassVar[dict[str, str]] = {
        "bad_signature": "1001",
        "bad_parameter": "1002",
        "unknown_method": "1003",
        "method_closed": "1004",
        "amount_out_of_range": "1005",
        "not_paid": "1006",
        "more_than_paid": "1007",
        "conflict": "1009",
        "payment_not_found": "1404",
        "refund_not_found": "1405",
    }
    http_error: ClassVar[Mapping[str, int]] = {
        "1006": 409,
        "1007": 409,
        "1009": 409,
        "1404": 404,
        "1405": 404,
    }

    async def ask(self, operation: str, facts: dict[str, str], **forged: str) -> Said:
        method, path, tree = self._request(operation, facts)
        if tree is not None:
            tree |= json.loads(forged.get("tree", "{}"))
        body = json.dumps(tree).encode() if tree is not None else b""
        at = forged.get("at", str(int(time.time())))
        headers = {
            "X-Key-Id": self.mch_id,
            "X-Timestamp": at,
            "X-Signature": forged.get("sign", self._mac(f"{at}\n{method}\n{path}\n", body)),
        }
        async with self.http.request(
            method, self.base + path, data=body, headers=headers
        ) as answer:
            raw = await answer.read()
            assert self._is_ours(answer.headers, raw)
            told = json.loads(raw)
            if "error" in told:
                error = told["error"]
                return Said(answer.status, self.codes[error["code"]], {"msg": error["message"]})
            return Said(answer.status, "0", self._facts(operation, told))

    def read(self, headers: Mapping[str, str], body: bytes) -> Said | None:
        if not self._is_ours(headers, body):
            return None
        told = json.loads(body)
        assert told["type"] == f"payment.{told['payment']['status']}"
        return Said(0, "0", {"mch_id": told["account"], **self._facts("query", told["payment"])})

    def _request(self, operation: str, facts: dict[str, str]) -> tuple[str, str, Any]:
        number = facts.get("out_trade_no", "")
        match operation:
            case "create":
                tree: dict[str, Any] = {
                    "reference": number,
                    "method": facts["pay_type"],
                    "amount": self._amount(facts["amount"]),
                    "order": {"subject": facts["subject"]},
                    "urls": {"notify": facts["notify_url"]},
                    "payer": {"ip": facts["client_ip"]},
                }
                return "POST", "/v1/payments", tree
            case "query":
                return "GET", f"/v1/payments/{number}", None
            case "close":
                return "POST", f"/v1/payments/{number}/close", None
            case "refund":
                tree = {"reference": facts["out_refund_no"]}
                tree["amount"] = self._amount(facts["refund_amount"])
                return "POST", f"/v1/payments/{number}/refunds", tree
            case "refund_query":
                return "GET", f"/v1/refunds/{facts['out_refund_no']}", None
        return "GET", "/v1/balance", None

    def _facts(self, operation: str, told: dict[str, Any]) -> dict[str, str]:
        if operation == "balance":
            return {"mch_id": told["account"], "balance": self._yuan(told["balance"])}
        if operation in ("refund", "refund_query"):
            return {
                "out_trade_no": told["payment"],
                "out_refund_no": told["reference"],
                "refund_no": told["id"],
                "refund_status": self.refunds[told["status"]],
                "refund_amount": self._yuan(told["amount"]),
            }
        facts = {"out_trade_no": told["reference"], "trade_no": told["id"]}
        if "links" in told:
            facts["pay_url"] = told["links"]["pay"]
            expires = datetime.fromisoformat(told["expires_at"])
            assert expires.tzinfo == UTC
            facts["expires_at"] = str(int(expires.timestamp()))
        if "status" in told:
            facts["status"] = self.statuses[told["status"]]
            facts["amount"] = self._yuan(told["amount"])
        if "paid" in told:
            facts["paid_amount"] = self._yuan(told["paid"])
        return facts

    def _amount(self, yuan: str) -> dict[str, object]:
        return {"value": int(yuan.replace(".", "")), "currency": "CNY"}

    def _yuan(self, amount: dict[str, Any]) -> str:
        assert amount["currency"] == "CNY"
        assert isinstance(amount["value"], int)
        return f"{amount['value'] / 100:.2f}"

    def _is_ours(self, headers: Mapping[str, str], body: bytes) -> bool:
        return headers["X-Signature"] == self._mac(headers["X-Timestamp"] + "\n", body)

    def _mac(self, text: str, body: bytes) -> str:
        key = KEYS[self.mch_id].encode()
        return hmac.new(key, text.encode() + body, hashlib.sha256).hexdigest()


class Rsa(Tongue):
    name = "rsa"
    methods: ClassVar[dict[str, str]] = {
        "create": "trade.create",
        "query": "trade.query",
        "close": "trade.close",
        "refund": "refund.create",
        "refund_query": "refund.query",
        "balance": "account.balance",
    }
    words: ClassVar[dict[str, str]] = {
        "app_id": "mch_id",
        "product": "pay_type",
        "total_amount": "amount",
        "trade_status": "status",
        "out_request_no": "out_refund_no",
    }
    statuses: ClassVar[dict[str, str]] = {
        "TRADE_WAITING": "WAIT",
        "TRADE_PAID": "SUCCESS",
        "TRADE_CLOSED": "CLOSED",
        "TRADE_FAILED": "FAIL",
    }
    codes: ClassVar[dict[str, str]] = {
        "SIGN.INVALID": "1001",
        "PARAM.INVALID": "1002",
        "PRODUCT.UNKNOWN": "1003",
        "PRODUCT.CLOSED": "1004",
        "AMOUNT.LIMIT": "1005",
        "TRADE.NOT_PAID": "1006",
        "REFUND.EXCEEDS": "1007",
        "NUMBER.USED": "1009",
        "TRADE.NOT_FOUND": "1404",
        "REFUND.NOT_FOUND": "1405",
    }

    async def ask(self, operation: str, facts: dict[str, str], **forged: str) -> Said:
        theirs = {said: name for name, said in self.words.items()}
        content = {theirs.get(name, name): value for name, value in facts.items()}
        outside = {name: content.pop(name) for name in ("notify_url",) if name in content}
        at = int(forged.get("at", time.time()))
        form = {
            "app_id": self.mch_id,
            "method": self.methods[operation],
            "timestamp": datetime.fromtimestamp(at, BEIJING).strftime("%Y-%m-%d %H:%M:%S"),
            "sign_type": "RSA-SHA256",
            "biz_content": json.dumps(content, ensure_ascii=False),
            "empty": "",
            **outside,
        }
        form |= {name: value for name, value in forged.items() if name in form}
        made = our_key().sign(self._text(form).encode(), PKCS1v15(), SHA256())
        form["sign"] = forged.get("sign", base64.b64encode(made).decode())
        async with self.http.post(f"{self.base}/openapi", data=form) as answer:
            text = await answer.text()
            told = json.loads(text)
            known = form["method"] in self.methods.values()
            node = f"{form['method'].replace('.', '_') if known else 'error'}_response"
            start = text.index(":") + 1
            _, end = json.JSONDecoder().raw_decode(text, start)
            assert self._is_theirs(text[start:end], told["sign"])
            return self._said(answer.status, told[node])

    def read(self, headers: Mapping[str, str], body: bytes) -> Said | None:
        form = dict(parse_qsl(body.decode()))
        sign, sign_type = form.pop("sign"), form.pop("sign_type")
        assert sign_type == "RSA-SHA256"
        return self._said(0, form) if self._is_theirs(self._text(form), sign) else None

    def _said(self, status: int, told: dict[str, str]) -> Said:
        code = self.codes[told["sub_code"]] if "sub_code" in told else "0"
        facts = {self.words.get(name, name): value for name, value in told.items()}
        facts["msg"] = told.get("sub_msg", "")
        if "status" in facts:
            facts["status"] = self.statuses[facts["status"]]
        return Said(status, code, facts)

    def _text(self, form: Mapping[str, str]) -> str:
        return "&".join(f"{name}={form[name]}" for name in sorted(form) if form[name])

    def _is_theirs(self, text: str, sign: str) -> bool:
        key = load_pem_public_key(self.ready["public_key"].encode())
        assert isinstance(key, RSAPublicKey)
        try:
            key.verify(base64.b64decode(sign), text.encode(), PKCS1v15(), SHA256())
        except (InvalidSignature, binascii.Error):
            return False
        return True


TONGUES: dict[str, type[Tongue]] = {"md5_form": Md5, "hmac_json": Hmac, "rsa": Rsa}
