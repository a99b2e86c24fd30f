"""Who may do what, where: every intent, by everybody, in every kind of chat; and what others see.

What a role may not do is refused to that person alone and changes nothing. Whoever adds a command
says here how each of its intents is written.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final, NamedTuple
from uuid import UUID

import pytest
from aiogram.types import InlineKeyboardMarkup

from bot.painter import Painter
from core.delivery.outbox import Bill, Card, DeskBill, Fact, Picture, Say, TextFile
from core.people.actors import ANONYMOUS_ADMIN_ID
from core.people.people import RIGHTS, ROLES
from core.trade.orders import Order
from handlers.buttons import read_button
from handlers.commands import COMMANDS, parse
from handlers.kit.intents import Changing
from handlers.screens import Screen, render_say
from tests.handlers.support import (
    ADMIN,
    BEN,
    FINANCE,
    HENGTONG,
    NEW,
    NORTHWIND,
    OPERATOR,
    OPS,
    OWNER,
    SPRUCE,
    STRANGER,
    SUPPORT,
    SUQING,
    ZHAO,
    Desk,
)

# One way to say each intent there is. `{no}`: an order of M1001.
EXAMPLES: Final = (
    "+1000", "+1000 -500", "/adjust M1001 -20 wrong fee", "/usdt", "/usdt 7.2", "/credit M1001",
    "/credit M1001 500", "/bill", "/prepaid", "/daycut 06:00", "/factor", "/factor reset 1003",
    "/orders", "/order {no}", "/chase {no}", "/complete {no} the supplier said so",
    "/refund {no} 20 paid twice", "/uncomplete {no} it was wrong",
    "/completions", "/rate M1001 alipay_qr 1%", "/cost C01 0.6%", "/rates M1001",
    "/rerate M1001 alipay_qr 1% 2026-11", "/volume", "/channels", "/channel C01",
    "/channel C01 weight 5", "/channel C01 off", "/products", "/product alipay_qr off",
    "/channel_add S01 alipay_qr QR 0.65% 100-50000 alipay_qr", "/why M1001 alipay_qr 100",
    "/export csv orders", "/approvals", "/balance M1001", "/suppliers", "/supplier new",
    "/supplier S01 off it ends", "/documents", "/document epay v1 approve", "/discrepancies",
    "/merchants", "/merchant new", "/merchant M1001 resume", "/merchant M1001 limit #1 5",
    "/groups", "/groups M1001", "/group G3", "/group G3 label 下发", "/segment VIP",
    "/broadcast all", "/broadcast edit B1", "/broadcasts",
    "/info", "/lang en", "/bind_ops", "/bind M1001", "/bind_supplier S01", "/unbind",
    "/settings", "/settings prepay_second 20000", "/audit", "/status", "/export_config",
    "/people", "/people 1005 leave", "/hire support", "/appoint 1102", "/dismiss 1101", "/members",
    "/alarms", "/docs M1001", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
    "/payout_address", "/payout_address TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
    "/product_add", "/product_add card_web 银行卡 | Card", "/product alipay_qr archive",
    "/product alipay_qr name 扫码 | QR", "/test_order", "/test_order M1001 alipay_qr 1.00",
)  # fmt: skip


class Place(NamedTuple):
    """A chat, and whose people speak there by the role of that side."""

    name: str
    chat_id: int


PRIVATE: Final = 0
PLACES: Final = (
    Place("private", PRIVATE), Place("ops", OPS), Place("M1001's", SPRUCE),
    Place("M1002's", NORTHWIND), Place("S01's", HENGTONG), Place("unbound", NEW),
)  # fmt: skip
STAFF: Final = {
    "owner": OWNER, "admin": ADMIN, "finance": FINANCE, "operator": OPERATOR, "support": SUPPORT,
}  # fmt: skip
# People of the other sides have their role in their own group alone.
THEIRS: Final = {
    SUQING: (SPRUCE, "merchant_staff"), BEN: (NORTHWIND, "merchant_staff"),
    ZHAO: (HENGTONG, "supplier_staff"),
}  # fmt: skip
PEOPLE: Final = {**{number: role for role, number in STAFF.items()}, **{
    number: f"staff of {chat_id}" for number, (chat_id, _) in THEIRS.items()
}, STRANGER: "nobody", ANONYMOUS_ADMIN_ID: "anonymous"}  # fmt: skip
# What is said and who was refused leaves rows that are nobody's business.
_SAID_ONLY: Final = frozenset(
    {"outbox", "chat_lane", "refusal", "telegram_update", "tick", "instance", "board", "post",
     "market", "supplier_call", "export", "order_list", "factor_lock", "order_watch"}
)  # fmt: skip


def rights_in(user_id: int, chat_id: int) -> frozenset[str]:
    """What the table gives a person in a chat."""
    role = next((role for role, number in STAFF.items() if number == user_id), None)
    if role is None and THEIRS.get(user_id, (0, ""))[0] == chat_id:
        role = THEIRS[user_id][1]
    return ROLES[role] if role else frozenset()


def test_no_intent_is_forgotten() -> None:
    said = {type(parse(text.format(no="P12345678"))) for text in EXAMPLES}
    assert said >= set(COMMANDS.rights)
    assert set(COMMANDS.rights.values()) <= set(RIGHTS)


async def state(desk: Desk) -> str:
    """All that could have moved."""
    store = desk.runtime.system.store
    tables = await store.fetch(
        "SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " ORDER BY 1"
    )
    found = {}
    for row in tables:
        name = row["name"]
        if name not in _SAID_ONLY:
            found[name] = await store.fetchval(
                f"SELECT count(*)::text || coalesce(md5(string_agg(t::text, '' ORDER BY t::text)),"
                f" '') FROM {name} t"
            )
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def needed(text: str, chat_id: int) -> str:
    """The right that a text takes in a chat."""
    intent = parse(text)
    right = "" if intent is None else COMMANDS.rights[type(intent)]
    return "payin" if right == "prepay" and chat_id == HENGTONG else right


def refusals(told: list[Fact]) -> set[str]:
    """The codes of what was refused."""
    codes = set[str]()
    for fact in told:
        if isinstance(fact, Say) and fact.screen == "refusal":
            codes.add(str(fact.facts["code"]))
    return codes


@pytest.mark.parametrize("user_id", PEOPLE, ids=PEOPLE.get)
async def test_what_is_not_ones_right_is_refused_and_changes_nothing(
    desk: Desk, order: Order, user_id: int
) -> None:
    await desk.say(user_id, user_id, "hello")  # what colleagues are called is known from then on
    before = await state(desk)
    for place in PLACES:
        chat_id = place.chat_id or user_id
        rights = rights_in(user_id, chat_id)
        known = bool(rights) or (user_id == ANONYMOUS_ADMIN_ID and place.chat_id != PRIVATE)
        for example in EXAMPLES:
            text = example.format(no=order.order_no)
            right = needed(text, chat_id)
            if right in rights:
                continue
            told = await desk.say(user_id, chat_id, text)
            where = (place.name, text)
            if not known:
                assert told == [], where
                continue
            assert refusals(told) <= {"not_permitted", "anonymous_admin"}, where
            for fact in told:
                assert isinstance(fact, Say), where
                assert fact.screen in ("refusal", "usage"), where
                if user_id != ANONYMOUS_ADMIN_ID and place.chat_id != PRIVATE:
                    assert fact.only_for == user_id, where
    assert await state(desk) == before


@pytest.mark.parametrize("user_id", PEOPLE, ids=PEOPLE.get)
async def test_what_is_ones_right_is_not_refused_for_want_of_it(
    desk: Desk, order: Order, user_id: int
) -> None:
    """What only looks, everywhere. What changes something has tests of its own."""
    for place in PLACES:
        chat_id = place.chat_id or user_id
        rights = rights_in(user_id, chat_id)
        for example in EXAMPLES:
            text = example.format(no=order.order_no)
            intent = parse(text)
            if needed(text, chat_id) not in rights or isinstance(intent, Changing):
                continue
            told = await desk.say(user_id, chat_id, text)
            # A file is made by others, and comes when it is ready; a group that is nobody's talks.
            talk = chat_id == NEW and not text.startswith("/")
            assert told or talk or text.startswith("/export"), (place.name, text)
            for fact in told:
                if isinstance(fact, Say) and fact.screen == "refusal":
                    assert fact.facts["code"] != "anonymous_admin", (place.name, text)
                    # The platform's own figures take a right besides.
                    assert fact.facts["facts"].get("right") not in rights, (place.name, text)


# ── nothing of one merchant is seen by another ───────────────────────────────────────────────────
MARKS: Final = ("云杉", "SPRUCE", "A lamp", "31,415.92", "31415.92")
MARK_MINOR: Final = 3_141_592


async def marked(desk: Desk, order: Order) -> tuple[str, ...]:
    """What must not be read by others: M1001's name, its order, and an amount of its own."""
    await desk.say(FINANCE, SPRUCE, f"+{MARK_MINOR // 100}.{MARK_MINOR % 100} SPRUCE")
    await desk.news()
    return (*MARKS, order.merchant_order_no)


