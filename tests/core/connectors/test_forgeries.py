"""What holds for every document of the library: nobody is believed who has not the supplier's key.

The documents' own fixtures are the messages to begin with: their signatures are right, and so they
are worth forging.
"""

from __future__ import annotations

import contextlib
from base64 import encodebytes
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.connectors import (
    Accepted,
    Balance,
    HttpAnswer,
    InvalidCallback,
    RefundStanding,
    Standing,
    Token,
    Unknown,
)
from core.connectors.ciphers import CipherError, unbase64
from core.connectors.messages import (
    BodyForm,
    Tree,
    UnreadableError,
    read_body,
    read_form,
    write_body,
    write_form,
)
from tests.core.connectors.library import (
    ANSWERED,
    CALLED,
    CONNECTORS,
    PARSED,
    Answered,
    Called,
    Outcome,
)
from tests.core.connectors.test_properties import HOWS, mutated

# Of each of the 17 documents; those that sign are forged in test_resplits.py as well.
CHANGED_CALLBACKS: Final = 600
RANDOM_CALLBACKS: Final = 80
CHANGED_ANSWERS: Final = 200
RANDOM_ANSWERS: Final = 1_500
CHANGED_CERTIFICATES: Final = 1_000
CODES: Final = sorted(CONNECTORS)
# The library warns of what it will refuse one day; it is all the same who signed that.
ODD_CERTIFICATES: Final = pytest.mark.filterwarnings(
    "ignore::cryptography.utils.CryptographyDeprecationWarning"
)
STRANGER: Final = rsa.generate_private_key(65537, 2048)


