"""The one door: who somebody is in a chat, what they may do, and whose data they may see."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from typing import Any
from uuid import uuid4

import pytest

from core.accounts.adjustments import Correction
from core.accounts.vouchers import Advance, Cause
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.kernel.money import Money, Rate
from core.kernel.tariff import Tariff
from core.parties.merchants import App, Merchant
from core.people.actors import ANONYMOUS_ADMIN_ID
from core.people.people import RIGHTS, ROLES
from core.runtime import Runtime
from tests.core.support import (
    CHAT,
    NORTHWIND_CHAT,
    NORTHWIND_STAFF,
    OPERATOR,
    OPS_CHAT,
    OWNER,
    SPRUCE_STAFF,
    SUPPLIER_CHAT,
    SUPPLIER_STAFF,
    SUPPORT,
)

UNBOUND_CHAT, UNSEEN_CHAT = -1002000000301, -1009999999999


def test_every_role_has_known_rights() -> None:
    assert {right for rights in ROLES.values() for right in rights} == set(RIGHTS)
    assert ROLES["support"] < ROLES["operator"] < ROLES["admin"] <= ROLES["owner"]
    for role in ("merchant_staff", "supplier_staff"):
        assert not ROLES[role] & {"prepay", "complete", "bind", "see_channel"}


async def test_who_sees_what_where(runtime: Runtime) -> None:
    spruce = (await runtime.parties.merchants.by_no("M1001")).id
    northwind = (await runtime.parties.merchants.by_no("M1002")).id
    both, nobody = {spruce, northwind}, set[object]()
    for user_id, chat_id, seen in (
        (OPERATOR, CHAT, {spruce}),
        (OPERATOR, NORTHWIND_CHAT, {northwind}),
        (OPERATOR, OPS_CHAT, both),
        (OPERATOR, SUPPLIER_CHAT, nobody),
        (OPERATOR, UNBOUND_CHAT, nobody),
        (OPERATOR, UNSEEN_CHAT, nobody),
        (SPRUCE_STAFF, CHAT, {spruce}),
        (SPRUCE_STAFF, OPS_CHAT, nobody),
        (SUPPLIER_STAFF, SUPPLIER_CHAT, nobody),
    ):
        actor = await runtime.people.access.actor(user_id, "x", chat_id, private=False)
        assert {m for m in both if actor.sees(m)} == seen, (user_id, chat_id)
    for user_id, seen in ((OWNER, both), (SPRUCE_STAFF, nobody)):
        actor = await runtime.people.access.actor(user_id, "x", user_id, private=True)
        assert {m for m in both if actor.sees(m)} == seen


async def test_roles_of_the_other_side_hold_in_their_group_only(runtime: Runtime) -> None:
    for user_id, chat_id, role in (
        (SPRUCE_STAFF, CHAT, "merchant_staff"),
        (SPRUCE_STAFF, NORTHWIND_CHAT, None),
        (NORTHWIND_STAFF, NORTHWIND_CHAT, "merchant_staff"),
        (SUPPLIER_STAFF, SUPPLIER_CHAT, "supplier_staff"),
        (OPERATOR, CHAT, "operator"),
        (424242, CHAT, None),
    ):
        actor = await runtime.people.access.actor(user_id, "x", chat_id, private=False)
        assert (actor.role, actor.known) == (role, role is not None)
        assert actor.rights == (ROLES[role] if role else frozenset())
        assert actor.trail_name == f"telegram:{user_id}"


async def test_an_anonymous_admin_may_nothing(runtime: Runtime) -> None:
    await runtime.people.people.employ(ANONYMOUS_ADMIN_ID, "Group", "owner")
    actor = await runtime.people.access.actor(ANONYMOUS_ADMIN_ID, "Group", CHAT, private=False)
    for right in RIGHTS:
        assert not actor.may(right)
        with pytest.raises(Refusal) as error:
            actor.need(right)
        assert error.value.code == "anonymous_admin"


async def test_a_missing_right_is_named(runtime: Runtime) -> None:
    actor = await runtime.people.access.actor(SUPPORT, "x", CHAT, private=False)
    actor.need("look_up")
    with pytest.raises(Refusal) as error:
        actor.need("prepay")
    assert (error.value.code, error.value.facts["right"]) == ("not_permitted", "prepay")


async def test_a_right_holds_for_those_who_are_seen_here(runtime: Runtime) -> None:
    spruce, northwind = [await runtime.parties.merchants.by_no(no) for no in ("M1001", "M1002")]
    ours, other = [await runtime.parties.suppliers.by_no(no) for no in ("S01", "S02")]
    whose: dict[str, tuple[str, dict[str, Any]]] = {
        "M1001": ("merchant_not_found", {"merchant": spruce}),
        "M1002": ("merchant_not_found", {"merchant": northwind}),
        "S01": ("supplier_not_found", {"supplier": ours}),
        "S02": ("supplier_not_found", {"supplier": other}),
        "platform": ("record_not_found", {}),
    }
    for chat_id, seen in (
        (CHAT, {"M1001"}),
        (NORTHWIND_CHAT, {"M1002"}),
        (SUPPLIER_CHAT, {"S01"}),
        (OPS_CHAT, set(whose)),
        (UNSEEN_CHAT, set[str]()),
    ):
        actor = await runtime.people.access.actor(OWNER, "x", chat_id, private=False)
        for name, (code, concerned) in whose.items():
            if name in seen:
                actor.need_for("day_cut", **concerned)
                continue
            with pytest.raises(Refusal) as error:
                actor.need_for("day_cut", **concerned)
            assert error.value.code == code, (chat_id, name)
    support = await runtime.people.access.actor(SUPPORT, "x", NORTHWIND_CHAT, private=False)
    with pytest.raises(Refusal) as error:  # the right comes first: nobody learns who there is
        support.need_for("day_cut", merchant=spruce)
    assert error.value.code == "not_permitted"


async def test_nobody_changes_what_is_not_seen_here(runtime: Runtime) -> None:
    """An owner speaks in Northwind's group, where its people read along."""
    owner = await runtime.people.access.actor(OWNER, "x", NORTHWIND_CHAT, private=False)
    merchant = await runtime.parties.merchants.by_no("M1001")
    supplier = await runtime.parties.suppliers.by_no("S01")
    money, flat = Money(500, "CNY"), Tariff.flat(Rate(1))
    cause = Cause(NORTHWIND_CHAT, 1, 1)
    before = await _written(runtime)
    for verb, code in (
        (runtime.accounts.pricing.set_rate(owner, merchant, "alipay_qr", flat, cause), "merchant"),
        (runtime.accounts.credit.set_line(owner, merchant, money, cause), "merchant"),
        (runtime.accounts.credit.set_line(owner, merchant, None, cause), "merchant"),
        (
            runtime.accounts.prepayments.record(owner, merchant, Advance(money, ""), cause),
            "merchant",
        ),
        (
            runtime.accounts.adjustments.record(owner, merchant, Correction(money, "r"), cause),
            "merchant",
        ),
        (runtime.accounts.payins.record(owner, supplier, Advance(money, ""), cause), "supplier"),
        (runtime.accounts.prepayments.undo(owner, merchant, uuid4(), cause), "merchant"),
        (runtime.accounts.adjustments.undo(owner, merchant, uuid4(), cause), "merchant"),
        (runtime.accounts.payins.undo(owner, supplier, uuid4(), cause), "supplier"),
        (runtime.accounts.daycuts.set(owner, "m", merchant.id, cause, at=time(6)), "merchant"),
        (runtime.accounts.daycuts.set(owner, "s", supplier.id, cause, at=time(6)), "supplier"),
        (runtime.accounts.daycuts.set(owner, "p", HOUSE, cause, at=time(6)), "record"),
    ):
        with pytest.raises(Refusal) as error:
            await verb
        assert error.value.code == f"{code}_not_found", verb
        assert await _written(runtime) == before, verb
    with pytest.raises(Refusal) as error:
        await runtime.accounts.pricing.set_cost(owner, "C01", flat, cause)
    assert error.value.code == "cost_not_here"
    assert await _written(runtime) == before


