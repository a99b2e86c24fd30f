"""Pay-out addresses in the chat: set by one, changed by two, and compared with what is written."""

from __future__ import annotations

from uuid import UUID

import pytest

from core.delivery.outbox import ApprovalCard, Fact, Say
from core.kernel.errors import Refusal
from core.people.payout_addresses import Stored
from handlers.addresses.words import CheckAddress, SetPayoutAddress, ShowPayoutAddresses
from handlers.commands import parse
from handlers.orders.words import LookUp
from handlers.screens import render_say
from tests.handlers.support import (
    ADMIN,
    FINANCE,
    HENGTONG,
    NORTHWIND,
    OPERATOR,
    OPS,
    OWNER,
    SPRUCE,
    STRANGER,
    SUQING,
    ZHAO,
    Desk,
    one_say,
)
from tests.handlers.telegram_html import read_html

USDT = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
OTHER = "TEkxiTehnzSmSe2XqrBj4w32RUN966rdz8"
FORGED = "TR7NHqABCDxGTCi8q8ZY4pL8otSzgjLj6t"
ETHER = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"


def text_of(say: Say) -> str:
    return read_html(render_say(say, "zh").html)


async def kept(desk: Desk, user_id: int = ADMIN, chat_id: int = SPRUCE) -> list[Stored]:
    actor = await desk.runtime.people.access.actor(user_id, "x", chat_id, private=False)
    return await desk.runtime.people.payout_addresses.of(actor)


async def decided(desk: Desk, facts: list[Fact], user_id: int, *, yes: bool = True) -> str:
    """What a person of ops answers to what was asked; the code of its refusal."""
    (asked,) = {fact.approval_id for fact in facts if isinstance(fact, ApprovalCard)}
    actor = await desk.runtime.people.access.actor(user_id, "second", OPS, private=False)
    try:
        await desk.runtime.people.approvals.decide(actor, UUID(asked), yes=yes)
    except Refusal as refusal:
        return refusal.code
    return ""


@pytest.mark.parametrize("text", [USDT, f"  {USDT}\n", ETHER, FORGED])
def test_an_address_alone_is_no_number_of_an_order(text: str) -> None:
    assert isinstance(parse(text), CheckAddress)


def test_what_else_is_said() -> None:
    assert isinstance(parse("/payout_address"), ShowPayoutAddresses)
    for text in (f"/payout_address {USDT}", f"设置打款地址 {USDT}", f"打款地址 {USDT}"):
        assert isinstance(parse(text), SetPayoutAddress)
    named = parse(f"/payout_address m1001 {ETHER}")
    assert isinstance(named, SetPayoutAddress)
    assert (named.holder_no, named.address.text) == ("M1001", ETHER)
    assert not isinstance(parse(f"请打到 {USDT}"), CheckAddress)
    assert isinstance(parse("P2J0001PQ8WKRZQMHM1I"), LookUp)


async def test_the_first_is_set_by_one_and_another_by_two(desk: Desk) -> None:
    first = await desk.said(ADMIN, SPRUCE, f"设置打款地址 {USDT}")
    assert first.screen == "payout_address_set"
    assert [one.address for one in await kept(desk)] == [USDT]
    same = await desk.said(ADMIN, SPRUCE, f"/payout_address {USDT}")
    assert same.screen == "payout_addresses"
    assert USDT in text_of(same)

    asked = await desk.say(ADMIN, SPRUCE, f"/payout_address {OTHER}")
    assert [one.address for one in await kept(desk)] == [USDT], "nobody approved it"
    assert await decided(desk, asked, ADMIN) != "", "never the same person"
    assert await decided(desk, asked, FINANCE) != "", "nor one without the right"
    assert await decided(desk, asked, OWNER) == ""
    assert [one.address for one in await kept(desk)] == [OTHER]
    said = [fact for fact in await desk.news() if isinstance(fact, Say)]
    (changed,) = [say for say in said if say.screen == "payout_address_set"]
    assert (changed.facts["before"], changed.facts["after"]) == (USDT, OTHER)
    deeds = await desk.runtime.system.store.fetch(
        "SELECT facts FROM audit WHERE action = 'set_payout_address' ORDER BY id"
    )
    assert [row["facts"]["after"] for row in deeds] == [USDT, OTHER]

    back = await desk.say(ADMIN, SPRUCE, f"/payout_address {USDT}")
    assert await decided(desk, back, OWNER, yes=False) == ""
    assert [one.address for one in await kept(desk)] == [OTHER]


async def test_what_changed_meanwhile_is_asked_anew(desk: Desk) -> None:
    await desk.said(ADMIN, SPRUCE, f"/payout_address {USDT}")
    one = await desk.say(ADMIN, SPRUCE, f"/payout_address {OTHER}")
    forged = await desk.say(ADMIN, SPRUCE, "/payout_address T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb")
    assert await decided(desk, one, OWNER) == ""
    assert await decided(desk, forged, OWNER) == "address_changed"
    assert [kept_one.address for kept_one in await kept(desk)] == [OTHER]


async def test_an_address_is_compared_with_what_is_kept(desk: Desk) -> None:
    check = await desk.said(SUQING, SPRUCE, USDT)
    assert check.facts["comparison"]["verdict"] == "none"
    await desk.said(ADMIN, SPRUCE, f"/payout_address {USDT}")
    for text, verdict, checksum in (
        (USDT, "same", "right"), (OTHER, "different", "right"), (FORGED, "alike", "wrong"),
        (ETHER, "none", "right"), (ETHER.lower(), "none", "unchecked"),
    ):  # fmt: skip
        check = await desk.said(SUQING, SPRUCE, text)
        assert check.facts["comparison"]["verdict"] == verdict
        assert check.facts["address"]["checksum"] == checksum
    assert "请勿付款" in text_of(await desk.said(SUQING, SPRUCE, FORGED))
    # Another group's is nobody's business here.
    other = await desk.said(ADMIN, NORTHWIND, USDT)
    assert other.facts["comparison"]["verdict"] == "none"
    assert await desk.say(STRANGER, SPRUCE, USDT) == []


async def test_who_may_set_it_and_where(desk: Desk) -> None:
    for user_id in (SUQING, OPERATOR, FINANCE):
        refused = one_say(await desk.say(user_id, SPRUCE, f"/payout_address {USDT}"))
        assert refused.facts["code"] == "not_permitted"
    wrong = one_say(await desk.say(ADMIN, SPRUCE, f"/payout_address {FORGED}"))
    assert wrong.facts["code"] == "address_wrong"
    outside = one_say(await desk.say(ADMIN, OPS, f"/payout_address {USDT}"))
    assert outside.facts["code"] == "group_not_bound"
    assert (await desk.said(ADMIN, ADMIN, f"/payout_address {USDT}")).screen == "only_in_groups"
    assert await kept(desk) == []
    supplier = await desk.said(ADMIN, HENGTONG, f"/payout_address {ETHER}")
    assert supplier.facts["owner_no"] == "S01"
    shown = await desk.said(ZHAO, HENGTONG, "打款地址")
    assert ETHER in text_of(shown)


async def test_it_goes_with_the_binding(desk: Desk) -> None:
    await desk.said(ADMIN, SPRUCE, f"/payout_address {USDT}")
    store = desk.runtime.system.store
    await store.execute("DELETE FROM binding WHERE chat_id = $1", SPRUCE)
    assert await store.fetchval("SELECT count(*) FROM payout_address") == 0
