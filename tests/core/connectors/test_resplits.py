"""Genuine callbacks of the library's documents, written anew by somebody who has no key.

A supplier is made here that signs with a key of its own: what payers and merchants wrote is part of
its messages, and they know the order of signing. Then the text that was signed is cut in other
places, and sent with the same signature. Nothing may be believed but what the supplier said.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from random import Random
from typing import Any, Final
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.connectors import Callback, Event, InvalidCallback
from core.connectors.messages import read_body
from tests.core.connectors.library import CALLED, CONNECTORS, PARSED, Called
from tests.core.connectors.support import NOW
from tests.core.connectors.test_called import certificate

GENUINE: Final = 60
FORGERIES_OF_EACH: Final = 22
OURS: Final = rsa.generate_private_key(65537, 2048)
Fields = dict[str, str]
Events = tuple[Event, ...]


def md5(text: str, _: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def hmac_sha256(text: str, key: str) -> str:
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()


def rsa_sha256(text: str, _: str = "") -> str:
    return b64encode(OURS.sign(text.encode(), PKCS1v15(), hashes.SHA256())).decode()


def unionpay(text: str, _: str) -> str:
    return rsa_sha256(hashlib.sha256(text.encode()).hexdigest())


@cache
def public_pem() -> str:
    public = OURS.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return public.decode()


@cache
def certified() -> tuple[str, str]:
    """A root, and a certificate of ours that it gave out."""
    root = certificate("Root", OURS, "Root", OURS, days=900)
    return root, certificate("041@00040000:SIGN", OURS, "Root", OURS)


@dataclass(frozen=True)
class Supplier:
    """How the supplier of a document signs. suffix: what stands behind the fields; keys: ours, in
    place of the fixtures'; brings: a field that comes with each message."""

    code: str
    sign: Callable[[str, str], str]
    suffix: str = "&key={key}"
    own: str = "sign"
    without: tuple[str, ...] = ()
    keeps: bool = False
    upper: bool = False
    caseless: bool = False
    keys: Callable[[], Mapping[str, str]] = field(default=dict)
    brings: Callable[[], Mapping[str, str]] = field(default=dict)

    @property
    def called(self) -> Called:
        return next(
            one for one in CALLED
            if one.connector.code == self.code and one.case.gives in ("paid", "hearsay")
        )  # fmt: skip

    @property
    def credentials(self) -> Mapping[str, str]:
        return {**CONNECTORS[self.code].fixtures.credentials, **self.keys()}

    def text(self, fields: Fields) -> str:
        names = [name for name in fields if name not in (self.own, *self.without)]
        if self.caseless:
            names.sort(key=lambda name: f"{name}={fields[name]}&".lower())
        else:
            names.sort()
        return "&".join(f"{name}={fields[name]}" for name in names if fields[name] or self.keeps)

    def signature(self, fields: Fields) -> str:
        key = self.credentials.get("key", "")
        made = self.sign(self.text(fields) + self.suffix.format(key=key), key)
        return made.upper() if self.upper else made

    def callback(self, fields: Fields, signature: str) -> Callback:
        one, whole = self.called, {**fields, self.own: signature}
        if one.form == "json":
            body = json.dumps(whole)
        elif one.form == "xml":
            inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in whole.items())
            body = f"<xml>{inner}</xml>"
        else:
            body = urlencode(whole)
        if one.form == "query":
            return Callback("GET", body, {}, b"", one.case.address)
        return Callback("POST", "", {}, body.encode(), one.case.address)

    def told(self, callback: Callback) -> Events | None:
        """What is believed; None for nothing."""
        currency = self.called.case.facts.amount.currency
        try:
            return CONNECTORS[self.code].verify(
                callback, self.credentials, currency=currency, now=NOW
            )
        except InvalidCallback:
            return None


SUPPLIERS: Final = [
    Supplier("epay", md5, suffix="{key}", without=("sign_type",)),
    Supplier("generic_md5_form", md5, upper=True),
    Supplier("generic_md5_json", md5),
    Supplier("jeepay", md5, upper=True, caseless=True),
    Supplier("sandbox_md5", md5, upper=True),
    Supplier("wechat_v2", md5, upper=True),
    Supplier("wechat_v2_hmac", hmac_sha256, upper=True),
    Supplier("sandbox_rsa", rsa_sha256, suffix="", without=("sign_type",),
             keys=lambda: {"supplier_key": public_pem()}),
    Supplier("alipay", rsa_sha256, suffix="", without=("sign_type",), keeps=True,
             keys=lambda: {"alipay_public_key": public_pem()}),
    Supplier("unionpay_5_1", unionpay, suffix="", own="signature", keeps=True,
             keys=lambda: {"unionpay_ca": certified()[0]},
             brings=lambda: {"signPubKeyCert": certified()[1]}),
]  # fmt: skip
BY_CODE: Final = {supplier.code: supplier for supplier in SUPPLIERS}
# These sign the body as it is, or what is sealed in it: there is nothing to cut.
WHOLE: Final = ("generic_hmac", "sandbox_hmac", "stripe_checkout", "stripe_payment_intent",
                "wechat_v3")  # fmt: skip


