"""Loading: every fault at once, each with its line, its path and the nearest legal word."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.connectors import DocumentFaults, Fault, load
from tests.core.connectors.support import CREDENTIALS, FACTS, LIBRARY, NOW
from tests.core.connectors.test_requests import document

SANDBOX = (LIBRARY / "sandbox_md5.yaml").read_text()


def faults(text: str) -> tuple[Fault, ...]:
    with pytest.raises(DocumentFaults) as caught:
        load(text)
    return caught.value.faults


def only(text: str) -> Fault:
    (fault,) = faults(text)
    return fault


def test_every_fault_is_reported_at_once() -> None:
    text = """\
connector: Sample
name: Sample
credentials: [key]
sign: { steps: md5 | hex | uper }
reads: { attempt_no: no }
answers: { ok: { code: 0 } }
create:
  path: create
  fields:
    no: $attemptno
  pay: { link: url }
querry: { path: /q }
"""
    found = [(fault.line, fault.path, fault.found) for fault in faults(text)]
    assert found == [
        (1, "connector", "“Sample”"),
        (4, "sign.steps", "“uper”"),
        (8, "create.path", "“create”"),
        (10, "create.fields.no", "“$attemptno”"),
        (11, "create.pay", "nothing"),
        (11, "create.pay.link", "an unknown name"),
        (12, "querry", "an unknown name"),
    ]


@pytest.mark.parametrize(
    ("text", "path", "word"),
    [
        (document(sign="{ steps: md5 | hex | uper }"), "sign.steps", "upper"),
        (document(boddy="json"), "boddy", "body"),
        (document(body="jsno"), "body", "json"),
        (document(create="{ path: /c, fields: { a: $amout }, pay: { url: u } }"),
         "create.fields.a", "amount"),
        (document(states="{ OK: payed }"), "states.OK", "paid"),
    ],
)  # fmt: skip
def test_the_nearest_legal_word_is_suggested(text: str, path: str, word: str) -> None:
    fault = only(text)
    assert fault.path == path
    assert f"did you mean “{word}”?" in fault.expected


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("name: a\nname: b\n", 2, "the name a second time"),
        ("name: &x a\n", 1, "the anchor &x"),
        ("name: *x\n", 1, "the alias *x"),
        ("name: !!python/object:os.system a\n", 1, "the tag"),
        ("a: 1\n---\nb: 2\n", 2, "a second document"),
        ("a:\n\t- b\n", 2, "found character"),
        ("a: [1, 2\n", 2, "expected ',' or ']'"),
        ("? [a]\n: b\n", 1, "a list as a name"),
        ('a: "\\ud800"\n', 1, "a character that cannot be in a text"),
        ('a: "\\UFFFFFFFF"\n', 1, "a character that cannot be in a text"),
        ("a: 1\nb: \x00\n", 2, "a character that cannot be in a text"),
        ("", 1, "an empty document"),
        ("- a\n", 1, "no table"),
        ("a: " + "[" * 40, 1, "deeper nesting"),
        ("a: [" + "b, " * 200 + "]", 1, "a longer list"),
        ("".join(f"a{i}: b\n" for i in range(200)), 101, "more names"),
        ("a: " + "x" * 20_000, 1, "a longer text"),
        ("#" * 70_000, 1, "a longer text"),
    ],
    ids=range(18),
)
def test_form_is_checked_with_lines_and_limits(text: str, line: int, found: str) -> None:
    first = faults(text)[0]
    assert first.line == line
    assert first.found.startswith(found)


def test_values_are_text_whatever_yaml_makes_of_them() -> None:
    for code in ("0", '"0"', "'0'"):
        load(document(answers=f"{{ ok: {{ code: {code} }} }}"))
    assert load(document(name="no")).name == "no"
    assert load(document(name="2026-01-02")).name == "2026-01-02"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"credentials": "[amount, key]"}, "credentials"),
        ({"credentials": "[Key, key]"}, "credentials"),
        ({"credentials": "[key, key]"}, "credentials"),
        ({"credentials": "key"}, "credentials"),
        ({"credentials": "[]"}, "sign"),
        ({"sign": "{ steps: md5 }"}, "sign.steps"),
        ({"sign": "{ text: $amount }", "language": "2"}, "language"),
        ({"sign": "{ text: $parms }"}, "sign.text"),
        ({"sign": "{ steps: rsa-sha256 $key | base64 }"}, "verify"),
        ({"values": "{ amount: a }"}, "values.amount"),
        ({"tables": "{ t: { a: b } }", "fields": "{ x: $subject | lookup u }"}, "fields.x"),
        ({"headers": "{ 'X Y': a }"}, "headers.X Y"),
        ({"headers": "{ X: $body }"}, "headers.X"),
        ({"headers": "{ X: $signature }", "sign": "none",
          "answers": "{ signed: false, ok: { a: b } }"}, "headers.X"),
        ({"callback": "{ open: { text: '$body.sealed | unbase64 | aes-ecb-open $key | utf8' },"
          " verify: { text: '${header.X}' }, success: a, failure: b }",
          "states": "{ A: closed }"}, "callback.open.text"),
        ({"fields": "{ x: { $json: { a: b }, c: d } }"}, "fields.x.$json"),
        ({"fields": "{ x: $now | md5 }"}, "fields.x"),
        ({"fields": "{ x: $subject | md5 }"}, "fields.x"),
        ({"hosts": "['*']"}, "hosts"),
        ({"answers": "{ ok: { code: 0 }, refused: [0] }"}, "answers.refused"),
        ({"answers": "{ ok: { code: 0 }, refused: [7], not_found: [7] }"}, "answers.not_found"),
        ({"reads": "{ attempt_no: data.no }"}, "reads.attempt_no"),
        ({"reads": "{ attempt_no: sign }"}, "reads.attempt_no"),
        ({"query": "{ path: /q }", "states": "{ A: closed }"}, "query.reads"),
        ({"states": "{ '': paid }"}, "states."),
        ({"sandbox_only": "maybe"}, "sandbox_only"),
        ({"fixtures": "{ cases: [{ read: create, gives: accepted }] }"},
         "fixtures.cases[1].body"),
        ({"fixtures": "{ cases: [{ read: refund, body: a, gives: b }] }"},
         "fixtures.cases[1].read"),
        ({"fixtures": "{ cases: [{ about: nothing }] }"}, "fixtures.cases[1]."),
        ({"fixtures": "{ now: 2026-01-02 }"}, "fixtures.now"),
        ({"fixtures": "{ attempt: { amount: 1.234 } }"}, "fixtures.attempt.amount"),
    ],
)  # fmt: skip
def test_meaning_is_checked(changes: dict[str, str], path: str) -> None:
    assert path in {fault.path for fault in faults(document(**changes))}


def test_nothing_unsigned_may_decide() -> None:
    text = SANDBOX.replace(
        "answers:\n", "sign: { params: { without: [paid_amount] } }\nanswers:\n", 1
    )
    assert "reads.paid" in {fault.path for fault in faults(text)}
    # Unsigned answers may be nested, but a callback is always signed, at its root.
    nested = SANDBOX.replace("answers:\n", "answers:\n  signed: false\n", 1)
    nested = nested.replace("paid: paid_amount", "paid: data.paid_amount")
    assert {fault.path for fault in faults(nested)} == {"reads.paid"}


def test_what_is_absent_is_not_offered() -> None:
    connector = load(document())
    assert connector.operations == {"create"}
    assert connector.credential_names == ("base_url", "key")
    assert not connector.create_is_idempotent
    assert not connector.not_found_is_final
    assert not connector.sandbox_only
    everything = {"create", "query", "close", "refund", "refund_query", "balance", "callback"}
    assert load(SANDBOX).operations == everything


@pytest.mark.parametrize(
    ("answers", "path"),
    [
        ("refused_statuses: [500]", "answers.refused_statuses"),
        ("refused_statuses: [502, 200]", "answers.refused_statuses"),
        ("refused_statuses: [409]", "answers.refused_statuses"),
        ("not_found_statuses: [429]", "answers.not_found_statuses"),
        ("faults: [503]", "answers.faults"),
        ("statuses: [200, 400], faults: [400]", "answers.statuses"),
        ("refused_statuses: [404], not_found_statuses: [404]", "answers.refused_statuses"),
        ("statuses: [500]", "answers.statuses"),
    ],
)
def test_no_broken_server_and_no_doubt_is_a_promise(answers: str, path: str) -> None:
    text = document(answers=f"{{ ok: {{ code: 0 }}, {answers} }}")
    assert path in {fault.path for fault in faults(text)}


@pytest.mark.parametrize(
    "create",
    [
        "{ path: /c, by: payer, body: json }",
        "{ path: /c, by: payer, sign: { field: none } }",
        "{ path: '/c?k=${key}', by: payer }",
        "{ path: /c, by: payer, fields: { a: $hashed } }",
        "{ path: /c, by: payer, fields: { a: $password } }",
    ],
)
def test_what_a_payer_brings_is_a_form_without_secrets(create: str) -> None:
    text = document(
        create=create, credentials="[key, password]", values="{ hashed: $key | md5 | hex }"
    )
    assert {fault.path.partition(".")[0] for fault in faults(text)} == {"create"}


def test_a_part_of_what_came_is_not_the_whole_of_it() -> None:
    rule = (
        '{ from: json, verify: { text: "${body | cut 10}", steps: hmac-sha256 $key | hex,'
        " from: header.X-S }, success: ok, failure: no }"
    )
    text = document(
        reads="{ attempt_no: no, upstream_no: id, state: s, paid: p }", states="{ A: paid }",
        answers="{ signed: false, ok: { code: 0 } }", callback=rule,
    )  # fmt: skip
    assert "reads.attempt_no" in {fault.path for fault in faults(text)}


MEANT = "{ reads: { attempt_no: no, upstream_no: id, state: s, paid: p }, states: { A: paid }, "
UNSIGNED = "{ signed: false, ok: { code: 0 } }"


@pytest.mark.parametrize(
    ("changes", "path", "instead"),
    [
        ({"states": "{ '*': paid }", "query": "{ path: /q }"}, "states.*", "each word by itself"),
        ({"callback": MEANT.replace("A: paid", "'*': paid") + "success: a, failure: b }"},
         "callback.states.*", "{ '*': ignore } is for every other"),
        ({"answers": "{ ok: { code: 0 }, refused: ['*'] }"}, "answers.refused", "each word"),
        ({"answers": "{ ok: { code: 0 }, not_found: [7, '*'] }"}, "answers.not_found", "each word"),
        ({"create": "{ path: /c, pay: { from: u, by: k, kinds: { '*': url } } }"},
         "create.pay.kinds.*", "each word"),
        ({"callback": MEANT + "then: query, success: a, failure: b }"}, "callback.then", "`query`"),
        ({"callback": MEANT + "success: 'OK ${attempt_no}', failure: b }"}, "callback.success",
         "replies know no values"),
        ({"callback": MEANT + "success: $attempt_no, failure: b }"}, "callback.success",
         "replies know no values"),
        ({"callback": MEANT + "success: a, failure: { body: '${body.no' } }"},
         "callback.failure.body", "replies know no values"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_a_fault_that_says_what_to_write(
    changes: dict[str, str], path: str, instead: str
) -> None:
    found = {f.path: f.expected for f in faults(document(**{"answers": UNSIGNED, **changes}))}
    assert instead in found[path]


def test_every_other_word_may_be_ignored_and_a_dollar_may_be_said() -> None:
    states = MEANT.replace("A: paid", "A: paid, '*': ignore")
    load(document(answers=UNSIGNED, callback=states + "success: '5$', failure: '$1 {a}' }"))


@pytest.mark.parametrize(
    ("changes", "path", "instead"),
    [
        ({"fields": """{ d: '{"a":"${subject}"}' }"""}, "fields.d", "{ $json: { … } }"),
        ({"fields": """{ d: ' [ "${subject}" ] ' }"""}, "fields.d", "${subject | json} without"),
        ({"fields": """{ d: { e: ['info={"a":"${subject | cut 9}"}'] } }"""}, "fields.d.e",
         "${subject | cut 9 | json} without quotes"),
        ({"fields": """{ d: { $json: { e: '{"a":"${subject | xml}"}' } } }"""},
         "fields.d.$json.e", "${subject | xml | json}"),
        ({"fields": "{ d: '<a>${subject | json}</a>' }"}, "fields.d", "${subject | json | xml}"),
        ({"headers": """{ X: '{"a":"${subject}"}' }"""}, "headers.X", "${subject | json} without"),
        ({"values": """{ v: '{"a":"${subject}"}' }"""}, "values.v", "${subject | json} without"),
        ({"create": """{ path: /c, pay: { app: { text: '{"a":"${body.id}"}' } } }"""},
         "create.pay.app.text", "${body.id | json} without"),
        ({"create": "{ path: '/c?t=${subject}', pay: { url: u } }"}, "create.path",
         "${subject | url}"),
        ({"create": "{ path: '/c?t=${w}', pay: { url: u } }",
          "values": "{ v: 'for ${subject}', w: '${v}!' }"}, "create.path", "${w | url}"),
        ({"create": "{ path: /c, pay: { url: { text: '${body.u}&t=${subject}' } } }"},
         "create.pay.url.text", "${subject | url}"),
    ],
)  # fmt: skip
def test_what_somebody_wrote_cannot_end_the_text_it_stands_in(
    changes: dict[str, str], path: str, instead: str
) -> None:
    found = {f.path: f.expected for f in faults(document(**{"answers": UNSIGNED, **changes}))}
    assert instead in found[path]


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("""'{"amount":"${amount}","title":${subject | json}}'""",
         {"amount": "12.34", "title": 'Tea","amount":"0.01'}),
        ("{ $json: { amount: $amount, title: $subject } }",
         {"amount": "12.34", "title": 'Tea","amount":"0.01'}),
    ],
)  # fmt: skip
def test_what_is_escaped_stays_in_its_text(text: str, body: dict[str, str]) -> None:
    create = f"{{ path: /c, body: json, fields: {{ data: {text} }}, pay: {{ url: u }} }}"
    facts = replace(FACTS, subject='Tea","amount":"0.01')
    request = load(document(create=create)).build("create", facts, CREDENTIALS, now=NOW, nonce="n")
    assert json.loads(json.loads(request.body)["data"]) == body


def test_what_was_encoded_before_may_stand_in_an_address() -> None:
    load(document(
        answers=UNSIGNED, values="{ v: 'for ${subject | url}' }",
        create="{ path: '/c?t=${v}', pay: { url: { text: '${body.u}&t=${subject | url}' } } }",
    ))  # fmt: skip


def test_a_prefix_in_brackets_is_no_json() -> None:
    load(document(fields="{ title: '[Shop] ${subject}', note: '${subject} <3' }"))
