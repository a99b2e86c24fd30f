"""Orders remember the version they were opened with, whatever their supplier uses since."""

from __future__ import annotations

from core.trade.orders import get_attempts
from tests.core.supply.onboarding.support import ELSEWHERE, approved, staff
from tests.core.support import Desk, pay_link


async def test_an_order_of_version_1_is_asked_about_and_called_back_by_version_1(
    desk: Desk,
) -> None:
    runtime, boss = desk.runtime, await staff(desk.runtime)
    by_callback, by_asking = await desk.open(), await desk.open()
    v1 = await runtime.supply.documents.by_no("sandbox_md5", 1)
    v2 = await approved(runtime, ELSEWHERE)
    for supplier in await runtime.parties.suppliers.all():
        await runtime.supply.onboarding.switch(boss, supplier, v2)
    after = await desk.open()
    for opened, document in ((by_callback, v1), (by_asking, v1), (after, v2)):
        (attempt,) = await get_attempts(
            runtime.system.store, opened.order.merchant_id, opened.order.id
        )
        assert attempt.document_id == document.id

    # Each version answers a callback in its own words.
    for opened, word in ((by_callback, "success"), (after, "thanks")):
        await desk.supplier.pay(pay_link(opened), "lose_callback")
        assert opened.attempt is not None
        heard = await desk.supplier.forge(opened.attempt.attempt_no)
        assert word in str(heard), heard
        forged = await desk.supplier.forge(opened.attempt.attempt_no, sign="wrong")
        assert "fail" in str(forged), forged
    await runtime.trade.callbacks.act_due(10)
    assert (await desk.order(by_callback)).state == "paid"
    assert (await desk.order(after)).state == "paid"

    # Version 2 asks where nobody answers, version 1 where the supplier is.
    unanswered = await desk.open()
    for opened in (by_asking, unanswered):
        await desk.supplier.pay(pay_link(opened), "lose_callback")
    desk.clock.advance(60)
    await runtime.trade.follow_up.ask_due(10)
    assert (await desk.order(by_asking)).state == "paid"
    assert (await desk.order(unanswered)).state == "pending"

    supplier = await runtime.parties.suppliers.by_no("S01")
    back = await runtime.supply.onboarding.roll_back(boss, supplier)
    assert back.document_id == v1.id
    asked = await desk.open()
    await desk.supplier.pay(pay_link(asked), "lose_callback")
    desk.clock.advance(60)
    await runtime.trade.follow_up.ask_due(10)
    assert (await desk.order(asked)).state == "paid"
    assert (await desk.order(unanswered)).state == "pending", "opened by version 2"
    await desk.sound()


async def test_a_supplier_that_is_off_takes_no_new_order_and_finishes_the_old_ones(
    desk: Desk,
) -> None:
    runtime, boss = desk.runtime, await staff(desk.runtime)
    opened = await desk.open()
    assert opened.attempt is not None
    assert opened.attempt.supplier_no == "S01"
    supplier = await runtime.parties.suppliers.by_no("S01")
    supplier = await runtime.supply.onboarding.switch_off(boss, supplier, "its contract ends")
    other = await desk.open()
    assert other.attempt is not None
    assert other.attempt.supplier_no == "S02"
    await desk.pay(opened)
    assert (await desk.order(opened)).state == "paid"
    await runtime.supply.onboarding.go_live(boss, supplier)
    again = await desk.open()
    assert again.attempt is not None
    assert again.attempt.supplier_no == "S01"
    await desk.sound()
