"""Numbers of orders in what people write, over all that a merchant may use as one."""

from __future__ import annotations

import re
import string
from random import Random

import pytest

from handlers.commands import parse
from handlers.money.words import Advances
from handlers.orders.numbers import MAX_WORDS, numbers_in, numbers_replied_to, numbers_said
from handlers.orders.words import Complete, LookUp
from tests.handlers.order_support import SAID_TO, full_width, legal_numbers

NUMBER = "P2J0001PQ8WKRZQMHM1I"
OTHER = "A2J0001H3MTZK13STJSX"
SENTENCES = (
    "请帮查一下 {} 谢谢", "老板，{}，客户说付了", "{} 这单没到", "please look at {} for me",
    "单号：{}", "订单号 {}，没到账", "order no. {}: has it been paid?", "（{}）", "“{}”到了吗",
    "第一行\n{}\n第三行",
)  # fmt: skip


def named(text: str) -> list[str]:
    """The likeliest readings of the words of a look-up; nothing where it is none."""
    intent = parse(text)
    if not isinstance(intent, LookUp):
        return []
    return [number for word in intent.words for number in word.readings[0]]


@pytest.mark.parametrize("number", ["00123", "ABC-1", "A_1|2.3", "x", "-", "7", "a" * 64])
def test_whatever_a_merchant_may_use_is_asked_for_by_a_command(number: str) -> None:
    for said in SAID_TO:
        assert named(said.format(number)) == [number], said
    for said in ("补单 {} 已确认", "补单：{}， 已确认", "/complete {} 已确认"):
        assert parse(said.format(number)) == Complete(number, "已确认"), said


def test_three_thousand_legal_numbers_are_read_behind_a_command() -> None:
    random = Random(20261129)
    seen = 0
    for number in legal_numbers(random, 3000):
        said = random.choice(SAID_TO)
        assert named(said.format(number)) == [number], (said, number)
        assert named(said.format(full_width(number))) == [number], (said, number)
        hidden = "\u200b".join(number)
        assert named(f"/order \ufeff{hidden}\u200e") == [number]
        seen += 1
    assert seen == 3000


def stands_out(number: str) -> bool:
    """As docs/bot.md says it, written a second time."""
    bare = number.strip("._|-")
    if not any(c in string.digits for c in bare):
        return False
    if set(bare) <= set(string.digits):
        return len(bare) >= 8 or (bare[0] == "0" and len(bare) >= 6)
    unit = "u|rmb|cny|usdt?|eur|gbp|hkd|jpy|kwd"
    if re.fullmatch(rf"\d{{1,15}}(\.\d\d?\d?)?[kw]?({unit})?", bare, re.IGNORECASE):
        return False  # an amount
    dated = re.fullmatch(r"([0-9]{4}[-.])?[0-9]{1,2}([-.][0-9]{1,2})?", bare)
    marked = any(c.isalpha() for c in bare) and any(c in "._|-" for c in bare)
    return len(bare) >= (5 if marked else 6) and not dated


def test_three_thousand_legal_numbers_in_sentences() -> None:
    random = Random(42)
    found = 0
    for number in legal_numbers(random, 3000):
        sentence = random.choice(SENTENCES[:4])
        read = [n for w in numbers_in(sentence.format(number)) for r in w.readings for n in r]
        assert (number in read) == stands_out(number), (sentence, number)
        found += number in read
    assert found > 1500


def test_the_end_of_a_chinese_sentence_parts_numbers() -> None:
    for text in ("ABC-123456。XYZ-654321。", "查单 ABC-123456。XYZ-654321"):
        assert named(text) == ["ABC-123456", "XYZ-654321"]


