"""A Chinese chat holds no English of ours: no sentence, no state, no code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.delivery.outbox import Say, Stored
from core.people.desk_settings import SETTINGS
from core.people.people import RIGHTS
from core.supply.channels import REASONS, Choice, Reason
from core.system.settings import Settings
from core.trade.orders.lifecycle import ATTEMPT_NEXT
from handlers.kit.refusals import NAMED
from handlers.kit.screen import age
from handlers.kit.vocabulary import WORDS, word
from handlers.kit.whys import WHYS, kept_reason, why_words
from handlers.screens import INSTANTS, Screen, refusal_words, render_card, render_say
from tests.codes import REFUSALS
from tests.handlers.kit.test_sheets import all_of
from tests.handlers.telegram_html import read_html
from tests.handlers.test_screens import ATTEMPT, CONTEXT, EXAMPLES, STATES, orders_of
from tests.handlers.written import AT, HOSTILE

CORE = Path(__file__).parents[2] / "core"
NAME = "云杉"
# What people type or read as a name: currencies, files, protocols, zones, and what is written in
# documents.
ALLOWED = frozenset({
    "CNY", "USD", "KWD", "USDT", "u", "HTTP", "JSON", "XML", "UTF-8", "API", "KB", "MB", "GET",
    "POST", "https", "M", "S", "Accept", "Excel", "CSV", "csv", "xlsx", "yaml", "UTC", "Asia",
    "Shanghai",
    "Europe", "Berlin", "Paydesk", "Telegram", "English", "zh", "en", "alipay_qr", "Alipay",
    "QR", "epay", "app", "base_url", "key", "mch_id", "channel-x", "gone", "C", "Webhook", "Python",
    "PostgreSQL", "Redis", "aiogram", "IP", "OpenAPI",
    "BotFather", "token", "NTP", "_", "paydesk-demo", *SETTINGS, *RIGHTS,
    *(name.upper() for name in Settings.model_fields),
})  # fmt: skip
SHAPES = (
    re.compile(r"[A-Z]{1,3}\d+(-\d+)?"),  # a number: P1, M1001-3, C01
    re.compile(r"P[0-9A-Z]{19}"),  # an order's whole number
    re.compile(r"tg-\d+"),
    re.compile(r"v\d+|document_of_some_length_\d+"),
    re.compile(r"p{12,32}\d?"),  # the longest code of a product
    re.compile(r"db8"),  # of an address, 2001:db8::1
    re.compile(r"pdk_(live|test)_[0-9a-z]+|pk_(live|test)_\d"),  # a key's number
    re.compile(r"TRC20|ERC20|T[1-9A-HJ-NP-Za-km-z]{33}|0?x[0-9A-Fa-f]{40}"),  # an address
    re.compile(r"([a-z])\1.*|x\d"),  # what the examples have in the place of long names
)
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
TYPED = re.compile(
    r"https?://\S+"
    r"|/[a-z_]+[^·、，。（）()\n]*"  # a command, with what follows it
    r"|(?m:^\w+ = )"  # what a document calls a value
    r"|(?:callback|query) …|P…|T…|python -m bot [a-z-]+|reference data not read"
    r"|“job failed”|· message ·|Paydesk-Timestamp|Content-Encoding|\{\w+\}"
)
# What people wrote into the examples, whole or with its end cut off.
CLIPPED = re.compile(re.escape(HOSTILE[:12]) + r".*?(?:…|\u202e)")
LONG_DECIMALS = re.compile(r"\d\.\d{4,}")


def in_chinese(facts: Any) -> Any:
    """The facts with Chinese where people wrote something."""
    match facts:
        case dict():
            return {name: in_chinese(value) for name, value in facts.items()}
        case list():
            return [in_chinese(value) for value in facts]
        case str():
            return NAME if facts == "x" else facts.replace(HOSTILE, NAME)
    return facts


def english_in(text: str) -> set[str]:
    """Words in it that nobody who reads Chinese alone would know."""
    return {
        word
        for word in WORD.findall(TYPED.sub(" ", CLIPPED.sub(NAME, text)))
        if word not in ALLOWED and not any(shape.fullmatch(word) for shape in SHAPES)
    }


def read(screen: Screen) -> str:
    """The text of a screen and of its buttons."""
    rows = screen.keyboard.inline_keyboard if screen.keyboard else []
    return "\n".join([read_html(screen.html), *(b.text for row in rows for b in row)])


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_no_screen_speaks_english_in_chinese(name: str) -> None:
    for facts in EXAMPLES[name]:
        text = read(render_say(Say(Stored(name, in_chinese(facts))), "zh"))
        if name == "usage":  # it holds what is typed, beside one sentence
            text = text.splitlines()[0]
        assert english_in(text) == set(), text
        if name != "sum":  # its digits are what somebody asked for
            assert not LONG_DECIMALS.search(text), text


def test_no_card_and_no_bill_speaks_english_in_chinese() -> None:
    cards = [
        render_card(order, [replace(ATTEMPT, said=said)], CONTEXT, "zh")
        for state in STATES
        for order in orders_of(state)
        for said in ("", "not found", "never_sent: no connection in time")
    ]
    for screen in [*cards, *all_of("zh")]:
        text = read(screen).replace("Northwind", NAME)
        assert english_in(text) == set(), text
        assert not LONG_DECIMALS.search(text), text


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_no_refusal_speaks_english_in_chinese(code: str) -> None:
    plain = {"status": "paid", "zone": "Asia/Shanghai"}
    facts = {
        name: next(iter(WORDS[NAMED[name]]))
        if name in NAMED
        else AT.isoformat()
        if name in INSTANTS
        else plain.get(name, "7")
        for name in ("zone", *re.findall(r"\{(\w+)\}", REFUSALS[code].text))
    }
    text = refusal_words(code, facts, "zh")
    assert english_in(text) == set(), text


def sentences_of_core() -> Iterator[tuple[str, str]]:
    """(where, what) of each reason that core writes of its own, with samples for its facts."""
    for path in sorted(CORE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            where = f"{path.relative_to(CORE)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else ""
                place = REASON_OF.get(name)
                given = [] if place is None else node.args[place : place + 1]
            elif isinstance(node, ast.Return) and says_why_by_itself(path):
                cut = node.value.value if isinstance(node.value, ast.Subscript) else node.value
                given = [cut] if isinstance(cut, ast.JoinedStr) else []
            else:
                continue
            for one in given:
                said = sample(one)
                if said is not None and " " in said:
                    yield where, said


def expectations_of_core() -> Iterator[tuple[str, str]]:
    """(where, what) of each word of core about what a field is expected to be."""
    for path in sorted(CORE.rglob("*.py")):
        if "connectors" in path.parts:  # faults of documents: their own language is English
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            given: list[ast.expr] = []
            if isinstance(node, ast.Call):
                given = [one.value for one in node.keywords if one.arg == "expected"]
                if isinstance(node.func, ast.Name) and node.func.id == "wrong":
                    given = node.args[:1]
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "expected":
                given = [node.value]
            for one in given:
                for said in filter(None, map(sample, branches(one))):
                    yield f"{path.relative_to(CORE)}:{getattr(node, 'lineno', 0)}", said


def branches(node: ast.expr) -> list[ast.expr]:
    """What an expression may be, where that hangs on a condition."""
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]


def says_why_by_itself(path: Path) -> bool:
    """Whether its functions give a reason back, for others to raise."""
    return path.name == "gateway.py" or path.parent.name == "readings"


def sample(node: ast.expr) -> str | None:
    """A literal's text, `7` for each fact in it."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(str(p.value) if isinstance(p, ast.Constant) else "7" for p in parts)
    return None


