"""Our own words for states and kinds, in English; the catalogues translate them by context."""

from __future__ import annotations

import re
from typing import Final

from core.people import RIGHTS
from core.tariff import FAULTS
from texts import translator

WORDS: Final[dict[str, dict[str, str]]] = {
    "order": {
        "created": "created",
        "pending": "waiting for payment",
        "paid": "paid",
        "failed": "failed",
        "expired": "expired",
        "closed": "closed",
        "partially_refunded": "partly refunded",
        "refunded": "refunded",
    },
    "attempt": {
        "created": "not sent",
        "sent": "sent",
        "accepted": "accepted",
        "rejected": "refused",
        "unknown": "no clear answer",
        "paid": "paid",
        "failed": "failed",
        "closed": "closed",
    },
    "standing": {
        "paid": "paid",
        "pending": "not paid yet",
        "failed": "failed",
        "closed": "closed, can no longer be paid",
        "not_found": "no such order there",
        "unknown": "no clear answer",
    },
    "notification": {"pending": "being told", "delivered": "told", "exhausted": "does not answer"},
    "discrepancy": {
        "short": "less was paid than asked",
        "over": "more was paid than asked",
        "duplicate": "paid twice",
    },
    "resolution": {
        "refund_payer": "returned to the payer",
        "credit_merchant": "credited to the merchant",
        "complete": "the order is paid with it",
    },
    "tariff": {name: name for name in ("volume", "min", "max")},
    "tariff_fault": {why: why for why in FAULTS.values()},
    "paid_how": {
        "reported": "reported by the supplier",
        "asked": "found by asking",
        "completed": "completed by hand",
    },
    "heading": {
        "reversals": "Completions reversed or restored",
        "refunds": "Refunds",
        "credits": "Credited to the merchant",
        "adjustments": "Adjustments",
    },
    "taking": {
        "order": "order paid",
        "completed": "completed by hand",
        "completion_reversed": "completion reversed",
        "restored": "paid after all",
        "confirmation": "completion confirmed",
        "short": "less was paid than asked",
        "over": "more was paid than asked",
        "duplicate": "paid twice",
        "payer_refunded": "given back to the payer",
        "refund_settled": "refunded",
    },
    "right": RIGHTS,
    "group": {
        "ops": "ops group",
        "merchant": "merchant group",
        "supplier": "supplier group",
        "unbound": "not bound",
    },
}


_TARIFF_WORDS: Final = re.compile(r"\b(?:volume|min|max)\b")


def tariff_words(text: str, language: str) -> str:
    """A tariff as core writes it, in the reader's words; it can be sent back as it is shown."""
    return _TARIFF_WORDS.sub(lambda found: word("tariff", found[0], language), text)


def word(context: str, key: str, language: str) -> str:
    """What a state or kind is called; the key itself where it is a new one."""
    english = WORDS[context].get(key)
    return key if english is None else translator(language).pgettext(context, english)
