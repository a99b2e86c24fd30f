"""The dialect "md5 form": forms both ways, JSON answers, one key, MD5 over the sorted fields."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import urlencode

from sandbox.supplier.answers import BAD_PARAMETER, BAD_SIGNATURE, Answer, Facts, Refused
from sandbox.supplier.config import Account
from sandbox.supplier.dialects.seam import (
    PAGE,
    Asked,
    Dialect,
    Heading,
    Route,
    Sent,
    Wire,
    form_claims,
    read_form,
)
from sandbox.supplier.orders import new_nonce
from sandbox.supplier.signatures import signed, verified

DELIVERED = "success"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

_NONCE = re.compile(r"[\x21-\x7e]{1,64}")
_UNIX_S = re.compile(r"[0-9]{1,10}")


class Md5Form(Dialect):
    """Its words are those of `Facts`."""

    routes = (
        Route("POST", "/gateway/create", "create"),
        Route("GET", "/gateway/page", PAGE),
        Route("POST", "/gateway/page", PAGE),
        Route("POST", "/gateway/query", "query"),
        Route("POST", "/gateway/close", "close"),
        Route("POST", "/gateway/refund", "refund"),
        Route("POST", "/gateway/refund_query", "refund_query"),
        Route("POST", "/gateway/balance", "balance"),
    )
    names: ClassVar[Mapping[str, str]] = {}
    wrong_signature = "0" * 32

    def heading(self, sent: Sent) -> Heading:
        return Heading(form_claims(_form_of(sent)).get("mch_id", ""), sent.operation)

    def read(self, sent: Sent, account: Account) -> Asked:
        params = read_form(_form_of(sent))
        if not verified(params, account.key):
            raise Refused(BAD_SIGNATURE)
        timestamp = params.get("timestamp", "")
        if not _UNIX_S.fullmatch(timestamp):
            raise Refused(BAD_PARAMETER, "timestamp", "must be unix seconds")
        if not _NONCE.fullmatch(params.get("nonce", "")):
            raise Refused(BAD_PARAMETER, "nonce", "must be 1 to 64 visible ASCII characters")
        return Asked(int(timestamp), params)

    def answer(self, operation: str, answer: Answer, account: Account | None, at: int) -> Wire:
        said = {"code": answer.code, "msg": answer.message, "nonce": new_nonce(), **answer.facts}
        fields = signed(said, account.key) if account else said
        return Wire(json.dumps(fields, ensure_ascii=False).encode(), JSON)

    def callback(self, facts: Facts, account: Account, at: int, sign: str | None) -> Wire:
        fields = signed(facts, account.key) if sign is None else {**facts, "sign": sign}
        return Wire(urlencode(fields).encode(), FORM)

    def is_delivered(self, status: int, text: str) -> bool:
        return status == 200 and text.strip() == DELIVERED


def _form_of(sent: Sent) -> bytes:
    """The fields: of the body, or of a link that a payer's browser follows."""
    return sent.body if sent.method == "POST" else sent.target.partition("?")[2].encode()
