from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from sandbox.shop.signatures import (
    BadNotification,
    masked,
    request_text,
    secret_bytes,
    signature,
    verify_notification,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def test_published_vector() -> None:
    # standard-webhooks/standard-webhooks, libraries/*/test
    text = 'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    assert signature(text, SECRET) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_requests_sign_like_the_library() -> None:
    now = int(time.time())
    body = json.dumps({"subject": "茶"}, ensure_ascii=False)
    text = request_text("req_1", now, "POST", "/v1/orders", body)
    at = datetime.fromtimestamp(now, UTC)
    assert signature(text, SECRET) == Webhook(SECRET).sign("req_1", at, "POST /v1/orders\n" + body)


def headers(body: str, secret: str = SECRET, shift_s: int = 0) -> dict[str, str]:
    now = int(time.time()) + shift_s
    signed = Webhook(secret).sign("msg_1", datetime.fromtimestamp(now, UTC), body)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(now), "webhook-signature": signed}


def test_genuine_notifications_pass() -> None:
    given = headers('{"a": 1}')
    assert verify_notification(given, b'{"a": 1}', SECRET, time.time()) == "msg_1"
    rotated = {**given, "webhook-signature": "v1,AAAA v1a,xx " + given["webhook-signature"]}
    assert verify_notification(rotated, b'{"a": 1}', SECRET, time.time()) == "msg_1"


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "v1,签"},
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-id": "签"},
        {"webhook-timestamp": "1614265330"},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": ""},
        headers("{}", OTHER),
        headers("{}", shift_s=-400),
    ],
)
def test_others_do_not(changes: dict[str, str]) -> None:
    with pytest.raises(BadNotification):
        verify_notification({**headers("{}"), **changes}, b"{}", SECRET, time.time())


@pytest.mark.parametrize("body", [b"{ }", b"", b"\xff"])
def test_neither_do_other_bodies(body: bytes) -> None:
    with pytest.raises(BadNotification):
        verify_notification(headers("{}"), body, SECRET, time.time())


@pytest.mark.parametrize("text", ["MfKQ", "whsec_%%%", ""])
def test_secrets_have_one_form(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        secret_bytes(text)


def test_mask_hides_the_secret() -> None:
    assert masked(SECRET).startswith("whsec_MfKQ•")
    assert SECRET[12:] not in masked(SECRET)
