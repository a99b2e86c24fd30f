"""A signed text that can be read in two ways is not believed, and one that cannot is.

A forger is made here who has no key, but all time: he writes every message that has the text of one
that the supplier signed. What is legal among these is decided by a few lines of the test's own.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from core.connectors import Accepted, Callback, HttpAnswer, InvalidCallback, Unknown, load
from core.connectors.types import Event
from core.kernel.money import Money
from tests.core.connectors.support import CREDENTIALS, FACTS, KEY, NOW
from tests.core.connectors.test_loader import faults
from tests.core.connectors.test_requests import UNSIGNED, document

NO: Final = "N1"
Fields = dict[str, str]
Decided = tuple[str, str, str, str]


@dataclass(frozen=True)
class Rule:
    """How a made-up supplier signs. names: in the order of signing, where that is fixed. free: of
    the names, those that decide nothing."""

    verify: str
    join: str = "&"
    order: Sequence[str] = ()
    write: str = "{name}={value}"
    keeps: bool = False
    caseless: bool = False
    sorts: bool = True

    def text(self, fields: Fields) -> str:
        names = list(fields)
        if self.order:
            names = [name for name in self.order if self.keeps or fields.get(name)]
        elif self.caseless:
            names.sort(key=lambda name: f"{name}={fields[name]}&".lower())
        elif self.sorts:
            names.sort()
        parts = [(name, fields.get(name, "")) for name in names if name != "sign"]
        return self.join.join(
            self.write.format(name=name, value=value) for name, value in parts
            if value or self.keeps
        )  # fmt: skip

    def messages(self, text: str) -> Iterator[Fields]:
        """Every message that is signed as this text."""
        pieces = text.split(self.join)
        if "{name}" not in self.write:
            for cuts in itertools.combinations(range(1, len(pieces)), len(self.order) - 1):
                ends = (0, *cuts, len(pieces))
                values = [self.join.join(pieces[a:b]) for a, b in itertools.pairwise(ends)]
                yield dict(zip(self.order, values, strict=True))
            return
        all_of_them = self.order and self.keeps
        for size in [len(self.order) - 1] if all_of_them else range(len(pieces)):
            for cuts in itertools.combinations(range(1, len(pieces)), size):
                ends = (0, *cuts, len(pieces))
                whole = [self.join.join(pieces[a:b]) for a, b in itertools.pairwise(ends)]
                form = re.escape(self.write).replace(r"\{name\}", "([^=]+)")
                form = form.replace(r"\{value\}", "((?:.|\n)*)")
                found = [re.fullmatch(form, one) for one in whole]
                fields = {one[1]: one[2] for one in found if one is not None}
                if len(fields) == len(whole) and self.text(fields) == text:
                    yield fields

    def is_legal(self, fields: Fields, *, whole: bool) -> bool:
        """Whether the supplier could have written it. whole: and what is paid says how much."""
        if not all(fields.get(name) for name in ("no", "id", "st")):
            return False
        for name in ("no", "id", "st", "paid"):
            value = fields.get(name, "")
            inside = re.escape(self.join) + ("[^=&|]+=" if "{name}" in self.write else "")
            if re.search(inside, value):
                return False
        paid = re.fullmatch(r"[0-9.,+\-eE ]*", fields.get("paid", ""))
        told = fields["st"] != "7" or bool(fields.get("paid"))
        return paid is not None and (told or not whole)


LIST: Final = ("a", "no", "note", "paid", "st", "t", "id")
NAMES: Final = ("a", "id", "no", "note", "paid", "st", "t")
RULES: Final = {
    "sorted": Rule("{}"),
    "kept": Rule("{ params: { empty: keep } }", keeps=True),
    "caseless": Rule("{ params: { order: caseless } }", caseless=True),
    "written": Rule("{ params: { order: written } }", sorts=False),
    "quoted": Rule("{ params: { write: quoted } }", write='{name}="{value}"'),
    "lines": Rule('{ params: { join: "\\n" } }', join="\n"),
    "list": Rule(f"{{ params: {{ order: [{', '.join(LIST)}] }} }}", order=LIST),
    "list kept": Rule(
        f"{{ params: {{ order: [{', '.join(LIST)}], empty: keep }} }}", order=LIST, keeps=True
    ),
    "values": Rule(
        f"{{ params: {{ order: [{', '.join(LIST)}], empty: keep, write: value, join: '|' }} }}",
        join="|", order=LIST, write="{value}", keeps=True,
    ),
    "template": Rule(
        f'{{ text: "{"|".join(f"${{body.{name}}}" for name in LIST)}&key=${{key}}" }}',
        join="|", order=LIST, write="{value}", keeps=True,
    ),
}  # fmt: skip


def callback_document(verify: str, *, source: str = "form", more: str = "") -> str:
    return document(
        answers=UNSIGNED,
        callback=f"{{ from: {source}, verify: {verify}, reads: {{ attempt_no: no, upstream_no: id,"
        f" state: st, paid: paid{more} }}, states: {{ 0: failed, 7: paid }}, success: ok,"
        " failure: no }",
    )


CONNECTORS: Final = {name: load(callback_document(rule.verify)) for name, rule in RULES.items()}


def signature(text: str) -> str:
    whole = f"{text}&key={KEY}".encode()
    return hashlib.md5(whole, usedforsecurity=False).hexdigest().upper()


def believed(name: str, fields: Fields, sign: str) -> Decided | str:
    """What is believed of a message, or why it is not."""
    body = urlencode({**fields, "sign": sign}).encode()
    came = Callback("POST", "", {}, body, "")
    try:
        (event,) = CONNECTORS[name].verify(came, CREDENTIALS, currency="CNY", now=NOW)
    except InvalidCallback as invalid:
        return invalid.why
    paid = event.paid.plain() if event.paid else ""
    return event.attempt_no, event.upstream_no, event.state, paid


def decided(fields: Fields) -> Decided:
    state = {"0": "failed", "7": "paid"}.get(fields["st"], fields["st"])
    paid = fields.get("paid", "") if state == "paid" else ""
    return fields["no"], fields["id"], state, paid


def made(rule: Rule, random: Random) -> Fields:
    """A message of the supplier, in which payers and merchants wrote what they liked."""
    said = {"no": NO, "id": "U1", "st": random.choice("07"), "paid": "1.00"}
    if random.randrange(3) == 0:
        del said["paid"]
    for name in ("a", "note", "t"):
        if random.randrange(4):
            closing = rule.write.partition("{value}")[2]
            parts = [wish.removesuffix(closing) for wish in wishes(rule, name, random)]
            said[name] = f"{closing}{rule.join}".join(["x", *parts])
    names = [name for name in NAMES if name in said]
    if not rule.sorts:
        random.shuffle(names)
    return {name: said[name] for name in names}


def wishes(rule: Rule, name: str, random: Random) -> list[str]:
    """What somebody would like the supplier to have said, behind a field: mostly in the order in
    which it is signed, which is known."""
    names = list(rule.order or sorted((*NAMES, "b", "u")))
    behind = names.index(name) + 1 if random.randrange(3) else 0
    run = names[behind : behind + random.randrange(5)]
    if not random.randrange(3):
        random.shuffle(run)
    value = {"no": NO, "id": "U2", "st": "7", "paid": "9.00"}
    return [
        rule.write.format(name=one, value=value.get(one, "y"))
        for one in run
        if rule.keeps or random.randrange(5)
    ]


@pytest.mark.parametrize("name", RULES)
def test_one_text_is_believed_in_one_way(name: str) -> None:
    rule, random = RULES[name], Random(f"readings of {name}")
    forgeries = refused = 0
    for _ in range(30):
        genuine = made(rule, random)
        text = rule.text(genuine)
        if text.count(rule.join) > (12 if rule.order and rule.keeps else 9):
            continue
        sign = signature(text)
        readings = list(rule.messages(text))
        legal = [one for one in readings if rule.is_legal(one, whole=False)]
        possible = {decided(one) for one in legal}
        sure = {decided(one) for one in legal if rule.is_legal(one, whole=True)}
        readings = random.sample(readings, min(len(readings), 60))
        for one in readings:
            said = believed(name, one, sign)
            forgeries += one != genuine
            if isinstance(said, tuple):
                assert sure <= {said}, (text, one, said)
            elif one in legal and len(possible) == 1 and sure:
                assert "paid, but" in said or not rule.sorts, (text, one, said)
            else:
                refused += 1
    assert forgeries > 50
    assert refused > 25


# ── each by its smallest input ───────────────────────────────────────────────────────────────────
SAID: Final = {"no": NO, "id": "U1", "st": "7", "paid": "1.00", "t": "17"}
PAID: Final = (NO, "U1", "paid", "1.00")


def test_a_number_does_not_swallow_the_field_behind_it() -> None:
    fields = {**SAID, "note": "x"}
    sign = signature(RULES["sorted"].text(fields))
    assert believed("sorted", fields, sign) == PAID
    forged = {name: value for name, value in fields.items() if name != "no"}
    forged["id"] = "U1&no=N1"
    assert isinstance(believed("sorted", forged, sign), str)
    swallowed = {name: value for name, value in fields.items() if name != "note"}
    why = believed("sorted", {**swallowed, "no": "N1&note=x"}, sign)
    assert why == "“no” holds “&note=”, which parts it from what stands beside it"


def test_a_signed_failure_is_not_read_as_paid() -> None:
    """The separators of a text without names, moved."""
    failed = {**SAID, "a": "g", "note": "n|100|7|x", "paid": "100", "st": "0"}
    sign = signature(RULES["template"].text(failed))
    forged = {**failed, "note": "n", "st": "7", "t": "x|100|0|17"}
    assert RULES["template"].text(forged) == RULES["template"].text(failed)
    for one in (failed, forged):
        assert "may be another" in believed("template", one, sign)


def test_a_digest_of_an_amount_is_looked_for_as_what_it_is() -> None:
    """Nothing of the text looks like an amount; its readings are found all the same."""
    places = ("a", "st", "no", "id", "paid | md5 | hex", "note")
    text = "|".join(f"${{body.{place}}}" for place in places) + "&key=${key}"
    connector = load(callback_document(
        f'{{ text: "{text}", from: header.X-Sign }}', source="json"
    ).replace("0: failed, 7: paid", "BAD: failed, OK: paid"))  # fmt: skip

    def written(fields: Fields) -> str:
        digest = hashlib.md5(fields["paid"].encode(), usedforsecurity=False).hexdigest()
        values = {**fields, "paid | md5 | hex": digest}
        return "|".join(values[place] for place in places)

    good = {**SAID, "a": "x", "st": "OK", "note": "n"}
    assert verified(connector, good, signature(written(good))) == BELIEVED
    _, state, no, _, digest, note = written({**good, "paid": "9.00"}).split("|")
    failed = {**good, "a": f"x|{state}|{no}|U2|{digest}|{note}", "st": "BAD"}
    sign = signature(written(failed))
    forged = {**good, "id": "U2", "paid": "9.00"}
    forged["note"] = "|".join([note, *written(failed).split("|")[6:]])
    assert written(forged) == written(failed)
    for one in (failed, forged):
        assert "may be another" in verified(connector, one, sign)


def test_a_message_that_no_supplier_would_write_proves_nothing() -> None:
    """It has no legal reading, and so none that is another."""
    rule = callback_document("{ from: header.X-Sign }", source="json")
    connector = load(rule.replace("state: st", "state: st + more").replace(
        "0: failed, 7: paid", "0 0: failed, 7 7: paid"))  # fmt: skip
    whole = {**SAID, "a": "x&y=1", "more": "7"}
    assert verified(connector, whole, signature(RULES["sorted"].text(whole))) == BELIEVED
    odd = {**SAID, "a": "x&y=1", "st": "7 7"}
    why = verified(connector, odd, signature(RULES["sorted"].text(odd)))
    assert "is not as messages of the supplier have it" in why


@pytest.mark.parametrize(
    "harmless",
    [
        {"a": "uid=9&status=ok&money=1"},
        {"note": "A&money=1"},
        {"note": "https://pay.example/go?id=1&sign=abc"},
        {"t": "&st=0&id=U2&no=N2"},
        {"a": "&paid=1.00"},
        {"note": "&&&=&"},
        {"备注": "一&二=三"},
    ],
)
def test_what_has_one_legal_reading_is_believed(harmless: Fields) -> None:
    fields = {**SAID, **harmless}
    assert believed("sorted", fields, signature(RULES["sorted"].text(fields))) == PAID


def test_too_many_readings_are_none() -> None:
    fields = {**SAID, "note": "".join(f"&o{index}=1" for index in range(500))}
    said = believed("sorted", fields, signature(RULES["sorted"].text(fields)))
    assert said == "what is signed has too many readings"


def verified(connector: Any, body: object, sign: str, **headers: str) -> tuple[Event, ...] | str:
    raw = json.dumps(body).encode() if not isinstance(body, bytes) else body
    came = Callback("POST", "", {**headers, "x-sign": sign}, raw, "")
    try:
        events: tuple[Event, ...] = connector.verify(came, CREDENTIALS, currency="CNY", now=NOW)
    except InvalidCallback as invalid:
        return invalid.why
    return events


BELIEVED: Final = (Event(NO, "U1", "paid", Money(100, "CNY")),)


def test_a_currency_does_not_hide_in_a_note() -> None:
    """What may be absent is looked for as well."""
    connector = load(callback_document("{ from: header.X-Sign }", source="json",
                                       more=", currency: cur"))  # fmt: skip
    shown = {**SAID, "cur": "USD", "a": "x"}
    sign = signature(RULES["sorted"].text(shown))
    assert verified(connector, shown, sign) == "paid, but in another currency"
    hidden = {**SAID, "a": "x&cur=USD"}
    assert "“cur” may be another" in verified(connector, hidden, sign)


def test_the_first_of_two_places_is_not_made_of_a_note() -> None:
    rule = callback_document("{ from: header.X-Sign }", source="json")
    connector = load(rule.replace("upstream_no: id", "upstream_no: [bank, id]"))
    said = {**SAID, "a": "x&bank=B9"}
    sign = signature(RULES["sorted"].text(said))
    assert "may be another" in verified(connector, {**SAID, "a": "x", "bank": "B9"}, sign)
    assert "may be another" in verified(connector, said, sign)
    alone = {**SAID, "a": "x"}
    assert verified(connector, alone, signature(RULES["sorted"].text(alone))) == BELIEVED


def test_a_table_is_not_taken_for_a_text_nor_a_text_for_a_table() -> None:
    for nested, text in (("json", 'd={"cur":"USD"}'), ("flat", "d[cur]=USD")):
        connector = load(callback_document(
            f"{{ from: header.X-Sign, params: {{ nested: {nested} }} }}", source="json",
            more=", currency: d.cur",
        ))  # fmt: skip
        signed = "&".join([text, *(f"{name}={SAID[name]}" for name in sorted(SAID))])
        assert verified(connector, {**SAID, "d": {"cur": "USD"}}, signature(signed)) == (
            "paid, but in another currency"
        )
        name, _, value = text.partition("=")
        why = verified(connector, {**SAID, name: value}, signature(signed))
        assert "is not written as what it is read as" in why
        ours = signed.replace("USD", "CNY")
        assert verified(connector, {**SAID, "d": {"cur": "CNY"}}, signature(ours)) == BELIEVED


def test_a_json_table_keeps_what_would_part_fields() -> None:
    connector = load(callback_document(
        "{ from: header.X-Sign, params: { nested: json } }", source="json"
    ).replace("no,", "d.no,").replace("paid: paid", "paid: d.paid"))  # fmt: skip
    inner = {"no": NO, "paid": "1.00", "goods": "tea&t=1&z=2"}
    said = {"d": inner, "id": "U1", "st": "7", "t": "17"}
    table = json.dumps(inner, separators=(",", ":"))
    text = f"d={table}&id=U1&st=7&t=17"
    assert verified(connector, said, signature(text)) == BELIEVED


def test_a_text_around_the_body_is_cut_where_it_was_put_together() -> None:
    connector = load(callback_document(
        '{ text: "${header.X-Id}.${header.X-Time}.${body}", from: header.X-Sign,'
        " steps: hmac-md5 $key | hex }", source="json"
    ))  # fmt: skip
    body = json.dumps({**SAID, "note": "1.2.3"}).encode()

    def sign(text: str) -> str:
        return hmac.new(KEY.encode(), text.encode(), "md5").hexdigest()

    good = sign(f"m1.17.{body.decode()}")
    assert verified(connector, body, good, **{"x-id": "m1", "x-time": "17"}) == BELIEVED
    why = verified(connector, body, good, **{"x-id": "m1.17", "x-time": ""})
    assert why == "the signature is wrong"
    moved = sign(f"m.1.17.{body.decode()}")
    why = verified(connector, body, moved, **{"x-id": "m.1", "x-time": "17"})
    assert "holds “.”" in why


# ── answers ──────────────────────────────────────────────────────────────────────────────────────
def created(fields: Fields) -> Accepted | Unknown | object:
    connector = load(document(
        reads="{ attempt_no: no, upstream_no: tno }",
        create="{ path: /c, fields: { no: $attempt_no }, pay: { url: url } }",
    ))  # fmt: skip
    sign = signature(RULES["sorted"].text(fields))
    answer = HttpAnswer(200, {}, json.dumps({**fields, "sign": sign}).encode())
    return connector.read_create(answer, FACTS, CREDENTIALS, now=NOW, nonce="n")


@pytest.mark.parametrize(
    "url",
    [
        "https://pay.example/go?id=1&sign=abc",
        "https://pay.example/go?id=1&tno=T1",
        "https://pay.example/go?code=5&no=7&code=9",
        "https://pay.example/go?a=1&v=2&w=3&url=4",
    ],
)
def test_an_address_may_have_a_query(url: str) -> None:
    read = created({"code": "0", "no": FACTS.attempt_no, "tno": "T1", "url": url})
    assert isinstance(read, Accepted)
    assert (read.upstream_no, read.pay.value) == ("T1", url)


def test_an_address_is_not_taken_out_of_a_note() -> None:
    good = "https://pay.example/1"
    evil = "https://evil.example/1"
    read = created({"code": "0", "no": FACTS.attempt_no, "note": f"x&url={evil}&z=", "url": good})
    assert isinstance(read, Unknown)
    assert "“url” may be another" in read.why


# ── while a document is loaded ───────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("verify", "path"),
    [
        ('{ text: "${body.no}${body.id}${body.st}${body.paid}${key}" }', "callback.verify"),
        ('{ text: "${header.X-Time}${params}&key=${key}" }', "callback.verify"),
        ('{ text: "${params}0${body.t}${key}" }', "callback.verify"),
        ('{ text: "${header.X-Time}${body}", steps: hmac-sha256 $key | hex, from: header.X-Sign }',
         "callback.verify"),
        ('{ text: "${params}" }', "callback.verify"),
        ("{ steps: crc32 }", "callback.verify.steps"),
        ("{ steps: md5 | hex | part 0 8 }", "callback.verify.steps"),
        ('{ text: "${body}${key}", from: header.X-Sign, fresh: $header.X-Time }',
         "callback.verify.fresh"),
        ("{ fresh: $body.time, params: { without: [time] } }", "callback.verify.fresh"),
        ('{ text: "${params | upper}&key=${key}" }', "callback.reads.upstream_no"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_in_one_way_does_not_load(verify: str, path: str) -> None:
    assert path in {fault.path for fault in faults(callback_document(verify))}


@pytest.mark.parametrize(
    "verify",
    [
        '{ text: "${header.T}${body}", steps: hmac-md5 $key | hex, from: sign, fresh: $header.T }',
        '{ text: "${header.X-Time}${key}${body}", from: header.X-Sign }',
        "{ steps: md5 | hex | part 8 16 }",
        "{ fresh: $body.time }",
    ],
)
def test_what_can_be_read_in_one_way_loads(verify: str) -> None:
    load(callback_document(verify, source="json"))


def test_a_state_of_several_fields_is_said_by_all_of_them() -> None:
    """A field that may be absent could as well be part of the note before it."""
    joined = callback_document("{}").replace("state: st,", "state: st + more,")
    (fault,) = faults(joined.replace("{ 0: failed, 7: paid }", "{ 0 0: failed, 7: paid }"))
    assert (fault.path, fault.expected) == (
        "callback.states.7", "a word of each of the 2 fields that say the state",
    )  # fmt: skip
    whole = joined.replace("{ 0: failed, 7: paid }", "{ 0 0: failed, 7 7: paid, '*': ignore }")
    load(whole)
    load(joined.replace("verify: {}", 'verify: { text: "${body}${key}", from: header.X-Sign }'))
