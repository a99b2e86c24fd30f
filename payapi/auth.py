"""Who calls the Payment API: the key names an app, the signature proves it (docs/api.md)."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Final

import structlog
from aiohttp import web

from core.kernel.errors import Refusal
from core.parties.merchants import App
from core.runtime import Runtime
from payapi.requests import ADDRESS, read_body
from payapi.strangers import STRANGERS
from payapi.wire import Expected

KEY: Final = "Paydesk-Key"
ID: Final = "Paydesk-Id"
TIMESTAMP: Final = "Paydesk-Timestamp"
SIGNATURE: Final = "Paydesk-Signature"

CLOCK_SKEW_S: Final = 300
_MAX_SIGNATURES: Final = 10
_VISIBLE: Final = re.compile(r"[!-~]{1,128}")
_SECONDS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_ID_EXPECTED: Final = Expected("1 to 128 visible ASCII characters, new for every request")
_SECONDS_EXPECTED: Final = Expected("unix time in whole seconds")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that its app signed. body: the bytes that were signed."""

    app: App
    body: bytes


class WrongSignature(Refusal):
    """expected_to_sign: the exact text we sign, for those who may debug; else None."""

    def __init__(self, expected_to_sign: str | None) -> None:
        super().__init__("signature_invalid")
        self.expected_to_sign = expected_to_sign


def text_to_sign(call_id: str, timestamp: str, method: str, target: str) -> str:
    """What comes before the body in the signed text. target: raw path with its query."""
    return f"{call_id}.{timestamp}.{method} {target}\n"


def sign(secret: str, text: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256. secret: whsec_<base64>."""
    key = b64decode(secret.removeprefix("whsec_"))
    return "v1," + b64encode(hmac.digest(key, text, hashlib.sha256)).decode()


async def authenticate(runtime: Runtime, request: web.Request) -> Call:
    """The app that signed this request, and its body.

    Refusals: key_missing, field_invalid, timestamp_out_of_range, key_unknown,
    merchant_suspended, merchant_archived, address_not_allowed, body_too_large, body_invalid,
    signature_invalid, rate_limited.
    """
    call_id = _header(request, ID)
    timestamp = _header(request, TIMESTAMP)
    signatures = _header(request, SIGNATURE)
    if not _VISIBLE.fullmatch(call_id):
        raise Refusal("field_invalid", param=ID, expected=_ID_EXPECTED.text)
    _check_time(runtime, timestamp)
    app = await identify(runtime, request)
    body = await read_body(request)
    head = text_to_sign(call_id, timestamp, request.method, request.raw_path)
    text = head.encode("utf-8", "surrogateescape") + body
    strangers = request.app[STRANGERS]
    if not _proves(signatures, app.secrets_at(runtime.system.clock.now()), text):
        strangers.failed(request[ADDRESS], app.key_id)
        may_debug = app.mode == "test" or runtime.system.demo
        raise WrongSignature(text.decode("utf-8", "replace") if may_debug else None)
    strangers.proved(request[ADDRESS], app.key_id)
    runtime.parties.merchants.apps.uses.note(app.id)
    _take_room(runtime, app, "app")
    return Call(app, body)


async def identify(runtime: Runtime, request: web.Request) -> App:
    """The app that a request claims to come from, by key and address alone.

    Refusals: key_missing, key_unknown, merchant_suspended, merchant_archived, address_not_allowed,
    rate_limited (too many failed there: `payapi.strangers`).
    """
    key_id = _header(request, KEY)
    if not _VISIBLE.fullmatch(key_id):
        raise Refusal("key_unknown")
    strangers = request.app[STRANGERS]
    strangers.need_room(request[ADDRESS], key_id)
    try:
        app = (await runtime.supply.market.now()).app_by_key(key_id)
        app.need_address(request[ADDRESS])
    except Refusal:
        strangers.failed(request[ADDRESS], key_id)
        raise
    structlog.contextvars.bind_contextvars(merchant_no=app.merchant.merchant_no)
    runtime.system.store.called_by(app.merchant.id)
    return app


async def authenticate_for_debugging(runtime: Runtime, request: web.Request) -> Call:
    """The app of an unsigned call that only describes another request, and its body.

    Refusals: those of `identify`; not_permitted for a live key outside a demo; body_too_large,
    body_invalid, rate_limited.
    """
    app = await identify(runtime, request)
    if app.mode != "test" and not runtime.system.demo:
        raise Refusal("not_permitted", right="test_key")
    _take_room(runtime, app, "check")
    return Call(app, await read_body(request))


def _header(request: web.Request, name: str) -> str:
    value = request.headers.get(name, "").strip()
    if not value:
        raise Refusal("key_missing", param=name, header=name)
    return value


def _check_time(runtime: Runtime, timestamp: str) -> None:
    if not _SECONDS.fullmatch(timestamp):
        raise Refusal("field_invalid", param=TIMESTAMP, expected=_SECONDS_EXPECTED.text)
    now_s = int(runtime.system.clock.now().timestamp())
    if abs(int(timestamp) - now_s) > CLOCK_SKEW_S:
        raise Refusal("timestamp_out_of_range", param=TIMESTAMP, limit_s=CLOCK_SKEW_S, now=now_s)


def _proves(signatures: str, secrets: Iterable[str], text: bytes) -> bool:
    given = [s.encode("utf-8", "surrogateescape") for s in signatures.split()[:_MAX_SIGNATURES]]
    wanted = [sign(secret, text).encode() for secret in secrets]
    # Every pair is compared, so that the time taken tells nothing.
    return sum(hmac.compare_digest(one, right) for right in wanted for one in given) > 0


def _take_room(runtime: Runtime, app: App, what: str) -> None:
    wait_s = runtime.system.call_limits.room(f"{what}:{app.id}", app.calls_per_s)
    if wait_s:
        raise Refusal("rate_limited", retry_after_s=ceil(wait_s))
