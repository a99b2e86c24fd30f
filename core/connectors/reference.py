"""What each name of a document says, in one line: the one place that the JSON Schema for editors
and the tables of docs/connectors.md are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from core.connectors import limits


@dataclass(frozen=True, slots=True)
class Entry:
    """One name. says: what it is, in Markdown. absent: what counts where it is not said."""

    says: str
    absent: str = ""


REQUIRED: Final = "required"

DOCUMENT: Final[Mapping[str, Entry]] = {
    "connector": Entry("its code: small letters, digits and `_`", REQUIRED),
    "language": Entry("the edition of this language: `1`", "`1`"),
    "name": Entry("its name for people", REQUIRED),
    "sandbox_only": Entry("`true`: only test apps are routed here", "`false`"),
    "create_is_idempotent": Entry(
        "`true`: the same number sent twice makes one payment", "`false`"
    ),
    "refund_is_idempotent": Entry(
        "`true`: the same refund number sent twice gives back once", "`false`"
    ),
    "not_found_is_final": Entry("`true`: “not found” means that nothing was created", "`false`"),
    "credentials": Entry(
        "what the supplier gave out: a list of names, or names with a title each:"
        " `{ mch_id: Merchant number }`",
        "none",
    ),
    "servers": Entry(
        "where the supplier's interface may be, so that `base_url` leads nowhere else",
        "anywhere by https",
    ),
    "hosts": Entry(
        "where payers may be sent: `pay.example.com`, `*.example.com`", "anywhere by http(s)"
    ),
    "apps": Entry(
        "schemes of the apps that a payer may be sent to as well: `[alipays, weixin]`", "none"
    ),
    "amounts": Entry("`decimal` (12.34) or `minor` (1234), in both directions", "`decimal`"),
    "tables": Entry('words by words: `{ ways: { qr: NATIVE, "*": H5 } }`, for `lookup`', "none"),
    "values": Entry("texts by names of your own: `{ hashed: $key | md5 | hex }`", "none"),
    "must_equal": Entry("fields that must say who we are: `{ mch_id: $mch_id }`", "none"),
    "body": Entry("`form`, `json`, `xml`, `query`; `{ xml: root }` names XML's root", "`form`"),
    "headers": Entry("headers of every request", "none"),
    "fields": Entry("fields of every request", "none"),
    "sign": Entry("how we sign, see [Signing](#signing); `none` for not at all", "MD5"),
    "verify": Entry("how what comes in is signed, where it differs from `sign`", "as `sign`"),
    "reads": Entry("where a message says what, see [Reading](#reading)", "none"),
    "states": Entry(
        "the supplier's words as `paid`, `pending`, `approved`, `failed`, `closed`", "none"
    ),
    "answers": Entry("which answers are good, see [Reading](#reading)", REQUIRED),
    "create": Entry("the operation that opens a payment", REQUIRED),
    "query": Entry("the operation that asks about a payment", "not offered"),
    "close": Entry("the operation that ends a payment", "not offered"),
    "capture": Entry(
        "the operation that takes the money of a payment that is `approved`", "not offered"
    ),
    "refund": Entry("the operation that gives money back", "not offered"),
    "refund_query": Entry("the operation that asks about a refund", "not offered"),
    "balance": Entry("the operation that asks what the supplier holds for us", "not offered"),
    "token": Entry("the call that fetches a token for the others", "none needed"),
    "callback": Entry("how the supplier calls us", "not offered"),
    "fixtures": Entry("the document's own tests", "none"),
}

OPERATION: Final[Mapping[str, Entry]] = {
    "method": Entry(
        "`POST`, `GET`, `PUT`, `PATCH`, `DELETE`; `GET` sends its fields in the query", "`POST`"
    ),
    "path": Entry(
        "what follows `base_url`: `/v1/orders/${attempt_no}`; a `?query` may be behind it", REQUIRED
    ),
    "within": Entry("where the paths of its answer begin: `data`", "at the root"),
    "pay": Entry(
        "`create` alone: where the way to pay is, see [Ways to pay](#ways-to-pay)", REQUIRED
    ),
    "by": Entry(
        "`create` alone: `us`, or `payer` if the payer's browser brings the request", "`us`"
    ),
    "ways": Entry("`create` alone: what differs by the channel's code", "one for all"),
    "gives": Entry(
        "`close`, `refund`: what a good answer means by itself, like `closed`", "it is read"
    ),
    "lost": Entry("`token` alone: statuses of answers that say that the token is over", "401"),
}

CALLBACK: Final[Mapping[str, Entry]] = {
    "from": Entry(
        "`form`, `json`, `xml`, `pairs`, or `query` (in the address); `[query, form]`: in one of"
        " them, and the other is empty",
        "`form`",
    ),
    "open": Entry(
        "`text`: a pipe that opens sealed content; `as`: `json`, `form`, `xml`, `query`",
        "not sealed",
    ),
    "within": Entry("where paths begin", "at the root"),
    "each": Entry(
        "where the list of a batch is: each item is read, and proved, by itself", "one item"
    ),
    "then": Entry(
        "`query`: what it says counts only when a query says it too; or `believe`", "`believe`"
    ),
    "addresses": Entry("where the supplier calls from: `[203.0.113.0/24]`", "anywhere"),
    "success": Entry(
        "what the supplier hears once we have stored it: a text, or a table", REQUIRED
    ),
    "duplicate": Entry("what it hears of what we had stored already", "as `success`"),
    "failure": Entry("what it hears if we do not believe it", REQUIRED),
}
REPLY: Final[Mapping[str, Entry]] = {
    "status": Entry("the HTTP status", "200; of `failure` 400"),
    "type": Entry("the content type", "`text/plain`"),
    "body": Entry("the text", "empty"),
}
OPEN: Final[Mapping[str, Entry]] = {
    "text": Entry("a pipe that opens the content", REQUIRED),
    "as": Entry("what it is read as: `json`, `form`, `xml`, `query`", "`json`"),
}

PAYMENT_READS: Final[Mapping[str, Entry]] = {
    "attempt_no": Entry("our number", "all; `none` in `create` if its answer does not repeat it"),
    "upstream_no": Entry("the supplier's number", "callbacks, and whatever may say `paid`"),
    "state": Entry("a word of `states`", "`query`, `close`, `capture`, callbacks"),
    "amount": Entry("what we asked for; another one in an answer is not believed", "nobody"),
    "paid": Entry("what the payer paid", "whatever may say `paid`"),
    "currency": Entry("must be ours", "nobody"),
}
"""Here `absent` says who needs it."""
OTHER_READS: Final[Mapping[str, Entry]] = {
    "refund_no": Entry("our number of a refund; what is said must be ours", "nobody"),
    "upstream_refund_no": Entry("the supplier's number of a refund", "nobody"),
    "refunded": Entry("the amount of a refund; what is said must be ours", "nobody"),
    "available": Entry("what the supplier holds for us", "`balance`"),
    "token": Entry("the token", "`token`"),
    "lives": Entry("how many seconds it lives; 300 where nothing is said", "nobody"),
}

ANSWERS: Final[Mapping[str, Entry]] = {
    "from": Entry(
        "`form`, `json`, `xml`, `query`, or `pairs` (a form that is not percent-encoded)", "`json`"
    ),
    "signed": Entry(
        "`false`: the supplier does not sign its answers; `good`: only good ones", "`true`"
    ),
    "open": Entry("sealed content, as in callbacks", "not sealed"),
    "ok": Entry(
        'what a good answer says: `{ code: 0 }`, `{ code: [0, 1] }`, `{ url: "*" }` (anything)',
        "required without `statuses`",
    ),
    "statuses": Entry("HTTP statuses of good answers", "200 to 299"),
    "code": Entry("where its code is", "`code`"),
    "message": Entry("where its words are", "none"),
    "refused": Entry("codes after which surely no payment can follow", "none"),
    "refused_statuses": Entry("HTTP statuses after which surely no payment can follow", "none"),
    "not_found": Entry("codes: the number is not known there", "none"),
    "not_found_statuses": Entry("HTTP statuses: the number is not known there", "none"),
    "faults": Entry("more HTTP statuses at which codes are read", "none"),
}

SIGN: Final[Mapping[str, Entry]] = {
    "text": Entry("what is signed", "`${params}&key=${key}`"),
    "params": Entry("how fields become the text `$params`", "see below"),
    "steps": Entry("operators that make the signature of the text", "`md5 | hex | upper`"),
    "field": Entry(
        "where the signature is put; `none` where a header carries it as `$signature`", "`sign`"
    ),
}
VERIFY: Final[Mapping[str, Entry]] = {
    "text": Entry("what is signed", "as in `sign`"),
    "params": Entry("how fields become the text `$params`", "as in `sign`"),
    "steps": Entry("operators, with the supplier's key", "as in `sign`"),
    "from": Entry(
        "where the signature is: a field's name, `header.X-Signature`, or a pipe like"
        " `$header.X-Signature | piece v1` (of several, one has to be right)",
        "`field` of `sign`",
    ),
    "fresh": Entry(
        f"when it was signed, in unix time: more than {limits.FRESH_S} s away is not believed",
        "not asked",
    ),
    "certificate": Entry("a certificate that comes with each message", "none"),
}
CERTIFICATE: Final[Mapping[str, Entry]] = {
    "from": Entry("where it is", REQUIRED),
    "issued_by": Entry("a credential: the certificates of those who may give one out", REQUIRED),
    "issued_to": Entry("what its subject's name contains; of a list, one of these", REQUIRED),
}
PARAMS: Final[Mapping[str, Entry]] = {
    "order": Entry(
        "`name` (capitals first), `caseless`, `written` (as they stand), or a list of fields",
        "`name`",
    ),
    "without": Entry("fields that take no part; the signature's own never does", "none"),
    "empty": Entry("`drop` or `keep` fields with nothing in them", "`drop`"),
    "write": Entry('`pair` (a=1), `value` (1), `quoted` (a="1")', "`pair`"),
    "url": Entry("`true`: values are percent-encoded as in a form", "`false`"),
    "join": Entry("what stands between them", "`&`"),
    "nested": Entry("tables and lists: `skip` them, as `json`, or `flat` (a[b]=1)", "`skip`"),
}

PAY: Final[Mapping[str, Entry]] = {
    "url": Entry("an address to go to; it must fit `hosts`, or open one of `apps`"),
    "qr": Entry("the text of a QR code"),
    "app": Entry("what an app needs"),
    "jsapi": Entry("what a page inside an app needs"),
    "html": Entry("a page with one form, of which we take the form alone"),
    "from": Entry("where it is, whatever it is, with `by` and `kinds`"),
    "by": Entry("where the word stands that says what it is"),
    "kinds": Entry("these words: `{ codeUrl: qr, payurl: url, form: html }`"),
}
PAY_MADE: Final[Mapping[str, Entry]] = {
    "text": Entry("one text made of the answer"),
    "fields": Entry("fields made of the answer, handed on as JSON"),
    "sign": Entry("how these are signed by us"),
}

FIXTURES: Final[Mapping[str, Entry]] = {
    "credentials": Entry("invented ones", "none"),
    "attempt": Entry("facts of a payment, by name", "a sample"),
    "refund": Entry("facts of a refund", "a sample"),
    "token": Entry("the token that requests carry", "`t0ken`"),
    "now": Entry("the moment", "2026-01-02T03:04:05Z"),
    "nonce": Entry("the random text", "a sample"),
    "cases": Entry("what is expected", "none"),
}
REFUND: Final[Mapping[str, Entry]] = {
    "refund_no": Entry("our number"),
    "amount": Entry("the amount, like 12.34"),
    "reason": Entry("why, in words"),
    "created_at": Entry("when it was made"),
    "upstream_refund_no": Entry("the supplier's number"),
}
CASE: Final[Mapping[str, Entry]] = {
    "about": Entry("what it shows, in words"),
    "build": Entry("the operation whose request is built"),
    "read": Entry("the operation whose answer is read"),
    "verify": Entry("`callback`"),
    "attempt": Entry("facts that differ from what all cases share"),
    "refund": Entry("facts of a refund that differ from what all cases share"),
    "now": Entry("another moment"),
    "status": Entry("of an answer: its HTTP status; 200 if absent"),
    "address": Entry("of a callback: who calls"),
    "headers": Entry("what came with the body; to `build`, headers that must be sent"),
    "body": Entry("what came in; of a callback from the query, the query"),
    "gives": Entry("what comes out, in one word"),
    "url": Entry("`build`: the address"),
    "sent": Entry("`build`: the body"),
    "signed": Entry("`build`: the text that was signed, keys as `***`"),
    "attempt_no": Entry("our number"),
    "upstream_no": Entry("the supplier's number"),
    "paid": Entry("what was paid, like 12.34"),
    "pay": Entry("the way to pay"),
    "kind": Entry("what that is: `url`, `qr`, `app`, `jsapi`, `form`, `none`"),
    "code": Entry("the supplier's code"),
    "message": Entry("the supplier's words"),
    "upstream_refund_no": Entry("the supplier's number of a refund"),
    "available": Entry("what the supplier holds"),
    "token": Entry("the token"),
    "events": Entry("how many events a batch has"),
}
# What a case may give, by the operation that it reads.
GIVES: Final[Mapping[str, tuple[str, ...]]] = {
    "create": ("accepted", "rejected", "unknown"),
    "query": ("paid", "pending", "approved", "failed", "closed", "not_found", "unknown"),
    "close": ("paid", "pending", "approved", "failed", "closed", "not_found", "unknown"),
    "capture": ("paid", "pending", "approved", "failed", "closed", "not_found", "unknown"),
    "refund": ("succeeded", "pending", "failed", "not_found", "unknown"),
    "refund_query": ("succeeded", "pending", "failed", "not_found", "unknown"),
    "balance": ("balance", "unknown"),
    "token": ("token", "refused"),
    "callback": ("paid", "pending", "failed", "closed", "hearsay", "ignored", "invalid"),
}

FACTS: Final[Mapping[str, Entry]] = {
    "attempt_no": Entry("our number at the supplier, new for each try"),
    "order_no": Entry("our number of the order"),
    "amount": Entry("what is to be paid"),
    "currency": Entry("and in which currency"),
    "subject": Entry("what is sold; pass it on unchanged"),
    "merchant_name": Entry("who sells; pass it on unchanged"),
    "channel_code": Entry("the supplier's own code of the way to pay"),
    "notify_url": Entry("where the supplier calls back"),
    "return_url": Entry("where the payer goes then; may be empty"),
    "client_ip": Entry("the payer's address"),
    "payer_id": Entry("who the payer is at the supplier, like an openid; may be empty"),
    "created_at": Entry("when the attempt was made, the same in every call about it"),
    "expires_at": Entry("when it ends"),
    "expires_in": Entry("in how many seconds it ends"),
    "now": Entry("this moment"),
    "upstream_no": Entry("the supplier's number; empty until it is known"),
    "nonce": Entry("a random text"),
}
REFUND_FACTS: Final[Mapping[str, Entry]] = {
    "refund_no": Entry("our number of the refund"),
    "refund_amount": Entry("what goes back"),
    "refund_reason": Entry("why"),
    "refund_created_at": Entry("when the refund was made, the same in every call about it"),
    "upstream_refund_no": Entry("the supplier's number of it; empty until it is known"),
}
SIGNED: Final[Mapping[str, Entry]] = {
    "params": Entry("the fields, written as `params` says"),
    "body": Entry("the body, as it leaves"),
    "method": Entry("the method"),
    "path": Entry("the path, with the query, as it leaves"),
}