async def screens(desk: Desk, chat_id: int, fact: Fact) -> list[Screen]:
    """What a chat would see of a fact: as it is drawn when it leaves."""
    painter = Painter(desk.runtime)
    match fact:
        case Say():
            return [render_say(fact, language) for language in ("zh", "en")]
        case TextFile():
            return [Screen(fact.name + fact.text)]
        case Picture():
            return [Screen(fact.text)]
        case Card():
            card = await painter.card(chat_id, UUID(fact.merchant_id), UUID(fact.order_id))
            return [card] if card is not None else []
        case Bill():
            group = await desk.runtime.people.groups.find(chat_id)
            return [(await painter.bill(chat_id, group, fact, stays=False))[0]]
        case DeskBill():
            return [(await painter.desk_bill(chat_id, fact, stays=False))[0]]
        case _:
            return []


async def shown(desk: Desk, chat_id: int, fact: Fact) -> str:
    """All that a fact shows in a chat."""
    found = await screens(desk, chat_id, fact)
    return "".join(one.html + json.dumps(one.rich, ensure_ascii=False) for one in found)


@pytest.mark.parametrize(
    ("user_id", "chat_id"),
    [(BEN, NORTHWIND), (OPERATOR, NORTHWIND), (OWNER, NORTHWIND), (ZHAO, HENGTONG),
     (OWNER, HENGTONG), (OWNER, NEW)],
)  # fmt: skip
async def test_nothing_of_a_merchant_is_shown_where_others_read(
    desk: Desk, order: Order, user_id: int, chat_id: int
) -> None:
    marks = await marked(desk, order)
    for example in EXAMPLES:
        text = example.format(no=order.order_no)
        if isinstance(parse(text), Changing):
            continue
        for fact in await desk.say(user_id, chat_id, text):
            seen = await shown(desk, chat_id, fact)
            assert not [mark for mark in marks if mark in seen], (text, seen)