# Who carries a reason in words, and which of its arguments that is.
REASON_OF = {
    "DoubtError": 0, "UnreadableError": 0, "ValueFault": 0, "TokenRefused": 0, "NeverSent": 0,
    "Uncallable": 0, "MayHaveHappened": 0, "InvalidCallback": 0, "Unknown": 0, "Standing": 1,
    "Balance": 1,
}  # fmt: skip


def test_every_reason_of_ours_is_said_in_chinese() -> None:
    found = list(sentences_of_core())
    assert len(found) > 60
    untold = [(where, said) for where, said in found if english_in(why_words(said, "zh"))]
    assert untold == []


def test_every_expectation_is_said_in_chinese() -> None:
    found = list(expectations_of_core())
    assert len(found) > 10
    for where, said in found:
        if said == "on | off":  # what is typed
            continue
        text = refusal_words("field_invalid", {"param": "name", "expected": said}, "zh")
        assert english_in(text) == set(), (where, text)


@pytest.mark.parametrize("code", REASONS)
def test_why_no_channel_takes_an_order_is_said_in_chinese(code: str) -> None:
    facts = dict.fromkeys(re.findall(r"\{(\w+)\}", REASONS[code]), "7")
    reasons = (
        Reason("C01", code, facts),
        Reason("C02", "real"),
        Reason("C03", "refused", {"said": "closed"}),
    )
    for refusal in (Choice((), reasons).refusal("alipay_qr"), Choice((), ()).refusal("alipay_qr")):
        text = refusal_words(refusal.code, refusal.facts, "zh")
        assert english_in(text) == set(), text