def test_every_document_that_signs_is_forged() -> None:
    signing = {code for code, one in CONNECTORS.items()
               if "callback" in one.operations and one.signs_callbacks}  # fmt: skip
    assert signing == {*BY_CODE, *WHOLE, "adyen"}


def deciding(code: str) -> set[str]:
    """The fields that decide something, as the document says it."""
    whole: dict[str, Any] = PARSED[code]
    reads = {**whole["reads"], **whole["callback"].get("reads", {})}
    found = {str(name) for name in whole.get("must_equal", {})}
    for key in ("attempt_no", "upstream_no", "state", "paid", "currency"):
        places = reads.get(key, [])
        for place in places if isinstance(places, list) else [places]:
            found |= {part.strip() for part in str(place).split(" + ")}
    return found


def states_of(code: str) -> tuple[str, ...]:
    """The words of a document's callbacks, and one that it does not know."""
    whole = PARSED[code]
    states = whole["callback"].get("states", whole.get("states", {}))
    return (*(str(word) for word in states if word != "*"), "ODD")


@dataclass(frozen=True)
class Genuine:
    """A message that the supplier signed. text: what was signed; plain: the same as payers and
    merchants would have written it without a thought of us."""

    fields: Fields
    text: str
    signature: str
    plain: Fields


def genuine(supplier: Supplier, random: Random) -> Genuine:
    one = supplier.called
    said = read_body("form" if one.form == "query" else one.form, one.case.body.encode())
    fixed = {*deciding(supplier.code), supplier.own, *supplier.without, *supplier.brings()}
    plain: Fields = {name: str(value) for name, value in said.items() if name != supplier.own}
    plain |= {**supplier.brings(), "attach": "x", "ordered": "x", "remark": "x", "tag": "x"}
    free = [name for name in plain if name not in fixed]
    for name in random.sample(free, random.randrange(len(free))):
        del plain[name]
    if random.randrange(4):
        words = random.choice(states_of(supplier.code)).split(" ")
        reads = {**PARSED[supplier.code]["reads"],
                 **PARSED[supplier.code]["callback"].get("reads", {})}  # fmt: skip
        last = reads["state"][-1] if isinstance(reads["state"], list) else reads["state"]
        for place, word in zip(str(last).split(" + "), words, strict=False):
            plain[place] = word
    fields = dict(plain)
    for name in fields:
        if name not in fixed and random.randrange(2):
            fields[name] = "&".join(["x", *wishes(supplier, fields, name, random)])
    return Genuine(fields, supplier.text(fields), supplier.signature(fields), plain)


def wishes(supplier: Supplier, fields: Fields, name: str, random: Random) -> Iterator[str]:
    """What somebody would like the supplier to have said, behind a field: in the order in which it
    is signed, up to a field of his own that would take what stands there in truth."""
    one = supplier.called
    good = read_body("form" if one.form == "query" else one.form, one.case.body.encode())
    names = sorted({*fields, *good} - {supplier.own}, key=str.lower if supplier.caseless else None)
    start = names.index(name) + 1 if name in names and random.randrange(4) else 0
    for other in names[start : start + random.randrange(1, 6)]:
        number = other in deciding(supplier.code) and not random.randrange(3)
        yield f"{other}={'9' if number else str(good.get(other, 'x'))}"
        if not random.randrange(6):
            yield f"{other}0="
    yield f"{random.choice(names)}{random.choice('0_z')}="


def recut(supplier: Supplier, message: Genuine, random: Random) -> Fields | None:
    """The text cut in some other places; None where no message comes of it."""
    pieces = message.text.split("&")
    starts = {0}
    at = 0
    for name in sorted(message.fields, key=lambda name: message.text.find(f"{name}=")):
        found = message.text.find(f"{name}={message.fields[name]}", at)
        if found >= 0 and name not in (supplier.own, *supplier.without):
            starts.add(message.text[:found].count("&"))
    for _ in range(random.randrange(1, 7)):
        starts ^= {random.randrange(1, len(pieces))} if len(pieces) > 1 else set()
    ends = [*sorted(starts), len(pieces)]
    fields: Fields = {}
    for begin, end in pairwise(ends):
        name, equals, value = "&".join(pieces[begin:end]).partition("=")
        if not (equals and name) or name in fields:
            return None
        fields[name] = value
    unsigned = {name: message.fields[name] for name in supplier.without if name in message.fields}
    return fields | unsigned


