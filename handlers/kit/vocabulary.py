"""Our own words for states and kinds, in English; the catalogues translate them by context."""

from __future__ import annotations

import re
from typing import Final

from core.connectors import REFUSED_FOR, STEPS
from core.kernel.errors import CONTRADICTIONS
from core.kernel.tariff import FAULTS
from core.people.desk_settings import SETTINGS
from core.people.people import RIGHTS
from core.supply.channels import FAULTS as CHANNEL_FAULTS
from core.supply.channels import PRODUCT_FAULTS, REASONS
from handlers.kit.trail import FACT, TRAIL
from handlers.kit.whys import EXPECTED, WHYS
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
        "late": "paid late",
        "completed": "completed by hand",
        "disputed": "disputed: its completion was reversed",
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
    "contradiction": dict(CONTRADICTIONS),
    "refused_for": dict(REFUSED_FOR),
    "deed": {
        "completed": "Completed by hand",
        "adjusted": "Adjusted",
        "adjusted_undone": "An adjustment was undone",
        "prepaid": "Prepaid",
        "prepaid_undone": "A prepayment was undone",
        "paid_in": "Paid in by the supplier",
        "paid_in_undone": "What a supplier paid in was undone",
        "refund_payer": "Money in suspense goes back to the payer",
        "credit_merchant": "Money in suspense goes to the merchant",
        "refunded": "An order is refunded by hand",
    },
    "step": {
        "ops_group": "ops group",
        "colleagues": "colleagues",
        "factor": "second factor",
        "product": "product",
        "supplier": "supplier live",
        "channel": "channel on sale",
        "merchant": "merchant and keys",
        "group": "merchant's group",
        "test_order": "test order paid",
    },
    "queue": {
        "inbox": "updates from Telegram",
        "outbox": "messages to Telegram",
        "parked": "messages that cannot be sent",
        "callbacks": "suppliers' callbacks",
        "notifications": "news for merchants",
        "exports": "files",
    },
    # Actions as the trail names them.
    "trail": TRAIL,
    # What the trail keeps of a deed.
    "fact": FACT,
    # How a press of an alarm's button is answered.
    "alarm_care": {
        "take": "It is yours now",
        "close": "It is seen to",
        "resume": "Taken up again",
        "off": "Switched off",
    },
    "trail_actor": {"script": "a script", "timetable": "the timetable"},
    "setting": {name: setting.what for name, setting in SETTINGS.items()},
    "secret": {"set": "set", "not set": "not set"},
    "approval": {
        "complete": "completing an order by hand",
        "complete_second": "completing an order by hand",
        "enrol": "one more second factor",
        "factor_reset": "taking away a second factor",
        "refund_order": "refunding an order",
        "refund_second": "refunding an order",
        "resolve": "money in suspense",
        "resolve_second": "money in suspense",
        "setting": "loosening a setting",
        "hire": "rights of a colleague",
        "appoint": "somebody who wants to ask in a group",
        "prepayment": "a large prepayment",
        "adjustment": "a large adjustment",
        "credit_line": "a large credit line",
        "rate": "a rate below cost",
        "supplier_live": "a supplier's going live",
        "review": "a merchant's review",
        "keys": "keys of a live app",
    },
    "role": {
        "owner": "owner",
        "admin": "administrator",
        "finance": "finance",
        "operator": "operator",
        "support": "support",
        "merchant_staff": "merchant's staff",
        "supplier_staff": "supplier's staff",
    },
    "topic": {
        "alarm": "an alarm",
        "approval": "what waits for a second person",
        "bill": "a merchant's bill",
        "card": "an order's card",
        "desk_bill": "a bill of a supplier or the platform",
        "file": "a file",
        "picture": "a picture",
        "say": "a message",
        "take_away": "a message that is to be taken away",
        "pin": "the pin of a bill",
        "unpin": "the pin of a bill that is closed",
        "twins": "the search for a message that is there twice",
    },
    "booked_as": {
        "order": "booked: paid the order",
        "confirmation": "booked: confirmed the completion",
        "short": "booked in suspense: less was paid than asked",
        "over": "booked in suspense: more was paid than asked",
        "duplicate": "booked in suspense: paid twice",
    },
    "sighting_how": {"reported": "a callback from", "asked": "the answer to our query"},
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
    "job": {
        "roll_books": "adding up the books and closing days",
        "watch_credit": "watching credit lines",
        "watch_licences": "watching licences",
        "watch_market": "watching reference data",
        "make_months": "making room for the coming months",
        "forget_old": "clearing away what is old",
        "verify_books": "re-adding the books",
    },
    "dry_step": dict(STEPS),
    "refund": {
        "created": "reserved, on its way to the supplier",
        "manual": "reserved: a person gives it back",
        "sent": "sent to the supplier",
        "accepted": "the supplier has taken it on",
        "unknown": "in doubt: the supplier is asked",
        "succeeded": "given back",
        "failed": "not given back",
    },
    "refund_told": {
        "manual": "its supplier takes no refunds",
        "in_doubt": "nobody knows whether the supplier has it",
        "not_found": "the supplier says that it has no such refund",
        "silent": "the supplier does not say how it ended",
        "contradicts": "the supplier said that it gave it back, and now that it did not",
    },
    "unread": {
        "merchant": "merchant",
        "app": "app",
        "supplier": "supplier",
        "tariff": "rate",
        "channel": "channel",
    },
    "tariff": {name: name for name in ("volume", "min", "max")},
    "tariff_fault": {why: why for why in FAULTS.values()},
    "channel_fault": {why: why for why in CHANNEL_FAULTS.values()},
    "product_fault": {why: why for why in PRODUCT_FAULTS.values()},
    "channel_state": {"on": "on", "off": "off", "archived": "archived"},
    "channel_move": {
        "on": "Switched on",
        "off": "Switched off",
        "archive": "Archived",
        "restore": "Restored, and switched off",
        "resume": "Resumed",
    },
    "reason": REASONS,
    "why": {why: why for why in WHYS},
    "expected": {one: one for one in EXPECTED},
    "outcome": {
        "answered": "answered",
        "never_sent": "never sent",
        "may_have_happened": "no clear answer",
    },
    "operation": {
        "create": "create",
        "query": "query",
        "close": "close",
        "refund": "refund",
        "refund_query": "refund query",
        "balance": "balance",
        "token": "token",
        "callback": "callback",
        "capture": "capture",
    },
    "gives": {
        "accepted": "accepted",
        "approved": "approved by the payer",
        "closed": "closed",
        "failed": "failed",
        "given": "told",
        "invalid": "not believed",
        "not_found": "not found",
        "paid": "paid",
        "pending": "waiting",
        "refused": "refused",
        "rejected": "refused for certain",
        "succeeded": "succeeded",
        "unknown": "no clear answer",
    },
    "credential": {"base_url": "the address of its interface"},
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
    "document": {
        "proposed": "waiting for approval",
        "approved": "approved",
        "rejected": "rejected",
        "withdrawn": "withdrawn",
    },
    "gate": {
        "legal_name": "the legal name",
        "licence_no": "the licence or filing number",
        "licence_expires_on": "the day on which the licence ends",
        "licence_over": "a licence that is not over",
        "settles_to": "whom it settles to",
        "document_approved": "an approved document",
        "document_sound": "a document whose fixtures hold",
        "document_for_real": "a document that is not for the sandbox alone",
        "credentials": "the credential {name}",
    },
    "offer": {
        "create": "payments",
        "query": "asking about them",
        "close": "closing them",
        "capture": "taking what was approved",
        "refund": "refunds",
        "refund_query": "asking about refunds",
        "balance": "the balance",
        "callback": "callbacks",
    },
    "caution": {
        "answers_unsigned": "answers are believed though nobody signed them",
        "answers_signed_good": "refusals are believed though nobody signed them",
        "callbacks_unsigned": "anybody may send callbacks: each is asked about before it counts",
        "callbacks_hearsay": "a callback alone pays nothing: a query must say the same",
        "callbacks_any_address": "callbacks are taken from any address",
        "callbacks_any_merchant": "no field of a callback says that it is about us",
        "no_callback": "it takes no callbacks, so it cannot be proposed",
        "no_query": "what is in doubt cannot be asked about, and waits until it expires",
        "no_close": "what a payer left open cannot be closed there",
        "no_refund": "refunds are made by hand",
        "no_refund_query": "a refund in doubt waits for a person",
        "refused_codes": "after these codes another channel is tried",
        "refused_none": "no answer is a clear refusal: another channel is never tried",
        "refused_statuses": "after these HTTP statuses another channel is tried",
        "number_not_repeated": "the answer to a new payment does not repeat our number",
        "servers_anywhere": "its address may be at any host",
        "hosts_anywhere": "payers may be sent to any host",
        "create_repeatable": "it promises that the same payment can be sent twice",
        "refund_repeatable": "it promises that the same refund can be sent twice",
        "not_found_final": "it promises that what it does not know will never be paid",
    },
    "settles_to": {"merchant": "the merchant", "licensed_institution": "a licensed institution"},
    "supplier_state": {"live": "live", "off": "off"},
    "merchant_state": {"open": "open", "suspended": "suspended", "archived": "archived"},
    # What is wrong with what was said, by the name that it has for servers.
    "field": {
        "name": "name",
        "legal_name": "legal name",
        "licence_no": "licence number",
        "category": "category",
        "site": "site",
        "contact": "contact",
        "reason": "reason",
        "note": "note",
        "app": "app's name",
        "amount": "amount",
        "calls_per_s": "calls in a second",
        "currency": "currency",
        "how": "how",
        "ip": "IP list",
        "merchant_no": "merchant's number",
        "notify_url": "notify URL",
        "order_no": "order",
        "product": "product",
        "refund_no": "refund's number",
        "settles_to": "settles to",
        "supplier_no": "supplier's number",
        "table": "table",
    },
    "merchant_field": {
        "name": "Name",
        "legal_name": "Legal name",
        "licence_no": "Licence number",
        "category": "Category",
        "site": "Site",
        "contact": "Contact",
    },
    "app_state": {"open": "open", "withdrawn": "revoked"},
    "mode": {"live": "live", "test": "test"},
    "use": {"opened": "opened with it", "switched": "switched to", "rolled_back": "rolled back to"},
    "right": RIGHTS,
    # A deed that needs a reason -> an example of one, with the command where it has one.
    "reason_for": {
        "complete": "/complete P… the supplier confirmed the money",
        "uncomplete": "/uncomplete P… the supplier never got the money",
        "adjust": "/adjust M1001 -20 wrong fee",
        "refund": "/refund P… the payer paid twice",
        "resolve": "the supplier sent it back to the payer",
        "release": "the supplier refused the refund",
        "reject_document": "the refund is signed in another way",
        "withdraw_document": "the supplier changed its interface",
        "switch_off": "its contract ends",
        "suspend_merchant": "its contract ends",
        "revoke_app": "its secret leaked",
    },
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


def gate_words(gate: str, language: str) -> str:
    """What a supplier must have before it can be live. gate: of core.supply.onboarding, or
    `credentials.<name>`."""
    kind, _, name = gate.partition(".")
    return word("gate", kind, language).format(name=name) if name else word("gate", kind, language)


def word(context: str, key: str, language: str) -> str:
    """What a state or kind is called; the key itself where it is a new one."""
    english = WORDS[context].get(key)
    return key if english is None else translator(language).pgettext(context, english)
