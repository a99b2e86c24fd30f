"""A ready-made signed order, as a script of three lines that needs curl and openssl only."""

from __future__ import annotations

from base64 import b64decode
from typing import Any


def sample_script(desk: str, merchant: dict[str, Any]) -> str:
    """The three lines; each run makes a new order."""
    key = b64decode(merchant["secret"].removeprefix("whsec_")).hex()
    product = merchant["products"][0]
    return (
        f"""id=try-$(date +%s%N); ts=$(date +%s); """
        f"""body='{{"merchant_order_no":"'$id'","amount":10000,"currency":"CNY","""
        f""""product":"{product}","subject":"Tea","client_ip":"203.0.113.7"}}'\n"""
        f"""sig=$(printf '%s.%s.POST /v1/orders\\n%s' "$id" "$ts" "$body" | openssl dgst -sha256 """
        f"""-mac HMAC -macopt hexkey:{key} -binary | base64)\n"""
        f"""curl -sS {desk}/v1/orders -H "Paydesk-Key: {merchant["key_id"]}" """
        f"""-H "Paydesk-Id: $id" -H "Paydesk-Timestamp: $ts" """
        f"""-H "Paydesk-Signature: v1,$sig" -H 'Content-Type: application/json' -d "$body"\n"""
    )
