"""Made-up lines of money, over every command that takes an amount: what is booked is the only
reading of the whole line, or nothing is and the person hears why.

The oracle is written from the table in docs/bot.md and shares nothing with the parser: it splits a
line in every way there is, and counts the readings in which each part is what the table allows.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any, Final

from core.accounts.vouchers import Advance, convert, money_of
from core.delivery.outbox import Fact, Say
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.groups import Group
from handlers.channels.words import AskWhy, ChangeChannel, minor, read_terms
from handlers.commands import parse
from handlers.kit.intents import Intent
from handlers.money.money_lines import AdvanceLine
from handlers.money.prepayments import advance_of
from handlers.money.words import Adjust, Advances, SetCredit
from handlers.rates.words import SetRate
from tests.core.support import set_setting
from tests.handlers.support import FINANCE, SPRUCE, Desk, labelled
from texts.tariffs import parse_tariff

LINES: Final = 20_000
END_TO_END: Final = 220
GROUP_RATE: Final = Decimal("7.25")
EXPONENTS: Final = {"CNY": 2, "USD": 2, "KWD": 3, "USDT": 6}
LIMIT: Final = 100_000_000

# ── what lines are made of ──────────────────────────────────────────────────────────────────────
NUMERALS: Final = {
    "一": 1, "三": 3, "十": 10, "十五": 15, "一百": 100, "两百": 200, "三千": 3000,
    "一千零五": 1005, "一万": 10_000, "两万": 20_000, "壹萬": 10_000, "十五万": 150_000,
    "三万二千": 32_000, "一百万": 1_000_000, "一万零五百": 10_500, "二十万零三十": 200_030,
}  # fmt: skip
NO_NUMERALS: Final = ("一万五", "三千五", "十零万", "万", "一二三")
MARKS: Final = (",", "，", "'", "’", " ", "\u00a0", "\u202f", "\u3000", ".")
SCALES: Final = {
    "k": 1000, "K": 1000, "千": 1000, "w": 10_000, "W": 10_000, "万": 10_000, "萬": 10_000,
    "百万": 10**6, "千万": 10**7, "亿": 10**8,
}  # fmt: skip
CURRENCIES: Final = {
    "u": "USDT", "U": "USDT", "usdt": "USDT", "USDT": "USDT", "元": "CNY", "块": "CNY", "圆": "CNY",
    "人民币": "CNY", "RMB": "CNY", "cny": "CNY", "¥": "CNY", "￥": "CNY", "USD": "USD",
    "美元": "USD", "$": "USD", "港币": "HKD", "欧元": "EUR", "KWD": "KWD", "泰铢": "THB",
}  # fmt: skip
FRONT: Final = {"¥": "CNY", "￥": "CNY", "$": "USD", "RMB": "CNY", "USD": "USD", "USDT": "USDT"}
PLUS: Final = ("+", "＋", "➕", "﹢")
MINUS: Final = ("-", "－", "–", "−", "➖")
INVISIBLE: Final = ("\u200b", "\u200e", "\ufeff", "\u2060")
RATES: Final = {"7.2": True, "7.215": True, "0": False, "7,2": False, "7.123456789": False}
REMARKS: Final = (
    "房租", "备注：首付", "for May", "urgent", "kilo", "（三月）", "M1002 房租", "十一月",
)  # fmt: skip
MORE: Final = (
    "500", "000", "00", "-500", "/ 7.2", "+5", "* 2", "11-01", "万科", "元旦", "usd x", "u盾",
    "M1002 20", "× 3", "= 5", "(500)", "五百", "两百元 x", "乘2", "减 500", "汇率7.2", "按 7.2",
)  # fmt: skip
SPOKEN_SIGNS: Final = ("乘", "减", "汇率", "按")
QUESTIONS: Final = ("?", "？", "收到了吗", "吗", "到了没有", "ok?", "怎么还没到", "M1002 呢")
GLUED: Final = ("房租", "分钟", "%", ":30", ",5", "kg", "abc", ",")
ENDS: Final = ("!", "！", "。", ".", "~")
COMMANDS: Final = (
    "", "", "", "", "/prepay ", "/prepay\u00a0", "调账 ", "/adjust M1001 ", "授信 ", "/credit ",
    "/channel C01 daylimit ", "通道 C01 金额 ", "路由 alipay_qr ", "/rate alipay_qr 1% + ",
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A line as somebody types it. command: what stands in front; currency: of the merchant."""

    command: str
    body: str
    currency: str

    @property
    def text(self) -> str:
        return self.command + self.body