async def _written(runtime: Runtime) -> list[object]:
    """What setting something would write."""
    rows = await runtime.system.store.fetch(
        "SELECT (SELECT count(*) FROM tariff), (SELECT count(*) FROM channel_tariff),"
        " (SELECT count(*) FROM voucher), (SELECT count(*) FROM cause),"
        " (SELECT count(*) FROM audit), (SELECT count(*) FROM outbox),"
        " (SELECT array_agg(credit_line_minor ORDER BY merchant_no) FROM merchant),"
        " (SELECT array_agg((day_cut, zone)::text ORDER BY id) FROM holder)"
    )
    return [tuple(row) for row in rows]


async def test_the_merchant_a_command_is_about(runtime: Runtime) -> None:
    door = runtime.people.access
    here = await door.actor(OPERATOR, "x", CHAT, private=False)
    assert (await door.merchant_in(here, None)).merchant_no == "M1001"
    assert (await door.merchant_in(here, "m1001")).merchant_no == "M1001"
    ops = await door.actor(OPERATOR, "x", OPS_CHAT, private=False)
    assert (await door.merchant_in(ops, "M1002")).merchant_no == "M1002"
    theirs = await door.actor(OPERATOR, "x", SUPPLIER_CHAT, private=False)
    unbound = await door.actor(OPERATOR, "x", UNSEEN_CHAT, private=False)
    assert (theirs.in_suppliers_group, ops.in_suppliers_group) == (True, False)
    for actor, named, code in (
        (here, "M1002", "merchant_not_found"),
        (here, "M9999", "merchant_not_found"),
        (ops, None, "merchant_needed"),
        (theirs, None, "merchant_not_here"),
        (unbound, None, "group_not_bound"),
    ):
        with pytest.raises(Refusal) as error:
            await door.merchant_in(actor, named)
        assert error.value.code == code
    other = await runtime.parties.merchants.by_no("M1002")
    async with runtime.system.store.transaction() as tx:
        assert await runtime.people.groups.bind_merchant(tx, CHAT, other.id)
    two = await door.actor(OPERATOR, "x", CHAT, private=False)
    with pytest.raises(Refusal) as error:
        await door.merchant_in(two, None)
    assert (error.value.code, error.value.facts["merchants"]) == (
        "merchant_ambiguous",
        "M1001, M1002",
    )
    assert (await door.merchant_in(two, "M1002")).merchant_no == "M1002"


