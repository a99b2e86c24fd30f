"""Every name and word that a document may hold, by its place."""

from __future__ import annotations

import re
from typing import Final

from core.connectors.document import Method, Order
from core.connectors.messages import BodyForm
from core.connectors.types import CallbackState, PayKind, RefundState, StandingState

LANGUAGE: Final = 1
ASKING: Final = ("query", "close", "capture")
REFUNDING: Final = ("refund", "refund_query")
OPERATIONS: Final = ("create", *ASKING, *REFUNDING, "balance", "token")
SHARED: Final = ("body", "headers", "fields", "sign", "verify", "reads", "states", "answers")
TOP: Final = (
    "connector", "language", "name", "sandbox_only", "create_is_idempotent",
    "refund_is_idempotent", "not_found_is_final", "credentials", "servers", "hosts", "apps",
    "amounts", "tables", "values", "must_equal", *SHARED, *OPERATIONS, "callback", "fixtures",
)  # fmt: skip
CALL: Final = ("method", "path", "within", *SHARED)
OWN: Final[dict[str, tuple[str, ...]]] = {
    "create": ("by", "pay", "ways"), "close": ("gives",), "refund": ("gives",), "token": ("lost",),
}  # fmt: skip
WAY: Final = (*CALL, "by", "pay")
CALLBACK: Final = (
    "from", "verify", "open", "within", "each", "reads", "states", "then", "addresses", "success",
    "duplicate", "failure",
)  # fmt: skip
REPLY: Final = ("status", "type", "body")
OPEN: Final = ("text", "as")
PAYMENT_READS: Final = ("attempt_no", "upstream_no", "state", "amount", "paid", "currency")
REFUND_READS: Final = ("attempt_no", "refund_no", "upstream_refund_no", "state", "refunded")
READS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("create", *ASKING, "callback"), PAYMENT_READS),
    **dict.fromkeys(REFUNDING, REFUND_READS),
    "balance": ("available", "currency"),
    "token": ("token", "lives"),
}
ANSWERS: Final = (
    "from", "signed", "open", "ok", "statuses", "code", "message", "refused", "refused_statuses",
    "not_found", "not_found_statuses", "faults",
)  # fmt: skip
SIGN: Final = ("text", "params", "steps", "field")
VERIFY: Final = ("text", "params", "steps", "from", "fresh", "certificate")
CERTIFICATE: Final = ("from", "issued_by", "issued_to")
PARAMS: Final = ("order", "without", "empty", "write", "url", "join", "nested")
PAY_BY: Final = ("from", "by", "kinds")
PAY_MADE: Final = ("text", "fields", "sign")
METHODS: Final[tuple[Method, ...]] = ("POST", "GET", "PUT", "PATCH", "DELETE")
ORDERS: Final[tuple[Order, ...]] = ("name", "caseless", "written")
STATES: Final[tuple[StandingState, ...]] = ("paid", "pending", "approved", "failed", "closed")
CALLED_STATES: Final[tuple[CallbackState, ...]] = ("paid", "pending", "failed", "closed")
CLOSE_GIVES: Final[tuple[StandingState, ...]] = ("closed", "pending")
# Timeouts, conflicts, "too early" and "too many": the same call may have been done before.
NOT_DEFINITE: Final = (408, 409, 425, 429)
IGNORE: Final = "ignore"
EVERY: Final = "*"
REFUND_STATES: Final[tuple[RefundState, ...]] = ("succeeded", "pending", "failed")
PAYS: Final[tuple[PayKind, ...]] = ("url", "qr", "app", "jsapi")
HTML: Final = "html"
PAY: Final = (*PAYS, HTML, *PAY_BY)
BODIES: Final[tuple[BodyForm, ...]] = ("form", "json", "xml", "query")
# Of which a list may be said: a callback comes by one method or the other.
PLACES: Final[tuple[BodyForm, ...]] = ("query", "form")
FORMS: Final[tuple[BodyForm, ...]] = ("form", "json", "xml", "query", "pairs")

CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,31}", re.ASCII)
CODE_WORDS: Final = "a small letter, then small letters, digits or _ (2 to 32)"
WAY_CODE: Final = re.compile(r"[A-Za-z0-9_.\-]{1,32}", re.ASCII)
HOST: Final = re.compile(r"(?:\*\.)?[a-z0-9](?:[a-z0-9.\-]{0,250}[a-z0-9])?", re.ASCII)
APP: Final = re.compile(r"[a-z][a-z0-9+.\-]{1,31}", re.ASCII)
# What a browser opens by itself, or what opens anything: none of them is an app to pay in.
NO_APPS: Final = frozenset({
    "about", "blob", "chrome", "content", "data", "file", "filesystem", "ftp", "http", "https",
    "intent", "javascript", "jar", "mailto", "res", "resource", "sms", "tel", "vbscript",
    "view-source", "ws", "wss",
})  # fmt: skip
HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9\-]{0,63}", re.ASCII)
CONTENT_TYPE: Final = re.compile(r"[a-z]+/[a-z0-9.+\-]+(?:; ?charset=[a-zA-Z0-9\-]+)?", re.ASCII)
PATH_WORDS: Final = "a field's name, or names joined by dots"
JOINED: Final = " + "