def number(dice: random.Random) -> str:
    """Digits, grouped or not, rightly or not; or a numeral."""
    if dice.random() < 0.12:
        return dice.choice([*NUMERALS, *NO_NUMERALS])
    sizes = (dice.randint(1, 9), dice.randint(10, 999), dice.randint(10**3, 10**9))
    digits = str(dice.choice(sizes))
    if dice.random() < 0.1:
        digits = dice.choice(["1000", "10000", "5", "0", "13800138000", "999999999"])
    if dice.random() < 0.45 and len(digits) > 1:
        mark = dice.choice(MARKS)
        head = len(digits) % 3 or 3
        groups = [digits[:head], *(digits[i : i + 3] for i in range(head, len(digits), 3))]
        digits = mark.join(groups)
        if dice.random() < 0.15:
            digits = digits[:-1]  # the last group is short
        if dice.random() < 0.1 and len(groups) > 2:
            digits = digits.replace(mark, dice.choice(MARKS), 1)
    if dice.random() < 0.3:
        digits += "." + "".join(dice.choices("0123456789", k=dice.choice([0, 1, 2, 2, 2, 3, 3, 4])))
    if dice.random() < 0.1:
        digits = digits.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789"})
    return digits


def amount(dice: random.Random, *, rates: bool) -> str:
    """A number with what may stand around it."""
    text = number(dice)
    if dice.random() < 0.08:
        text = dice.choice(list(FRONT)) + dice.choice(["", " "]) + text
    if dice.random() < 0.3:
        # Behind a numeral a scale would make another numeral.
        gaps = [" "] if text in (*NUMERALS, *NO_NUMERALS) else ["", "", " ", "\u00a0"]
        text += dice.choice(gaps) + dice.choice(list(SCALES))
    if dice.random() < 0.4:
        text += dice.choice(["", " ", "  "]) + dice.choice(list(CURRENCIES))
    if rates and dice.random() < 0.15:
        text += dice.choice(["/", "/", "/", " / "]) + dice.choice(list(RATES))
    return text


def rest(dice: random.Random) -> str:
    """What follows an amount."""
    match dice.randrange(10):
        case 0 | 1 | 2:
            return ""
        case 3:
            return dice.choice([" M1002", " m1002", " M1002 房租"])
        case 4 | 5:
            return dice.choice([" ", "  ", "，", "\u3000"]) + dice.choice(REMARKS)
        case 6:
            return " " + dice.choice(MORE)
        case 7:
            return dice.choice(["", " "]) + dice.choice(QUESTIONS)
        case 8:
            return dice.choice(GLUED)
        case _:
            return dice.choice(ENDS)


def line(dice: random.Random) -> Line:
    command = dice.choice(COMMANDS)
    currency = dice.choice(["CNY", "CNY", "CNY", "USD", "KWD", "USDT"])
    moves = command in MOVING
    body = amount(dice, rates=moves)
    if moves:
        explicit = command != ""
        signs = [*PLUS, *MINUS, ""] if explicit else [*PLUS, *MINUS]
        gap = dice.choice(["", "", "", "", " "])
        body = dice.choice(signs) + gap + body + rest(dice)
    elif "金额" in command:
        body = dice.choice(["1-", "1 - ", "", f"{dice.randint(1, 99)}万-"]) + body
    elif dice.random() < 0.2:
        body += dice.choice([" 房租", " 500", "?", " -5", "%"])
    if dice.random() < 0.1:
        place = dice.randrange(len(body) + 1)
        body = body[:place] + dice.choice(INVISIBLE) + body[place:]
    return Line(command, body, currency)