async def test_a_key_opens_its_app(runtime: Runtime, shop: tuple[Merchant, App]) -> None:
    _, app = shop
    market = runtime.supply.market.now
    assert (await market()).app_by_key(app.key_id) == app
    app.need_address("203.0.113.7")
    execute = runtime.system.store.execute
    await execute("UPDATE app SET ip_allow = '{203.0.113.0/24}' WHERE id = $1", app.id)
    allowed = (await market()).app_by_key(app.key_id)
    allowed.need_address("203.0.113.7")
    assert replace(allowed, ip_allow=()) == app
    for address in ("198.51.100.1", "::1"):
        with pytest.raises(Refusal) as error:
            allowed.need_address(address)
        assert error.value.code == "address_not_allowed"
    await execute("UPDATE merchant SET state = 'suspended'")
    with pytest.raises(Refusal) as error:
        (await market()).app_by_key(app.key_id)
    assert error.value.code == "merchant_suspended"
    await execute("UPDATE app SET state = 'withdrawn'")
    for key_id in (app.key_id, "pdk_live_unknown", ""):
        with pytest.raises(Refusal) as error:
            (await market()).app_by_key(key_id)
        assert error.value.code == "key_unknown"


async def test_people_are_kept_by_number(runtime: Runtime) -> None:
    await runtime.people.people.employ(777, "小何", "support")
    await runtime.people.people.employ(777, "小何", "finance")
    person = await runtime.people.people.find(777)
    assert person is not None
    assert person.role == "finance"
    assert await runtime.people.people.find(778) is None
    assert [p.user_id for p in await runtime.people.people.owners()] == [OWNER]