# ── forgers ──────────────────────────────────────────────────────────────────────────────────────
def strange_certificate() -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Stranger")])
    made = x509.CertificateBuilder(name, name, STRANGER.public_key(), 7)
    made = made.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
    made = made.not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=36500))
    return made.sign(STRANGER, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


STRANGE_CERTIFICATE: Final = strange_certificate()
STRANGE_KEY: Final = STRANGER.public_key().public_bytes(
    Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
)


@cache
def strange_keys(code: str) -> dict[str, str]:
    """The credentials of a supplier whose messages no fixture is: every key is another one."""
    connector = CONNECTORS[code]
    ours = {str(words).lstrip("$") for words in PARSED[code].get("must_equal", {}).values()}
    changed = set(connector.secrets) - ours
    return {
        name: strange(value) if name in changed else value
        for name, value in connector.fixtures.credentials.items()
    }


def strange(value: str) -> str:
    """Another key of the same kind; our own private keys stay, since they prove nothing here."""
    if "BEGIN CERTIFICATE" in value:
        return STRANGE_CERTIFICATE
    if "BEGIN PUBLIC KEY" in value:
        return STRANGE_KEY.decode()
    bare = "".join(value.split())
    with contextlib.suppress(CipherError):
        if unbase64(bare)[:1] == b"\x30" and len(bare) > 1000:
            return value
        if unbase64(bare)[:1] == b"\x30" and len(bare) > 100:
            return "".join(STRANGE_KEY.decode().splitlines()[1:-1])
    turned = value[1:] + value[:1]
    assert turned != value, "a key to turn"
    return turned


def recombined(tree: Tree, words: list[str], random: Random) -> Tree:
    """A message of the same make, with some of its words left out or others put in."""
    made: Tree = {}
    for name, value in tree.items():
        match random.randrange(6):
            case 0:
                continue
            case 1:
                made[name] = random.choice(words)
            case _ if isinstance(value, dict):
                made[name] = recombined(value, words, random)
            case _:
                made[name] = value
    return made


@cache
def words_of(code: str) -> list[str]:
    """Every word that the document's messages say."""
    found = {"", "0", "1"}
    said = [(one.connector.code, one.form, one.case.body) for one in ANSWERED]
    said += [(one.connector.code, one.form, one.case.body) for one in CALLED]
    for theirs, form, body in said:
        if theirs == code:
            with contextlib.suppress(UnreadableError):
                found |= set(leaves(read_body(form, body.encode())))
    return sorted(found)


def leaves(tree: object) -> Iterator[str]:
    if isinstance(tree, dict | list):
        for inner in tree.values() if isinstance(tree, dict) else tree:
            yield from leaves(inner)
    else:
        yield str(tree)


def written(form: BodyForm, tree: Tree) -> bytes:
    if form == "pairs":
        return "&".join(f"{name}={value}" for name, value in tree.items()).encode()
    return write_body(form, tree)


def forged(code: str, form: BodyForm, body: str, random: Random) -> bytes:
    try:
        tree = read_body(form, body.encode())
    except UnreadableError:
        return body.encode()
    return written(form, recombined(tree, words_of(code), random))


def changed_once(body: bytes, headers: Mapping[str, str], random: Random) -> HttpAnswer:
    """One change somewhere: in the body, a header's value or a header's name."""
    change = (random.randrange(10_000), random.randrange(256), random.choice(HOWS))
    if not headers or random.randrange(2):
        return HttpAnswer(200, headers, mutated(body, change))
    name = random.choice(sorted(headers))
    others = {other: value for other, value in headers.items() if other != name}
    value = headers[name].encode()
    if value and random.randrange(8):
        others[name] = mutated(value, change).decode("latin-1")
    return HttpAnswer(200, others, body)


def is_good(outcome: Outcome) -> bool:
    """Whether it moves money, or sends a payer somewhere."""
    match outcome:
        case Accepted() | Token():
            return True
        case Standing(state) | RefundStanding(state):
            return state in ("paid", "approved", "succeeded")
        case Balance(available):
            return available is not None
    return False


def says_nothing(outcome: Outcome) -> bool:
    match outcome:
        case Unknown() | None:
            return True
        case Standing(state) | RefundStanding(state):
            return state == "unknown"
        case Balance(available):
            return available is None
    return False


# ── answers ──────────────────────────────────────────────────────────────────────────────────────
def test_the_messages_to_forge_are_there() -> None:
    """Else all that follows would prove nothing: each document says something good, and what it
    signs, it signs with a key that a stranger has not."""
    for code, connector in CONNECTORS.items():
        mine = [one for one in ANSWERED if one.connector is connector]
        ours = connector.fixtures.credentials
        assert any(is_good(one.said(one.answer, ours)) for one in mine), code
        if any(one.signed != "false" for one in mine) or connector.signs_callbacks:
            assert strange_keys(code) != ours, code
    called = {code for code, connector in CONNECTORS.items() if connector.called_by}
    assert {one.connector.code for one in CALLED if one.case.gives != "invalid"} == called


def test_no_answer_is_believed_that_a_stranger_signed() -> None:
    for one in ANSWERED:
        outcome = one.said(one.answer, strange_keys(one.connector.code))
        assert one.signed == "false" or not is_good(outcome), one
        assert one.signed != "true" or says_nothing(outcome), one


def test_no_random_answer_is_believed() -> None:
    """Words of one document put together anew, and asked of any of its operations."""
    random = Random(20260305)  # the same words in every run
    for _ in range(RANDOM_ANSWERS):
        one, other = random.choice(ANSWERED), random.choice(ANSWERED)
        code = one.connector.code
        source = other if other.connector is one.connector else one
        body = forged(code, source.form, source.case.body, random)
        status = random.choice((one.case.status, one.case.status, 200, 400, 404, 500))
        outcome = one.said(HttpAnswer(status, source.answer.headers, body), strange_keys(code))
        assert one.signed == "false" or not is_good(outcome), (code, body)
        assert one.signed != "true" or says_nothing(outcome), (code, body)


@pytest.mark.parametrize("code", CODES)
def test_no_changed_answer_says_anything_else(code: str) -> None:
    signed = [one for one in ANSWERED if one.signed != "false" and one.connector.code == code]
    good = [one for one in signed if is_good(one.said(one.answer, credentials_of(one)))]
    assert not signed or {one.case.operation for one in good} >= {"create", "query"}
    random = Random(f"answers of {code}")  # the same changes in every run
    for one in good:
        expected = one.said(one.answer, credentials_of(one))
        for _ in range(CHANGED_ANSWERS):
            came = one.answer
            for _ in range(random.choice((1, 1, 1, 2, 5))):
                changed = changed_once(came.body, came.headers, random)
                came = replace(changed, status=one.case.status)
            outcome = one.said(came, credentials_of(one))
            assert not is_good(outcome) or outcome == expected, came


def credentials_of(one: Answered | Called) -> Mapping[str, str]:
    return one.connector.fixtures.credentials


# ── callbacks ────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("code", CODES)
def test_no_random_callback_is_believed(code: str) -> None:
    """Not even ignored: who cannot sign hears that he is not believed."""
    random = Random(f"words of {code}")  # the same words in every run
    for one in [one for one in CALLED if one.connector.code == code]:
        for _ in range(RANDOM_CALLBACKS):
            body = one.case.body
            if random.randrange(8):
                body = forged(code, one.form, body, random).decode()
            came = replace(one, case=replace(one.case, body=body)).callback
            with contextlib.suppress(InvalidCallback):
                events = one.said(came, strange_keys(code))
                assert not one.connector.signs_callbacks, came
                assert all(event.hearsay for event in events), came


@ODD_CERTIFICATES
@pytest.mark.parametrize("code", CODES)
def test_no_changed_callback_says_anything_else(code: str) -> None:
    mine = [one for one in CALLED if one.connector.code == code]
    good = [one for one in mine if one.case.gives not in ("invalid", "ignored")]
    said = [one.said(one.callback, credentials_of(one)) for one in good]
    random = Random(f"callbacks of {code}")  # the same changes in every run
    for index in range(CHANGED_CALLBACKS if good else 0):
        one, events = good[index % len(good)], said[index % len(good)]
        came = one.callback
        for _ in range(random.choice((1, 1, 1, 2, 5))):
            body = came.query.encode() if one.form == "query" else came.body
            changed = changed_once(body, came.headers, random)
            came = replace(came, headers=changed.headers)
            if one.form == "query":
                came = replace(came, query=changed.body.decode("latin-1"))
            else:
                came = replace(came, body=changed.body)
        with contextlib.suppress(InvalidCallback):
            told = one.said(came, credentials_of(one))
            # What nobody signed is hearsay: the supplier is asked, and nothing is booked on it.
            if one.connector.signs_callbacks:
                assert told in (events, ()), came
            assert all(event.hearsay or event in events for event in told), came


@ODD_CERTIFICATES
def test_a_changed_certificate_proves_nothing() -> None:
    connector = CONNECTORS["unionpay_5_1"]
    one = next(one for one in CALLED if one.connector is connector and one.case.gives == "hearsay")
    fields = read_form(one.case.body)
    pem = str(fields["signPubKeyCert"])
    sealed = unbase64("".join(pem.splitlines()[1:-1]))
    random = Random(20260103)  # the same changes in every run
    for _ in range(CHANGED_CERTIFICATES):
        at = random.randrange(len(sealed))
        changed = sealed[:at] + bytes([sealed[at] ^ random.randrange(1, 256)]) + sealed[at + 1 :]
        fields["signPubKeyCert"] = pem_of(changed)
        came = replace(one.callback, body=write_form(fields).encode())
        with pytest.raises(InvalidCallback):
            one.said(came, credentials_of(one))


def pem_of(certificate: bytes) -> str:
    inside = encodebytes(certificate).decode()
    return f"-----BEGIN CERTIFICATE-----\n{inside}-----END CERTIFICATE-----\n"