MOVING: Final = ("", "/prepay ", "/prepay\u00a0", "调账 ", "/adjust M1001 ")


# ── the oracle ──────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Reading:
    """What a line may mean: main units, the currency that is said, and what follows.

    scale: what is behind the number. alone: it is a digit alone, or a numeral below 100.
    """

    units: Decimal
    said: str
    scale: int
    alone: bool
    rate: str = ""
    merchant_no: str = ""
    remark: str = ""


def plain(text: str) -> str:
    """With plain characters for those that mean the same, one for one, and none that is unseen."""
    same = {"\u00a0": " ", "\u202f": " ", "\u3000": " ", "’": "'", "￥": "¥", "。": "."}
    found = ""
    for char in text:
        if char not in INVISIBLE:
            wide = 0xFF01 <= ord(char) <= 0xFF5E
            found += chr(ord(char) - 0xFEE0) if wide else same.get(char, char)
    return found


@cache
def plain_word(word: str) -> str:
    return plain(word).lower()


def values(text: str) -> tuple[Decimal | None, Decimal | None]:
    """What a number is, and what it is where its point stands between thousands."""
    if text in NUMERALS:
        return Decimal(NUMERALS[text]), None
    whole, point, decimals = text.partition(".")
    if point and not (decimals.isascii() and decimals.isdigit()):
        return None, None
    units = ungrouped(whole) if whole else ("0" if point else None)
    if units is None:
        return None, None
    short = len(decimals) == 3 and whole == units and len(whole) < 4 and whole[:1] not in ("", "0")
    return Decimal(f"{units}.{decimals or 0}"), Decimal(whole + decimals) if short else None


def ungrouped(text: str) -> str | None:
    """Digits without the marks between thousands; None where they are not in right groups."""
    if text.isascii() and text.isdigit():
        return text
    for mark in (",", "'", " "):
        first, *groups = text.split(mark)
        right = all(len(group) == 3 and group.isdigit() and group.isascii() for group in groups)
        if groups and right and 1 <= len(first) <= 3 and first.isdigit() and first[0] != "0":
            return first + "".join(groups)
    return None


def options(text: str, at: int, words: dict[str, Any]) -> Iterator[tuple[Any, int, int]]:
    """(what it means, where it begins and ends) of each word that may stand here, or of none."""
    yield None, at, at
    begins, folded = at, text.lower()
    while text[begins : begins + 1] == " ":
        begins += 1
    for word, meaning in words.items():
        if folded.startswith(plain_word(word), begins):
            yield meaning, begins, begins + len(word)


def is_word_at(text: str, at: int) -> bool:
    """Whether no Latin word goes on here."""
    before, after = text[at - 1 : at], text[at : at + 1]
    return not (before.isascii() and before.isalpha() and after.isascii() and after.isalnum())


def begins_with_more(text: str) -> bool:
    """Whether a remark begins with what may belong to the amount."""
    bare = text.lstrip("([ ")
    if bare[:1].isdigit() or bare[:1] in tuple("+-*/×=~^%<>÷"):
        return True
    word = bare.split()[0]
    if any(word in (numeral, f"{numeral}元") for numeral in (*NUMERALS, "五百")):
        return True
    if any(bare.startswith(w) and bare.removeprefix(w).strip()[:1].isdigit() for w in SPOKEN_SIGNS):
        return True
    return any(end and is_word_at(text, end) for _, _, end in words_behind(text, 0))