@pytest.mark.parametrize("code", BY_CODE)
def test_no_signed_text_is_believed_as_another_message(code: str) -> None:
    supplier, random = BY_CODE[code], Random(f"forgeries of {code}")
    sent = right = good = 0
    for _ in range(GENUINE):
        message = genuine(supplier, random)
        honest = supplier.told(supplier.callback(message.plain, supplier.signature(message.plain)))
        good += bool(honest)
        assert supplier.told(supplier.callback(message.fields, message.signature)) in (
            honest, None, (),
        )  # fmt: skip
        for _ in range(FORGERIES_OF_EACH):
            fields = recut(supplier, message, random)
            while fields is None:
                fields = recut(supplier, message, random)
            sent += 1
            right += fields != message.fields and supplier.text(fields) == message.text
            told = supplier.told(supplier.callback(fields, message.signature))
            assert told in (None, (), honest), (message, fields)
    assert sent == GENUINE * FORGERIES_OF_EACH
    assert right > 100  # else nothing was forged
    assert good > 10


# ── texts of values, and whole bodies ────────────────────────────────────────────────────────────
ADYEN: Final = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference",
                "value", "currency", "eventCode", "success")  # fmt: skip


def test_no_text_of_adyens_is_believed_as_another_message() -> None:
    connector = CONNECTORS["adyen"]
    one = next(one for one in CALLED if one.connector is connector and one.case.gives == "paid")
    keys, random = connector.fixtures.credentials, Random(20260306)
    said = ["7914073381342284", "", "TestMerchant", one.case.facts.attempt_no, "1130", "EUR",
            "AUTHORISATION", "true"]  # fmt: skip

    def come(values: list[str], signature: str) -> Callback:
        item: dict[str, object] = dict(zip(ADYEN, values, strict=True))
        item["amount"] = {"value": item.pop("value"), "currency": item.pop("currency")}
        item["additionalData"] = {"hmacSignature": signature}
        body = json.dumps({"notificationItems": [{"NotificationRequestItem": item}]})
        return Callback("POST", "", {}, body.encode(), "203.0.113.9")

    def told(callback: Callback) -> Events | None:
        with contextlib.suppress(InvalidCallback):
            return connector.verify(callback, keys, currency="EUR", now=one.case.now)
        return None

    def sign(text: str) -> str:
        key = bytes.fromhex(keys["hmac_key"])
        return b64encode(hmac.new(key, text.encode(), "sha256").digest()).decode()

    assert told(come(said, sign(":".join(said))))
    for _ in range(GENUINE * FORGERIES_OF_EACH):
        values = list(said)
        values[7] = random.choice(("true", "false"))
        values[1] = ":".join(random.choices(["x", *said, "9", ""], k=random.randrange(6)))
        signature = sign(":".join(values))
        pieces = ":".join(values).split(":")
        cuts = sorted(random.sample(range(1, len(pieces)), 7))
        forged = [
            ":".join(pieces[a:b]) for a, b in zip([0, *cuts], [*cuts, len(pieces)], strict=True)
        ]
        plain = [*values[:1], "", *values[2:]]
        honest = told(come(plain, sign(":".join(plain))))
        assert told(come(values, signature)) == honest
        assert told(come(forged, signature)) in (None, (), honest)


@pytest.mark.parametrize("code", WHOLE)
def test_nothing_moves_between_a_body_and_the_headers_that_are_signed_with_it(code: str) -> None:
    mine = [one for one in CALLED if one.connector.code == code and one.case.gives != "invalid"]
    keys, random = CONNECTORS[code].fixtures.credentials, Random(f"moves of {code}")
    said = [one.said(one.callback, keys) for one in mine]
    assert any(said)
    for index in range(GENUINE * FORGERIES_OF_EACH // 2):
        one, came = mine[index % len(mine)], mine[index % len(mine)].callback
        name = random.choice(sorted(came.headers))
        value, body = came.headers[name], came.body
        many = random.randrange(1, 4)
        between = random.choice(("", ".", "\n", ","))
        value, body = random.choice((
            (value + between + body[:many].decode(), body[many:]),
            (value[:-many], value[-many:].encode() + between.encode() + body),
            (value, body + between.encode() + value.encode()),
            (value, value.encode() + between.encode() + body),
        ))  # fmt: skip
        forged = replace(came, headers={**came.headers, name: value}, body=body)
        with contextlib.suppress(InvalidCallback):
            assert one.said(forged, keys) in (said[index % len(mine)], ())