async def test_buttons_of_others_move_and_show_nothing(desk: Desk, order: Order) -> None:
    """All buttons that staff and M1001's people are shown, pressed by others elsewhere."""
    marks = await marked(desk, order)
    found = dict[str, None]()
    for user_id, chat_id in ((OWNER, OPS), (OWNER, OWNER), (SUQING, SPRUCE), (OWNER, SPRUCE)):
        for example in EXAMPLES:
            text = example.format(no=order.order_no)
            if isinstance(parse(text), Changing):
                continue
            for fact in await desk.say(user_id, chat_id, text):
                for screen in await screens(desk, chat_id, fact):
                    found |= dict.fromkeys(carried(screen.keyboard))
    assert len(found) > 20, "there are buttons to press"
    before = await state(desk)
    for data in found:
        assert read_button(data) is not None, data
        for user_id, chat_id in (
            (BEN, NORTHWIND), (ZHAO, HENGTONG), (STRANGER, STRANGER), (STRANGER, SPRUCE),
        ):  # fmt: skip
            for fact in await desk.press(user_id, chat_id, data):
                seen = await shown(desk, chat_id, fact)
                assert not [mark for mark in marks if mark in seen], (data, seen)
            assert not [mark for mark in marks if mark in (desk.toast if desk.line.answers else "")]
    assert await state(desk) == before


def carried(keyboard: InlineKeyboardMarkup | None) -> list[str]:
    """What the buttons carry."""
    rows = keyboard.inline_keyboard if keyboard is not None else []
    return [one.callback_data for row in rows for one in row if one.callback_data]