def split_rest(typed: str, text: str) -> tuple[str, str] | None:
    """(merchant's number, remark) of what follows an amount; None where nothing may follow so.
    typed: as it was typed."""
    bare = text.lstrip("!.~")
    at = len(text) - len(bare)
    if bare and bare[0] in ",:;" and (bare[1:].lstrip()[:1].isalpha() or bare[1:2] == "("):
        at += 1
    elif bare and bare[0] != " " and not (bare[0] in "([" and not bare[1:2].isdigit()):
        return None
    remark = typed[at:].strip()
    words = remark.split(maxsplit=1)
    merchant_no = ""
    if words and words[0][:1] in ("M", "m") and words[0][1:].isdigit():
        merchant_no = words[0].upper()
        remark = words[1] if len(words) > 1 else ""
    if remark and begins_with_more(plain(remark)):
        return None
    return merchant_no, " ".join(remark.split())


def readings(typed: str, currency: str, *, follows: bool = False) -> set[Reading]:
    """Every reading of what stands behind the sign. follows: whether more may follow."""
    text = plain(typed)
    found = set()
    for front, _, begins in options(text, 0, FRONT):
        while text[begins : begins + 1] == " ":
            begins += 1
        for ends in range(begins + 1, len(text) + 1):
            number = text[begins:ends]
            units, other = values(number)
            for scale, said, end in words_behind(text, ends) if units is not None else ():
                if (front and said and front != said) or (number in NUMERALS and scale):
                    continue
                counted = said or front or currency
                small = NUMERALS.get(number, 100) < 100 or (ends - begins == 1 and number != "0")
                alone = small and not (front or scale or said)
                for rate, after in rates_at(text, end):
                    tail = split_rest(typed[after:], text[after:])
                    if tail is None or not (follows or after == len(text)):
                        continue
                    rest = (scale or 1, alone and not tail[0], rate, *tail)
                    for value in (units, None if counted == "KWD" else other):
                        if value is not None:
                            found.add(Reading(value * (scale or 1), said or front or "", *rest))
    return found


def words_behind(text: str, at: int) -> Iterator[tuple[Any, Any, int]]:
    """(scale, currency, where they end) of all that may stand behind a number."""
    for scale, _, a in options(text, at, SCALES):
        for said, begins, b in options(text, a, CURRENCIES):
            whole = is_word_at(text, a) or (said is not None and begins == a)
            if whole and is_word_at(text, b) and not text[b : b + 1].isdigit():
                yield scale, said, b


def rates_at(text: str, at: int) -> Iterator[tuple[str, int]]:
    yield "", at
    for rate in RATES:
        if text[at:].startswith(f"/{rate}"):
            yield rate, at + 1 + len(rate)


@dataclass(frozen=True)
class Booked:
    """What is done. minor: of the merchant's currency."""

    minor: int
    merchant_no: str = ""
    remark: str = ""


def exact(units: Decimal, currency: str, most: int) -> int | None:
    """Smallest units; None where they are more than `most` main units, or no whole number."""
    scaled = units * 10 ** EXPONENTS[currency]
    return int(scaled) if abs(units) <= most and scaled == int(scaled) else None


def judge(said: Line) -> Booked | None:
    """What docs/bot.md has done with a line; None for nothing."""
    typed = "".join(char for char in said.body if char not in INVISIBLE)
    if any(word in plain(typed) for word in ("?", "吗", "没有", "怎么", "呢")):
        return None
    if said.command in MOVING:
        return judge_moved(said, typed)
    if "金额" in said.command:
        return judge_range(said, typed)
    found = readings(typed, said.currency)
    if len(found) != 1:
        return None
    (only,) = found
    if only.rate or only.merchant_no or only.remark or only.said not in ("", said.currency):
        return None
    if plain(typed).strip()[-1:] in ("!", ".", "~"):
        return None
    if said.command == RATE and (begins_in_front(typed) or plain(typed)[0] in "".join(NUMERALS)):
        return None  # in a rate an amount begins with a digit
    minor = exact(only.units, said.currency, LIMIT if said.command in CREDIT else 10**18)
    return None if minor is None or minor > 10**15 else Booked(minor)


