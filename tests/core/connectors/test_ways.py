"""Ways to pay: by the channel's code, brought by the payer, made of the answer, out of a page."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from core.connectors import Accepted, Connector, CreateReading, HttpAnswer, Pay, Unknown, load
from core.kernel.errors import Bug
from tests.core.connectors.support import CREDENTIALS, FACTS, KEY, NOW, answer, signature
from tests.core.connectors.test_loader import faults
from tests.core.connectors.test_requests import UNSIGNED, document

WAYS = """
  path: /pay
  fields: { no: $attempt_no, detail: { $json: { amount: $amount, deep: { a: one, b: two } } } }
  ways:
    qr: { path: /qr, fields: { detail: { $json: { deep: { b: other } } } }, pay: { qr: qr_text } }
    page: { by: payer, method: GET }
    post: { by: payer, fields: { note: a&b } }
    app: { by: payer, pay: app }
    scanned: { fields: { who: $payer_id }, reads: { attempt_no: none }, pay: none }
"""


def created(connector: Connector, body: object, code: str = "alipay_qr") -> CreateReading:
    facts = replace(FACTS, channel_code=code)
    return connector.read_create(answer(body), facts, CREDENTIALS, now=NOW, nonce="n")


def paid_with(pay: str, body: object, **changes: str) -> CreateReading:
    create = f"{{ path: /c, reads: {{ attempt_no: none }}, pay: {pay} }}"
    parts = {"answers": "{ signed: false, ok: { code: 0 } }", "create": create, **changes}
    return created(load(document(**parts)), body)


def test_each_code_has_its_own_way_on_what_is_said_for_all() -> None:
    connector = load(document(create=WAYS, answers=UNSIGNED))
    assert connector.ways == {"qr", "page", "post", "app", "scanned"}
    sent = {}
    for code in connector.ways:
        facts = replace(FACTS, channel_code=code, payer_id="o-1")
        request = connector.build("create", facts, CREDENTIALS, now=NOW, nonce="n")
        text = request.body.decode() or urlsplit(request.url).query
        sent[code] = dict(parse_qsl(text, strict_parsing=True))
        assert sent[code].pop("sign") == signature(sent[code])
        assert sent[code]["no"] == FACTS.attempt_no
    assert json.loads(sent["qr"]["detail"]) == {
        "amount": "12.34",
        "deep": {"a": "one", "b": "other"},
    }
    assert json.loads(sent["page"]["detail"])["deep"] == {"a": "one", "b": "two"}
    assert sent["scanned"]["who"] == "o-1"
    nothing = Unknown("accepted, but there is nothing to pay with")
    assert created(connector, {"code": "0", "no": FACTS.attempt_no}, "qr") == nothing
    assert created(connector, {"code": "0"}, "scanned") == Accepted(None, Pay("none", ""))
    with pytest.raises(Bug, match="create"):
        connector.build("create", FACTS, CREDENTIALS, now=NOW, nonce="n")


def test_a_star_is_every_other_code() -> None:
    ways = '{ path: /p, ways: { a: { pay: { qr: q } }, "*": { pay: { url: u } } } }'
    connector = load(document(create=ways, answers=UNSIGNED))
    assert connector.ways == frozenset()
    said = {"code": "0", "no": FACTS.attempt_no, "q": "QR", "u": "https://pay.example/"}
    assert created(connector, said, "a") == Accepted(None, Pay("qr", "QR"))
    assert created(connector, said, "b") == Accepted(None, Pay("url", "https://pay.example/"))


def test_what_the_payer_brings_is_the_signed_request_itself() -> None:
    connector = load(document(create=WAYS, answers=UNSIGNED))

    def handed(code: str) -> Pay:
        facts = replace(FACTS, channel_code=code)
        assert connector.sent_by_payer(facts)
        return connector.hand_over(facts, CREDENTIALS, now=NOW, nonce="n")

    page = handed("page")
    assert page.kind == "url"
    assert page.value.startswith("http://127.0.0.1:9/pay?no=")
    fields = dict(parse_qsl(urlsplit(page.value).query, strict_parsing=True))
    assert fields.pop("sign") == signature(fields)
    post = handed("post")
    form = json.loads(post.value)
    assert (post.kind, form["action"]) == ("form", "http://127.0.0.1:9/pay")
    assert form["fields"]["note"] == "a&b"
    assert form["fields"].pop("sign") == signature(form["fields"])
    app = handed("app")
    assert app.kind == "app"
    assert dict(parse_qsl(app.value, strict_parsing=True))["no"] == FACTS.attempt_no
    assert KEY not in page.value + post.value + app.value
    assert not connector.sent_by_payer(replace(FACTS, channel_code="qr"))


def test_the_payer_brings_no_keys() -> None:
    create = "{ path: /c, by: payer, fields: { a: $attempt_no, secret: $key } }"
    assert [fault.path for fault in faults(document(create=create, answers=UNSIGNED))] == [
        "create.fields"
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("payurl", Pay("url", "https://pay.example/p")),
        ("codeUrl", Pay("qr", "https://pay.example/p")),
        ("wxapp", Pay("jsapi", "https://pay.example/p")),
    ],
)
def test_a_word_of_the_answer_says_what_the_way_is(kind: str, expected: Pay) -> None:
    by = "{ from: data, by: type, kinds: { payurl: url, codeUrl: qr, wxapp: jsapi, form: html } }"
    said = {"code": "0", "data": "https://pay.example/p", "type": kind}
    assert paid_with(by, said) == Accepted(None, expected)
    assert isinstance(paid_with(by, {**said, "type": "bank"}), Unknown)
    assert isinstance(paid_with(by, {**said, "data": ""}), Unknown)


def test_the_first_place_that_says_something_counts() -> None:
    assert paid_with("{ qr: [a.x, b] }", {"code": "0", "b": "B"}) == Accepted(None, Pay("qr", "B"))
    said = {"code": "0", "links": [{"rel": "self", "href": "S"}, {"rel": "pay", "href": "P"}]}
    assert paid_with("{ qr: 'links[rel=pay].href' }", said) == Accepted(None, Pay("qr", "P"))
    assert isinstance(paid_with("{ qr: 'links[rel=none].href' }", said), Unknown)


def test_what_a_page_passes_on_is_made_of_the_answer_and_signed() -> None:
    pay = (
        '{ jsapi: { fields: { time: $now, nonce: $nonce, package: "prepay_id=${body.id}" },'
        " sign: { field: paySign } } }"
    )
    reading = paid_with(pay, {"code": "0", "id": "X1"})
    assert isinstance(reading, Accepted)
    made = json.loads(reading.pay.value)
    expected = {"time": str(int(NOW.timestamp())), "nonce": "n", "package": "prepay_id=X1"}
    assert made.pop("paySign") == signature(expected)
    assert (reading.pay.kind, made) == ("jsapi", expected)


def test_an_address_may_have_something_added_and_is_looked_at_then() -> None:
    pay = '{ url: { text: "${body.u}&back=1" } }'
    said = {"code": "0", "u": "https://pay.example/?a=1"}
    hosts = "[pay.example]"
    expected = Accepted(None, Pay("url", "https://pay.example/?a=1&back=1"))
    assert paid_with(pay, said, hosts=hosts) == expected
    assert isinstance(paid_with(pay, {**said, "u": "https://evil.example/"}, hosts=hosts), Unknown)
    assert isinstance(paid_with(pay, {"code": "0"}, hosts=hosts), Unknown)


PAGE = """<html><body onload="document.forms[0].submit()"><script>steal()</script>
<form name="f" action="https://pay.example/cashier?x=1&amp;y=2" method="POST">
<input type="hidden" name="biz" value="{&quot;a&quot;:1}"><input name="n" value="&lt;b&gt;">
<input type="submit" value="go" name="go"></form></body></html>"""


def test_of_a_page_only_its_form_is_taken() -> None:
    reading = paid_with("{ html: page }", {"code": "0", "page": PAGE}, hosts="[pay.example]")
    assert isinstance(reading, Accepted)
    assert reading.pay.kind == "form"
    assert json.loads(reading.pay.value) == {
        "action": "https://pay.example/cashier?x=1&y=2",
        "fields": {"biz": '{"a":1}', "n": "<b>"},
    }


@pytest.mark.parametrize(
    "page",
    [
        "",
        "<p>no form</p>",
        PAGE + PAGE,
        PAGE.replace("pay.example", "evil.example"),
        PAGE.replace("https://pay.example/cashier?x=1&amp;y=2", "javascript:alert(1)"),
        PAGE.replace("POST", "GET"),
        PAGE.replace('name="n"', 'name="biz"'),
        PAGE + " " * 40_000,
    ],
    ids=range(8),
)
def test_a_page_that_is_not_one_plain_form_proves_nothing(page: str) -> None:
    reading = paid_with("{ html: page }", {"code": "0", "page": page}, hosts="[pay.example]")
    assert isinstance(reading, Unknown)


@pytest.mark.parametrize(
    ("create", "path"),
    [
        ("{ path: /c, ways: {} }", "create.ways"),
        ("{ path: /c, ways: { 'a b': { pay: { url: u } } } }", "create.ways.a b"),
        ("{ path: /c, ways: { a: { } } }", "create.ways.a.pay"),
        ("{ path: /c, by: nobody, pay: { url: u } }", "create.by"),
        ("{ path: /c, by: payer, pay: { url: u } }", "create.pay"),
        ("{ path: /c, pay: { from: a } }", "create.pay.from"),
        ("{ path: /c, pay: { by: a, kinds: { x: url }, url: u } }", "create.pay.url"),
        ("{ path: /c, pay: { from: a, by: a, kinds: { x: link } } }", "create.pay.kinds.x"),
        ("{ path: /c, pay: { jsapi: { sign: {} } } }", "create.pay.jsapi.fields"),
        ("{ path: /c, pay: { jsapi: { fields: { a: $now } } } }", "create.pay.jsapi.fields"),
        ("{ path: /c, pay: { app: { fields: { a: $body.x.y } } } }", "create.pay.app.fields"),
        ("{ path: /c, fields: { a: $refund_no }, pay: { url: u } }", "create.fields.a"),
        ("{ path: /c, fields: { a: $token }, pay: { url: u } }", "create.fields.a"),
    ],
)
def test_ways_that_make_no_sense_are_faults(create: str, path: str) -> None:
    assert path in {fault.path for fault in faults(document(create=create))}


def test_a_signed_answer_is_needed_for_whatever_is_made_of_it() -> None:
    create = "{ path: /c, pay: { app: { fields: { a: $body.id } } } }"
    connector = load(document(create=create))
    unsigned = {"code": "0", "no": FACTS.attempt_no, "id": "1"}
    assert created(connector, unsigned) == Unknown("the signature is wrong")
    reading = connector.read_create(
        HttpAnswer(200, {}, json.dumps({**unsigned, "sign": signature(unsigned)}).encode()),
        FACTS, CREDENTIALS, now=NOW, nonce="n",
    )  # fmt: skip
    assert reading == Accepted(None, Pay("app", '{"a":"1"}'))


def test_fields_may_be_lists_of_tables() -> None:
    create = (
        "{ path: /c, fields: { items: [{ name: $subject, many: [a, $order_no] }, b] }, pay: none }"
    )
    request = load(document(body="json", create=create)).build(
        "create", FACTS, CREDENTIALS, now=NOW, nonce="n"
    )
    items = json.loads(request.body)["items"]
    assert items == [{"name": FACTS.subject, "many": ["a", FACTS.order_no]}, "b"]


def test_a_page_that_cannot_be_understood_proves_nothing() -> None:
    said = {"code": "0", "page": '<![foo[ <form action="https://pay.example/" method="post">'}
    assert isinstance(paid_with("{ html: page }", said), Unknown)


ADDRESS = "{ url: u }"


@pytest.mark.parametrize(
    "url", ["alipays://platformapi/startapp?appId=20000067&url=https%3A%2F%2Fpay.example",
            "WEIXIN://wxpay/bizpayurl?pr=abc"],
)  # fmt: skip
def test_an_address_may_open_an_app_that_the_document_names(url: str) -> None:
    said = {"code": "0", "u": url}
    for hosts in ("[]", "[pay.example]"):
        allowed = paid_with(ADDRESS, said, hosts=hosts, apps="[alipays, weixin]")
        assert allowed == Accepted(None, Pay("url", url))
        assert isinstance(paid_with(ADDRESS, said, hosts=hosts), Unknown)
        assert isinstance(paid_with(ADDRESS, said, hosts=hosts, apps="[upwrp]"), Unknown)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "javascript://x", "data:text/html,x", "file:///etc/passwd",
            "intent://pay#Intent;end", "alipays:", "alipays://", "alipays:platformapi",
            "alipays://a b", "alipays://a\\b", "alipays://a\nb", "://x", "evil.alipays://x"],
)  # fmt: skip
def test_no_other_address_is_one(url: str) -> None:
    assert isinstance(paid_with(ADDRESS, {"code": "0", "u": url}, apps="[alipays]"), Unknown)


@pytest.mark.parametrize(
    "scheme", ["javascript", "data", "file", "https", "intent", "vbscript", "blob", "Alipays",
               "'alipays://'", "a", "1x"],
)  # fmt: skip
def test_what_a_browser_opens_itself_is_no_app(scheme: str) -> None:
    text = document(answers=UNSIGNED, apps=f"[{scheme}]")
    assert [fault.path for fault in faults(text)] == ["apps"]


def test_a_form_is_posted_to_no_app() -> None:
    page = PAGE.replace("https://pay.example/cashier", "alipays://pay")
    said = {"code": "0", "page": page}
    assert isinstance(paid_with("{ html: page }", said, apps="[alipays]"), Unknown)


@pytest.mark.parametrize("around", [" {}", "{} ", "\r\n\t{}\n", "\u3000{}\u00a0"])
def test_blanks_around_a_pay_address_are_none_of_it(around: str) -> None:
    said = {"code": "0", "u": around.format("https://pay.example/1")}
    expected = Accepted(None, Pay("url", "https://pay.example/1"))
    assert paid_with(ADDRESS, said, hosts="[pay.example]") == expected
