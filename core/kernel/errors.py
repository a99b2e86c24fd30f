"""The four ways a verb can end badly, never mixed (payments design, "Failures").

`Refusal`        expected: the caller asked for something that is not to be. Carries a stable code.
`Ambiguous`      the other side may have acted: ask, never assume.
`Contradiction`  the other side said two things: kept, told at once, never retried.
`Bug`            our own fault: the transaction is rolled back and somebody is told.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RefusalKind:
    """What a refusal code means to every entrance.

    type: the family shown to API callers. text: English sentence with `{facts}`; it is also the
    key under which the catalogues translate it.
    """

    type: str
    text: str


_INVALID = "invalid_request"
_AUTH = "authentication"
_PERMISSION = "permission"
_CONFLICT = "conflict"
_LIMITED = "rate_limited"
_SUPPLIER = "supplier"
_MISSING = "not_found"

REFUSALS: dict[str, RefusalKind] = {
    # what was sent cannot be read
    "body_invalid": RefusalKind(_INVALID, "The body is not a valid JSON object."),
    "body_too_large": RefusalKind(_INVALID, "The body is larger than {limit_bytes} bytes."),
    "body_encoded": RefusalKind(
        _INVALID,
        "The body is sent with Content-Encoding {encoding}. Send it plain, exactly as you sign it,"
        " without that header.",
    ),
    "field_unknown": RefusalKind(_INVALID, "The field {param} is not known here."),
    "field_missing": RefusalKind(_INVALID, "The field {param} is required."),
    "field_invalid": RefusalKind(_INVALID, "The field {param} is wrong: {expected}."),
    "card_number": RefusalKind(
        _INVALID, "The field {param} looks like a card number. Card numbers are never accepted."
    ),
    "amount_invalid": RefusalKind(
        _INVALID, "{text} is not an amount of {currency}. Write it like {example}."
    ),
    "amount_doubtful": RefusalKind(
        _INVALID, "{text} can be read in two ways, so nothing was done. Write {one} or {other}."
    ),
    "currency_other": RefusalKind(
        _INVALID, "{text} is in {said}, but {currency} is counted here. Write it in {currency}."
    ),
    "currency_unknown": RefusalKind(_INVALID, "The currency {currency} is not supported."),
    "date_invalid": RefusalKind(_INVALID, "{text} is not a date. Write it like {example}."),
    "range_reversed": RefusalKind(
        _INVALID, "{first} is after {last}: write the earlier day first."
    ),
    "range_too_long": RefusalKind(_INVALID, "At most {limit_days} days can be shown at once."),
    "time_invalid": RefusalKind(
        _INVALID, "{text} is not a time of the day. Write it like {example}."
    ),
    "zone_unknown": RefusalKind(_INVALID, "{text} is not a time zone. Write it like {example}."),
    "day_cut_too_far": RefusalKind(
        _INVALID,
        "This would move the beginning of the days by a whole day or more."
        " Set it in two steps, on two days.",
    ),
    "amount_over_limit": RefusalKind(
        _INVALID, "{text} is more than {limit} {currency}, the most that is booked at once."
    ),
    "usdt_rate_missing": RefusalKind(
        _INVALID, "This group has no USDT rate. Set one with 设置汇率 7.2, or write it: +100u/7.2"
    ),
    "tariff_invalid": RefusalKind(
        _INVALID, "This rate cannot be: {why} ({text}). Write it like {example}"
    ),
    "tariff_in_the_past": RefusalKind(
        _INVALID,
        "A rate cannot begin on {day}: today is {today}."
        " Past orders are charged anew only by re-rating: {example}",
    ),
    "cost_in_the_past": RefusalKind(
        _INVALID,
        "A cost cannot begin on {day}: at the supplier it is {today}. Past orders keep theirs.",
    ),
    "cost_not_here": RefusalKind(
        _PERMISSION, "Costs are shown in ops groups and private chats only."
    ),
    "usdt_rate_invalid": RefusalKind(
        _INVALID,
        "{text} cannot be a USDT rate: it is more than 0, at most 1,000,000, and has at most 8"
        " decimals. Write it like {example}",
    ),
    "reason_missing": RefusalKind(_INVALID, "A reason is required, for example: {example}"),
    # who is asking
    "key_missing": RefusalKind(_AUTH, "The header {header} is missing."),
    "key_unknown": RefusalKind(_AUTH, "This API key is not known or was withdrawn."),
    "signature_invalid": RefusalKind(
        _AUTH, "The signature does not match. Check the secret and the exact string that is signed."
    ),
    "timestamp_out_of_range": RefusalKind(
        _AUTH, "Paydesk-Timestamp is more than {limit_s} s away from our clock ({now})."
    ),
    "address_not_allowed": RefusalKind(_PERMISSION, "Calls from {address} are not allowed."),
    "not_permitted": RefusalKind(_PERMISSION, "You may not do this: it needs the right “{right}”."),
    "merchant_suspended": RefusalKind(_PERMISSION, "The merchant {merchant_no} is suspended."),
    "merchant_not_reviewed": RefusalKind(
        _PERMISSION,
        "The merchant {merchant_no} has not passed its review; only test keys work until then.",
    ),
    "anonymous_admin": RefusalKind(
        _PERMISSION,
        "Telegram hides who is speaking. Switch off “remain anonymous” and say it again.",
    ),
    # what it is about
    "order_not_found": RefusalKind(_MISSING, "No order {number} was found."),
    "too_many_numbers": RefusalKind(
        _INVALID, "{limit} orders are shown at a time. Send the other numbers in another message."
    ),
    "merchant_not_found": RefusalKind(_MISSING, "No merchant {merchant_no} was found."),
    "supplier_not_found": RefusalKind(_MISSING, "No supplier {supplier_no} was found."),
    "product_not_found": RefusalKind(_MISSING, "There is no product {product}."),
    "channel_not_found": RefusalKind(_MISSING, "No channel {channel_no} was found."),
    "record_not_found": RefusalKind(_MISSING, "That record was not found."),
    "page_not_found": RefusalKind(_MISSING, "Nothing is here. Check the address."),
    "method_not_allowed": RefusalKind(_INVALID, "This address does not take {method}."),
    "group_not_bound": RefusalKind(
        _INVALID, "This group is not bound to a merchant yet. Say: 绑定商户 M1001"
    ),
    "merchant_needed": RefusalKind(_INVALID, "Add the merchant's number, for example: {example}"),
    "merchant_not_here": RefusalKind(
        _INVALID,
        "This is a supplier's group: nothing about merchants is said here. Ask in the merchant's"
        " own group.",
    ),
    "payin_not_here": RefusalKind(
        _INVALID, "What the supplier {supplier_no} paid in is booked in its own group only."
    ),
    "group_is_other_kind": RefusalKind(
        _CONFLICT, "This group is already a group of another kind ({kind}). Unbind it first."
    ),
    "merchant_ambiguous": RefusalKind(
        _INVALID, "This group has several merchants: {merchants}. Add the merchant's number."
    ),
    "supplier_ambiguous": RefusalKind(
        _INVALID, "This group has several suppliers: {suppliers}. Add the supplier's number."
    ),
    # what it collides with
    "order_conflict": RefusalKind(
        _CONFLICT, "The order {merchant_order_no} exists with other content ({differs})."
    ),
    "order_in_progress": RefusalKind(
        _CONFLICT, "The same order is being created right now. Ask again in a moment."
    ),
    "charges_changing": RefusalKind(
        _CONFLICT, "Past orders are being charged anew right now. Try again in a moment."
    ),
    "order_state": RefusalKind(_CONFLICT, "The order {number} is {status}; this cannot be done."),
    "already_resolved": RefusalKind(_CONFLICT, "The money of {number} was resolved already."),
    "discrepancy_changed": RefusalKind(
        _CONFLICT, "The money of {number}, or the fee on it, changed meanwhile. Look at it again."
    ),
    "completion_confirmed": RefusalKind(
        _CONFLICT, "The supplier has confirmed the money of {number}: its completion was right."
    ),
    "group_needed": RefusalKind(
        _INVALID, "A second person must confirm this. Say it in a group that both are in."
    ),
    "second_person_needed": RefusalKind(
        _PERMISSION, "A second person with this right must confirm it, not the one who asked."
    ),
    "refund_conflict": RefusalKind(
        _CONFLICT, "The refund {refund_no} exists with other content ({differs})."
    ),
    "refund_state": RefusalKind(_CONFLICT, "The refund {refund_no} is {status} already."),
    "refund_under_way": RefusalKind(
        _CONFLICT, "A refund of {number} is under way. Wait until it is over."
    ),
    "refund_over_amount": RefusalKind(
        _CONFLICT, "Of the order {number}, at most {left} can still be refunded."
    ),
    "refund_not_covered": RefusalKind(
        _CONFLICT, "The merchant's orders have not earned enough to bear this refund."
    ),
    "rerate_nothing": RefusalKind(
        _CONFLICT, "Nothing differs: these orders of {days} are charged like this already."
    ),
    "rerate_changed": RefusalKind(
        _CONFLICT, "Since the preview, other orders or fees came in. Ask for a new preview."
    ),
    "rerate_too_many": RefusalKind(
        _CONFLICT, "These are more than {limit} orders. Charge fewer days anew at a time."
    ),
    "already_undone": RefusalKind(_CONFLICT, "This was already undone."),
    "repeat_doubtful": RefusalKind(
        _CONFLICT, "The same amount was booked {ago_s} s ago: {record_no}, by {name}."
    ),
    "take_back_doubtful": RefusalKind(
        _CONFLICT, "That takes back more than was ever booked, which is {moved}."
    ),
    "undo_of_another": RefusalKind(_CONFLICT, "{record_no} was recorded by {name}."),
    "undo_of_much": RefusalKind(_CONFLICT, "{record_no} moved much: {amount}."),
    "undo_too_late": RefusalKind(_CONFLICT, "The time to undo is over ({limit_min} min)."),
    "confirmation_expired": RefusalKind(
        _CONFLICT, "This confirmation is over. Start again to get a new one."
    ),
    "confirmation_foreign": RefusalKind(
        _PERMISSION, "Only the person who asked for this can confirm it."
    ),
    "rate_limited": RefusalKind(_LIMITED, "Too many calls. Try again in {retry_after_s} s."),
    # what the suppliers' side allows
    "product_unknown": RefusalKind(_INVALID, "The product {product} is not open to this merchant."),
    "supplier_exists": RefusalKind(_CONFLICT, "There is a supplier {supplier_no} already."),
    "supplier_not_for_desk": RefusalKind(_CONFLICT, "A demo desk takes sandbox suppliers only."),
    "supplier_not_ready": RefusalKind(
        _CONFLICT, "The supplier {supplier_no} cannot be live. What is missing: {missing}."
    ),
    "supplier_live_already": RefusalKind(_CONFLICT, "The supplier {supplier_no} is live already."),
    "supplier_off_already": RefusalKind(_CONFLICT, "The supplier {supplier_no} is off already."),
    "supplier_changed": RefusalKind(
        _CONFLICT, "The supplier {supplier_no} was switched meanwhile. Look at it again."
    ),
    "nothing_to_roll_back": RefusalKind(
        _CONFLICT, "The supplier {supplier_no} used no other version before."
    ),
    "credential_unknown": RefusalKind(
        _INVALID, "{document} names no credential {name}. It names: {names}."
    ),
    "credentials_missing": RefusalKind(
        _CONFLICT, "{document} needs what the supplier {supplier_no} has not: {missing}."
    ),
    "document_not_found": RefusalKind(_MISSING, "No document {document} was found."),
    "document_state": RefusalKind(
        _CONFLICT, "The document {document} is {document_state}; this cannot be done."
    ),
    "document_of_other": RefusalKind(
        _CONFLICT,
        "The supplier {supplier_no} is spoken to by {connector}; {document} is no version of it.",
    ),
    "document_in_use": RefusalKind(
        _CONFLICT, "Live suppliers use {document}: {suppliers}. Switch them first."
    ),
    "document_used_already": RefusalKind(
        _CONFLICT, "The supplier {supplier_no} uses {document} already."
    ),
    "document_unsound": RefusalKind(
        _CONFLICT, "The document {document} does not keep its own word: {first}."
    ),
    "document_sandbox_only": RefusalKind(
        _CONFLICT, "The document {document} is for sandbox suppliers only."
    ),
    "private_only": RefusalKind(
        _INVALID, "This is done step by step in a private chat with the bot. Write to it there."
    ),
    "staff_only": RefusalKind(
        _PERMISSION, "This is said in an ops group or in a private chat with the bot only."
    ),
    "dialogue_away": RefusalKind(
        _CONFLICT,
        "What you were asked cannot be looked up for the moment."
        " Write it again in a minute; slash commands and everything in groups work.",
    ),
    "dialogue_over": RefusalKind(_CONFLICT, "This question is over. Begin again."),
    "answer_forwarded": RefusalKind(_INVALID, "Forwarded words are no answer. Write it yourself."),
    "answer_unreadable": RefusalKind(_INVALID, "That cannot be read. Write it like {example}."),
    "licence_day_past": RefusalKind(
        _INVALID, "A licence that ended on {text} is over. Write its last day like {example}."
    ),
    "no_documents": RefusalKind(
        _CONFLICT, "There is no connector document yet. Propose one first: {example}"
    ),
    "file_not_yaml": RefusalKind(
        _INVALID, "{name} is not a connector document: send a file that ends in .yaml."
    ),
    "file_too_large": RefusalKind(
        _INVALID, "{name} is larger than {limit_kb} KB and was not read."
    ),
    "file_not_text": RefusalKind(
        _INVALID, "{name} is not a text in UTF-8. Save it as UTF-8 and send it again."
    ),
    "file_gone": RefusalKind(
        _MISSING, "Telegram does not hand out {name} any more. Send it again."
    ),
    "approval_waits": RefusalKind(
        _CONFLICT,
        "Nobody else can approve this, so others get time to see it: do it again from {at} on.",
    ),
    "no_channel": RefusalKind(_SUPPLIER, "No channel can take this order now: {reasons}."),
    "no_room": RefusalKind(
        _SUPPLIER,
        "No supplier has room for this order now, and nothing was sent to any. Send it again a"
        " little later, under the same merchant_order_no, or offer the payer another product.",
    ),
    "channel_in_other_currency": RefusalKind(
        _INVALID,
        "The channel {channel_no} is in {currency}, but its supplier {supplier_no} counts in"
        " {supplier_currency}. Open another supplier for it.",
    ),
    "channel_invalid": RefusalKind(
        _INVALID, "This cannot be of a channel: {channel_fault} ({text})."
    ),
    "channel_code_unknown": RefusalKind(
        _INVALID, "The document of {supplier_no} knows no “{text}”. Its codes are: {ways}"
    ),
    "channel_exists": RefusalKind(
        _CONFLICT, "There is a channel {channel_no} already, or was: a number is used once."
    ),
    "channel_state": RefusalKind(
        _CONFLICT, "The channel {channel_no} is {channel_state}; this cannot be done."
    ),
    "channel_not_paused": RefusalKind(_CONFLICT, "The channel {channel_no} is not paused."),
    "channel_not_in_set": RefusalKind(
        _CONFLICT, "The channel {channel_no} does not sell this product here."
    ),
    "channel_set_size": RefusalKind(
        _INVALID,
        "A merchant's own channels of a product are at least one and at most {limit}."
        " Where it may not buy the product at all, switch that off for it.",
    ),
    "hours_invalid": RefusalKind(_INVALID, "{text} are no hours. Write them like {example}."),
    "currency_not_here": RefusalKind(
        _INVALID, "Nothing is counted in {currency} here; there is: {currencies}."
    ),
    "currency_not_sold": RefusalKind(_INVALID, "This merchant's orders are in {currency}."),
    "credit_line_reached": RefusalKind(
        _CONFLICT,
        "No new order is taken: what is owed to the merchant has reached its credit line.",
    ),
    "fee_exceeds_amount": RefusalKind(_INVALID, "The fee of this product is more than the amount."),
    "export_busy": RefusalKind(
        _LIMITED, "{limit} files are being made for this chat already. Wait for one of them."
    ),
    "export_too_many": RefusalKind(
        _INVALID,
        "That would be {count} files; at most {limit} are made for one message. Add the merchant's"
        " number: 导出 M1001",
    ),
    "export_too_large": RefusalKind(
        _INVALID,
        "{rows} orders do not fit into a workbook (at most {limit}). Ask for CSV, or fewer days.",
    ),
    "export_too_big": RefusalKind(
        _INVALID,
        "The file is larger than the {limit_mb} MB that Telegram takes. Ask for fewer days.",
    ),
    "dry_run_impossible": RefusalKind(_INVALID, "This cannot be tried out: {why}"),
    "callback_invalid": RefusalKind(_AUTH, "This callback is not signed by the supplier."),
    "callback_unknown": RefusalKind(_MISSING, "This callback names no attempt of ours."),
    "unavailable": RefusalKind("internal", "The desk cannot do this right now. Try again soon."),
    "internal": RefusalKind("internal", "Something went wrong on our side. It was reported."),
}

# What `reason_missing` gives as its example, by what is asked for; the catalogues translate it.
REASON_EXAMPLES: dict[str, str] = {
    "complete": "/complete P… the supplier confirmed the money",
    "uncomplete": "/uncomplete P… the supplier never got the money",
    "adjust": "/adjust M1001 -20 wrong fee",
    "resolve": "the supplier sent it back to the payer",
    "release": "the supplier refused the refund",
    "reject_document": "the refund is signed in another way",
    "withdraw_document": "the supplier changed its interface",
    "switch_off": "its contract ends",
}


class Refusal(Exception):
    """An expected no, with a stable code of `REFUSALS` and the facts its sentence needs.

    param: the field of the caller's input that is at fault, where there is one.
    """

    def __init__(self, code: str, *, param: str | None = None, **facts: object) -> None:
        self.code = code
        self.kind = REFUSALS[code]
        self.param = param
        self.facts: dict[str, str] = {name: str(value) for name, value in facts.items()}
        if param is not None:
            self.facts.setdefault("param", param)
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The English sentence with its facts filled in."""
        return self.kind.text.format_map(self.facts)


class Ambiguous(Exception):
    """The other side may or may not have acted. Ask it again; never assume."""


# What a supplier can say that is not possible beside what it said before, in words for staff.
CONTRADICTIONS: dict[str, str] = {
    "number_taken": "one payment number for two attempts",
    "amount_changed": "one payment number with two amounts",
    "other_currency": "paid in another currency than asked",
    "other_address": "a callback about another attempt than its address",
}


class Contradiction(Exception):
    """The other side said two things of which one must be false. No retry can mend it.

    kind: of `CONTRADICTIONS`. before: what was known before, in short, for staff.
    """

    def __init__(self, kind: str, before: str = "") -> None:
        self.kind = kind
        self.before = before
        super().__init__(f"{CONTRADICTIONS[kind]}: {before}")


class Bug(Exception):
    """Something that cannot be, was. Nothing is written; somebody is told."""


class WrongKind(Exception):
    """A demo was pointed at a production database, or the other way round: neither starts."""