def begins_in_front(typed: str) -> bool:
    return any(plain(typed).upper().startswith(plain(word)) for word in FRONT)


def judge_range(said: Line, typed: str) -> Booked | None:
    """A range whose upper end is the amount; its lower end is 1."""
    least, dash, most = plain(typed).partition("-")
    ends = [readings(end.strip(), said.currency) for end in (least, most)]
    if not dash or end_mark(least) or end_mark(most) or [len(end) for end in ends] != [1, 1]:
        return None
    (low,), (high,) = ends
    if {low.said, high.said} - {"", said.currency} or low.rate or high.rate:
        return None
    if low.scale == 1 < high.scale and low.units * high.scale <= high.units:
        return None
    if exact(low.units, said.currency, 10**18) is None:
        return None
    minor = exact(high.units, said.currency, 10**18)
    return None if minor is None or minor > 10**15 else Booked(minor)


def end_mark(text: str) -> bool:
    return text.strip()[-1:] in ("!", ".", "~")


def judge_moved(said: Line, typed: str) -> Booked | None:
    explicit = said.command != ""
    sign = typed[:1] if typed[:1] in (*PLUS, *MINUS) else ""
    behind = typed[len(sign) :]
    gap = behind[:1] == " "
    found = readings(behind.lstrip(), said.currency, follows=True)
    if len(found) != 1 or not (sign or explicit):
        return None
    (only,) = found
    negative = sign in MINUS
    if not explicit and (only.alone or (gap and (negative or only.remark))):
        return None
    if "调账" in said.command or "adjust" in said.command:
        named = "M1001" in said.command
        if only.rate or only.said not in ("", said.currency) or (named and only.merchant_no):
            return None
    minor = moved(only, said.currency)
    if not minor:
        return None
    return Booked(-minor if negative else minor, only.merchant_no, only.remark)


def moved(only: Reading, currency: str) -> int | None:
    """What a line moves in the merchant's currency, or nothing."""
    if only.rate and not RATES[only.rate]:
        return None
    if only.said == "USDT" and currency != "USDT":
        usdt = exact(only.units, "USDT", LIMIT)
        if not usdt:
            return None
        rate = Decimal(only.rate) if only.rate else GROUP_RATE
        units = only.units * rate
        if units > LIMIT:
            return None
        return int(units * 10 ** EXPONENTS[currency] + Decimal("0.5"))
    if only.said not in ("", currency) or (only.rate and currency == "USDT"):
        return None
    if only.rate and only.units / Decimal(only.rate) > LIMIT:
        return None
    return exact(only.units, currency, LIMIT)


# ── the desk ────────────────────────────────────────────────────────────────────────────────────
RATE: Final = "/rate alipay_qr 1% + "
CREDIT: Final = ("授信 ", "/credit ")
ACTOR: Final = Actor(
    FINANCE, "Finance", "finance", frozenset({"prepay"}), "zh", SPRUCE,
    Group(SPRUCE, "merchant", "a group", "zh", "", (), (), GROUP_RATE), (), (), staff=True,
)  # fmt: skip


def understood(said: Line) -> tuple[Booked | None, Intent | None]:
    """What the desk would do with a line, by its own parser and its own amounts."""
    intent = parse(said.text)
    try:
        return done(intent, said), intent
    except Refusal:
        return None, intent