def test_two_in_one_line_are_two() -> None:
    random = Random(7)
    legal = legal_numbers(random, 600)
    outstanding = [n for n in legal if stands_out(n) and n[0] != "-"]  # which begins a take-back
    for one, two in zip(outstanding[::2], outstanding[1::2], strict=False):
        if one == two:
            continue
        for between in (",", "，", " ", "、", ";", "\n", " / ", "，\n"):
            assert named(f"{one}{between}{two}") == [one, two]
            assert named(f"/order {one}{between}{two}") == [one, two]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_our_own_number_is_found_wherever_it_stands(sentence: str) -> None:
    assert named(sentence.format(NUMBER)) == [NUMBER]
    assert named(sentence.format(NUMBER.lower())) == [NUMBER.lower()]
    assert named(sentence.format(f"{NUMBER}，{OTHER}")) == [NUMBER, OTHER]
    assert named(sentence.format(full_width(NUMBER))) == [NUMBER]
    wrong = NUMBER[:-1] + ("A" if NUMBER[-1] != "A" else "B")
    assert not any(word.ours for word in numbers_in(sentence.format(wrong)))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (f"单号{NUMBER}谢谢", NUMBER),
        (f"https://pay.example/pay/{NUMBER}?lang=zh", NUMBER),
        (f"out_trade_no={NUMBER}&sign=abc", NUMBER),
        (f"{NUMBER}@", NUMBER),
        ("单号：00123", "00123"),
        ("订单号是 ABC-1，没到", "ABC-1"),
        ("order no: 77", "77"),
        ("00123", "00123"),
        ("ABC-1", "ABC-1"),
        ("A_1|2.3", "A_1|2.3"),
        ("ＡＢＣ－１", "ABC-1"),
        ("ABC–1", "ABC-1"), ("请查 ABC-1 谢谢", "ABC-1"),
        ("单号 SHOP-12345.", "SHOP-12345."),
    ],
)  # fmt: skip
def test_what_stands_out(text: str, number: str) -> None:
    assert named(text) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "1", "12", "666", "1234", "10000", "100.00", "1.5k", "5万", "好的", "ok1", "+1 同意",
        "11-20 的账单发我", "今天 2026-11-20 有几笔", "打款 100000 了", "转了 20000000元",
        "¥12345678", "写信给 a1234567@shop.example", "涨了 12345678%", "hello there", "A1 B2",
        "+1000", "-500", "+8613800138000", "M1 和 S1", "M1001 到了吗", "AB-1 到了吗",
    ],
)  # fmt: skip
def test_chat_and_money_look_nothing_up(text: str) -> None:
    assert named(text) == []


def test_marks_around_a_number_are_not_the_number() -> None:
    (word,) = numbers_in("see SHOP-12345.")
    assert word.meant({"SHOP-12345"}) == ("SHOP-12345",)
    assert word.meant({"SHOP-12345."}) == ("SHOP-12345.",)
    assert word.meant(()) == ("SHOP-12345",)
    (word,) = numbers_in("see A1-_x1_. now")
    assert word.meant({"A1-_x1_"}) == ("A1-_x1_",)
    (word,) = numbers_said("SHOP-1|SHOP-2")
    assert word.meant({"SHOP-1", "SHOP-2"}) == ("SHOP-1", "SHOP-2")
    assert word.meant({"SHOP-1|SHOP-2", "SHOP-1"}) == ("SHOP-1|SHOP-2",)
    (word,) = numbers_in(f"{NUMBER}_M1001")
    assert word.meant({NUMBER}) == (NUMBER,)


def test_a_message_that_is_replied_to_gives_what_stands_out_in_it_or_else_all_with_a_digit() -> (
    None
):
    assert [w.text for w in numbers_replied_to(f"A1: {NUMBER} 100.00")] == [NUMBER]
    assert [w.text for w in numbers_replied_to("看看 A1 吧 ok")] == ["A1"]
    assert numbers_replied_to("谢谢") == ()


def test_a_message_has_so_many_numbers_at_most() -> None:
    many = ",".join(f"SHOP-{number:05}" for number in range(100))
    assert len(numbers_in(many)) == len(numbers_said(many)) == MAX_WORDS
    assert [w.text for w in numbers_in("SHOP-00001 SHOP-00001")] == ["SHOP-00001"]


def test_a_line_of_money_is_never_a_look_up() -> None:
    for number in legal_numbers(Random(3), 300):
        assert not isinstance(parse(f"+1000 {number}x"), LookUp)
    assert isinstance(parse("+1000 SHOP-12345"), Advances)
