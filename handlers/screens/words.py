"""Our own words for states and kinds, in English; the catalogues translate them by context."""

from __future__ import annotations

from typing import Final

from core.people import RIGHTS
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
    "right": RIGHTS,
    "group": {
        "ops": "ops group",
        "merchant": "merchant group",
        "supplier": "supplier group",
        "unbound": "not bound",
    },
}


def word(context: str, key: str, language: str) -> str:
    """What a state or kind is called; the key itself where it is a new one."""
    english = WORDS[context].get(key)
    return key if english is None else translator(language).pgettext(context, english)