def done(intent: Intent | None, said: Line) -> Booked | None:
    currency = said.currency
    match intent:
        case Advances((read,)):
            return of_line(
                read, convert(advance_of(read, currency, ACTOR, None), currency).amount.minor
            )
        case Adjust(read):
            amount = money_of(read.amount.units_in(currency), currency)
            found = of_line(read, convert(Advance(amount, ""), currency).amount.minor)
            return replace(found, merchant_no="") if "M1001" in said.command else found
        case SetCredit(amount) if amount is not None:
            return Booked(money_of(amount.units_in(currency), currency).minor)
        case ChangeChannel(field="daylimit", text=text):
            return Booked(read_terms("daylimit", text, currency)["day_limit_minor"])
        case ChangeChannel(field="amount", text=text):
            terms = read_terms("amount", text, currency)
            return Booked(terms["amount_max"]) if terms["amount_max"] is not None else None
        case AskWhy(amount=text):
            return Booked(minor(text, currency))
        case SetRate(tariff=text):
            (tier,) = parse_tariff(text, currency).tiers
            return Booked(tier.rate.fixed_minor)
    return None


def of_line(read: AdvanceLine, minor: int) -> Booked:
    return Booked(minor, read.merchant_no or "", " ".join(read.remark.split()))


def may_be_silent(said: Line) -> bool:
    """A digit alone is talk, as are words; so is what follows a Chinese form like talk."""
    body = plain(said.body).strip()
    if said.command in ("调账 ", "授信 "):
        return not body[:1].isascii()
    if said.command:
        return False
    body = body[1:].strip()
    if body[:1] in "".join(NUMERALS) + "壹萬":
        return True
    marked = body[1:2] in tuple(".,'") and body[2:3].isdigit()
    return body[:1] in "123456789" and not (body[1:2].isdigit() or marked)


def test_what_is_booked_is_the_only_reading_of_the_whole_line() -> None:
    dice = random.Random(20261129)
    booked: Counter[str] = Counter()
    faults: list[tuple[Line, Booked | None, Booked | None, Intent | None]] = []
    for _ in range(LINES):
        said = line(dice)
        right = judge(said)
        found, intent = understood(said)
        if found != right:
            faults.append((said, right, found, intent))
        elif right is None and intent is None and not may_be_silent(said):
            faults.append((said, None, None, None))  # and nobody heard why
        booked[said.command] += right is not None
    assert not faults, (len(faults), *faults[:20])
    # Of every command some lines are done and some are not.
    assert all(booked[command] > 30 for command in set(COMMANDS)), booked


async def test_lines_are_booked_or_answered_by_the_desk(desk: Desk) -> None:
    for name in ("prepay_second", "adjust_second", "credit_second"):
        await set_setting(desk.runtime, name, None)
    await desk.say(FINANCE, SPRUCE, f"设置汇率 {GROUP_RATE}")
    dice = random.Random(4711)
    asked = 0
    while asked < END_TO_END:
        said = replace(line(dice), currency="CNY")
        if said.command not in (*MOVING, *CREDIT) or "M1002" in said.body.upper():
            continue
        asked += 1
        right = judge(said)
        before = await last(desk)
        news = await desk.say(FINANCE, SPRUCE, said.text)
        if is_question(news):
            question = news[0]
            assert isinstance(question, Say)
            news = await desk.press(FINANCE, SPRUCE, labelled(question, "Book"))
        if right is not None and said.command in CREDIT:
            told = [fact.facts["standing"] for fact in news if isinstance(fact, Say)]
            assert [standing["line_minor"] for standing in told] == [right.minor]
            continue
        after = await last(desk)
        if right is None or (said.command in MOVING[3:] and not right.remark):
            assert after == before, said
            assert news or may_be_silent(said), said
        else:
            assert after != before, said
            assert (after["minor"], after["remark"].split()) == (
                right.minor,
                right.remark.split(),
            ), said
    assert (await desk.runtime.reports.verify.whole()).differences == ()


def is_question(news: list[Fact]) -> bool:
    return any(isinstance(fact, Say) and fact.screen == "slip_question" for fact in news)


async def last(desk: Desk) -> dict[str, Any]:
    row = await desk.runtime.system.store.fetchrow(
        "SELECT id, minor, remark FROM voucher ORDER BY at DESC, seq DESC LIMIT 1"
    )
    return dict(row) if row is not None else {}
