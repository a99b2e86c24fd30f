"""Numbers of orders: whose they may be, and how many of one."""

from __future__ import annotations

import pytest

from core.kernel.errors import Refusal
from core.trade.orders import find_for, find_meant, get_attempts
from core.trade.orders.search import MAX_OF_ONE
from tests.core.support import ADMIN, OPS_CHAT, SUPPLIER_CHAT, Desk


async def test_a_number_that_a_supplier_gives_to_all_means_the_newest(desk: Desk) -> None:
    opened = [await desk.open() for _ in range(MAX_OF_ONE + 1)]
    await desk.runtime.system.store.execute("UPDATE attempt SET upstream_no = '0'")
    alone = await desk.open()
    assert alone.attempt is not None
    staff = await desk.actor(ADMIN, OPS_CHAT)
    theirs = alone.order.merchant_order_no
    found = await find_meant(desk.runtime.system.store, staff, ["0", theirs, "none"])
    assert set(found) == {"0", theirs}
    assert [key.order_id for key in found["0"]] == [o.order.id for o in opened[:0:-1]]
    assert [key.order_id for key in found[theirs]] == [alone.order.id]
    assert (await find_for(desk.runtime.system.store, staff, "0")).id == opened[-1].order.id


async def test_what_we_called_an_order_means_that_one_whoever_calls_others_so(desk: Desk) -> None:
    """What is pressed under a card, or typed behind a command, is done to this order."""
    meant = await desk.open()
    assert meant.attempt is not None
    store, staff = desk.runtime.system.store, await desk.actor(ADMIN, OPS_CHAT)
    for number in (meant.order.order_no, meant.attempt.attempt_no):
        await desk.open(merchant_order_no=number)
        assert len((await find_meant(store, staff, [number]))[number]) == 2
        for written in (number, number.lower()):
            assert (await find_for(store, staff, written)).id == meant.order.id


async def test_a_supplier_finds_what_it_was_told_and_nothing_of_others(desk: Desk) -> None:
    opened = await desk.open()
    assert opened.attempt is not None
    await desk.see(opened, 10000, upstream_no="U-1")
    order, attempt_no = opened.order, opened.attempt.attempt_no
    theirs = await desk.actor(ADMIN, SUPPLIER_CHAT)
    numbers = ["U-1", attempt_no.lower(), order.order_no, order.merchant_order_no]
    found = await find_meant(desk.runtime.system.store, theirs, numbers)
    assert set(found) == {"U-1", attempt_no.lower()}
    await desk.supplier.fault("create", "refuse")
    taken_by_another = await desk.open()
    refused, taken = await get_attempts(
        desk.runtime.system.store, desk.merchant.id, taken_by_another.order.id
    )
    assert (refused.supplier_no, taken.supplier_no) == ("S01", "S02")
    both = [refused.attempt_no, taken.attempt_no]
    assert set(await find_meant(desk.runtime.system.store, theirs, both)) == {refused.attempt_no}


async def test_what_is_not_found_is_said_in_short(desk: Desk) -> None:
    staff = await desk.actor(ADMIN, OPS_CHAT)
    with pytest.raises(Refusal) as error:
        await find_for(desk.runtime.system.store, staff, "x" * 500)
    assert error.value.code == "order_not_found"
    assert error.value.facts["number"] == "x" * 64
