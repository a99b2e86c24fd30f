"""Published vectors that take a whole callback, and that every vector is somebody's test."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import pytest

from core.connectors import Callback, InvalidCallback, load
from tests.core.connectors.test_requests import RULES, VECTORS, document

WEBHOOK: Final = cast(dict[str, Any], VECTORS["standard_webhooks"])
SIGNED_AT: Final = datetime.fromtimestamp(WEBHOOK["timestamp"], UTC)
# Standard Webhooks: the signature is `v1,` and base64, and the key is base64 as well.
CONNECTOR: Final = load(
    document(
        credentials="[secret]",
        sign="none",
        answers="{ signed: false, ok: { code: 0 } }",
        callback="""
  from: json
  verify:
    text: "${header.webhook-id}.${header.webhook-timestamp}.${body}"
    steps: hmac-sha256 $secret base64 | base64
    from: $header.webhook-signature | part 3 44
    fresh: $header.webhook-timestamp
  reads: { attempt_no: test, upstream_no: test, state: test }
  states: { 2432232314: pending }
  success: ok
  failure: fail
""",
    )
)
CALLED: Final = Callback(
    "POST",
    "",
    {
        "webhook-id": WEBHOOK["id"],
        "webhook-timestamp": str(WEBHOOK["timestamp"]),
        "webhook-signature": WEBHOOK["signature"],
    },
    WEBHOOK["body"].encode(),
    "203.0.113.9",
)
KEYS: Final = {"base_url": "https://x.example", "secret": WEBHOOK["secret_base64"]}


def test_a_standard_webhook_is_proved() -> None:
    (event,) = CONNECTOR.verify(CALLED, KEYS, currency="CNY", now=SIGNED_AT)
    assert (event.attempt_no, event.state) == ("2432232314", "pending")


@pytest.mark.parametrize(
    ("came", "keys", "now"),
    [
        (replace(CALLED, body=CALLED.body + b" "), KEYS, SIGNED_AT),
        (replace(CALLED, headers={**CALLED.headers, "webhook-id": "msg_other"}), KEYS, SIGNED_AT),
        (CALLED, {**KEYS, "secret": "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}, SIGNED_AT),
        (CALLED, KEYS, SIGNED_AT + timedelta(seconds=301)),
    ],
)
def test_another_one_is_not(came: Callback, keys: dict[str, str], now: datetime) -> None:
    with pytest.raises(InvalidCallback):
        CONNECTOR.verify(came, keys, currency="CNY", now=now)


def test_every_vector_is_a_test() -> None:
    here, pipes = {"standard_webhooks"}, {"aes_256_gcm_wechat_v3"}
    assert set(VECTORS) == {*RULES, *here, *pipes}