def test_each_field_that_core_refuses_has_a_name() -> None:
    """But for credentials, which a document names."""
    params = {
        one.value.value
        for path in CORE.rglob("*.py")
        if "connectors" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for one in node.keywords
        if one.arg == "param"
        and isinstance(one.value, ast.Constant)
        and isinstance(one.value.value, str)
    }
    assert {one for one in params if "." not in one} - set(WORDS["field"]) == set()


@pytest.mark.parametrize("sentence", WHYS)
def test_a_kept_reason_is_read_back_whatever_its_facts_are(sentence: str) -> None:
    said = re.sub(r"\{\w+\}", "云.杉", sentence)
    assert why_words(said, "en") == said
    text = why_words(said, "zh")
    assert english_in(text) == set()
    left_out = "{what}" in sentence or "{places}" in sentence  # a word of ours, said otherwise
    assert text.count("云.杉") == sentence.count("{") or left_out
    assert kept_reason(f"C01: refused: {said}", "zh").startswith("C01: ")
    assert english_in(kept_reason(f"C01: refused: never_sent: {said}", "zh")) == set()


def test_what_a_supplier_says_itself_stays_as_it_is() -> None:
    for said in ("E1001: no such merchant", "余额不足", "closed!"):
        assert why_words(said, "zh") == said
    for said in ("1001 closed", "closed", "paid", "not found"):  # the last ones are ours as well
        assert why_words(f"the supplier says: {said}", "zh") == f"供应商答复：{said}"


def test_every_state_that_is_kept_has_a_word() -> None:
    attempts = {state for state, _ in ATTEMPT_NEXT} | set(ATTEMPT_NEXT.values())
    assert attempts == set(WORDS["attempt"])
    for context, words in WORDS.items():
        for key in words:
            assert english_in(word(context, key, "zh")) == set(), key


@pytest.mark.parametrize(
    ("minutes", "zh", "en"),
    [(0, "0 分钟", "0 minutes"), (59, "59 分钟", "59 minutes"), (60, "1 小时", "1 hour"),
     (2879, "47 小时", "47 hours"), (2880, "2 天", "2 days")],
)  # fmt: skip
def test_an_age_is_told_in_its_own_unit(minutes: int, zh: str, en: str) -> None:
    assert (age(minutes, "zh"), age(minutes, "en")) == (zh, en)
