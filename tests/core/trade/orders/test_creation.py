"""Opening an order: same or new, which channel, and what the supplier says to it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from typing import Any

import pytest

from core.connectors import Accepted, Rejected
from core.kernel.errors import Refusal
from core.kernel.money import Money, Rate
from core.kernel.tariff import Tariff
from core.people.receipts import Cause
from core.supply.channels import SCRIPT, Reason
from core.supply.channels.pauses import PROBE, STREAK
from core.trade.orders import Opened, get_attempts
from core.trade.orders.creation import MAX_ATTEMPTS, NEVER_SENT_AFTER
from core.trade.orders.openings import FIRST_QUESTION, LONGEST_WAIT
from core.trade.orders.polls import LEASE
from core.trade.orders.supplier_calls import LONGEST_CALL, NEVER_SENT, TIMEOUTS
from tests.conftest import NOWHERE
from tests.core.support import ADMIN, CHAT, Desk, pay_link, wanted


async def attempts_of(desk: Desk, opened: Opened) -> list[tuple[str, str]]:
    """(supplier, state) of each attempt."""
    found = await get_attempts(desk.runtime.system.store, opened.order.merchant_id, opened.order.id)
    return [(a.supplier_no, a.state) for a in found]


async def nothing_written(desk: Desk) -> bool:
    counts = [
        await desk.runtime.system.store.fetchval(f"SELECT count(*) FROM {table}")
        for table in ("orders", "order_key", "order_history", "attempt", "attempt_history")
    ]
    return not any(counts)


async def unplug(desk: Desk, *supplier_nos: str) -> None:
    """Have nobody answer at these suppliers' address."""
    for supplier_no in supplier_nos:
        supplier = await desk.runtime.parties.suppliers.by_no(supplier_no)
        await desk.runtime.parties.suppliers.set_credentials(
            desk.runtime.system.store, supplier.id, {**supplier.credentials, "base_url": NOWHERE}
        )


async def test_an_order_can_be_paid_at_once(desk: Desk) -> None:
    opened = await desk.open(notify_url="http://127.0.0.1:9/n")
    assert not opened.again
    assert opened.order.state == "pending"
    assert opened.attempt is not None
    assert opened.attempt.state == "accepted"
    assert opened.order.live_attempt_no == opened.attempt.attempt_no
    assert pay_link(opened).startswith(f"{desk.supplier.base}/pay/")
    assert opened.order.agreed.fee_minor == 120
    assert opened.attempt.supplier_no == "S01"
    assert await desk.supplier.creates_of(opened.order.subject) == [opened.attempt.attempt_no]
    assert await desk.balances() == {}
    await desk.sound()


async def test_the_same_again_is_the_same_order(desk: Desk) -> None:
    first = await desk.open(metadata=(("cart", "1"),))
    asked = wanted(
        merchant_order_no=first.order.merchant_order_no,
        subject=first.order.subject,
        metadata=(("cart", "1"),),
        client_ip="198.51.100.9",
        expires_in_s=60,
    )
    again = await desk.runtime.trade.creation.open(desk.app, asked, request_id="again")
    assert (again.order, again.attempt, again.again) == (first.order, first.attempt, True)
    assert len(await desk.supplier.creates_of(first.order.subject)) == 1


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("amount", {"amount": Money(10001, "CNY")}),
        ("product", {"product": "wechat_qr"}),
        ("subject", {"subject": "coffee"}),
        ("notify_url", {"notify_url": "http://127.0.0.1:9/other"}),
        ("return_url", {"return_url": "http://127.0.0.1:9/back"}),
        ("metadata", {"metadata": (("cart", "2"),)}),
    ],
)
async def test_the_same_number_with_other_content_is_refused(
    desk: Desk, field: str, changes: dict[str, Any]
) -> None:
    asked = wanted()
    await desk.runtime.trade.creation.open(desk.app, asked, request_id="one")
    with pytest.raises(Refusal) as error:
        await desk.runtime.trade.creation.open(
            desk.app, replace(asked, **changes), request_id="two"
        )
    assert (error.value.code, error.value.param) == ("order_conflict", field)
    assert error.value.facts["differs"] == field
    assert await desk.runtime.system.store.fetchval("SELECT count(*) FROM orders") == 1


async def test_one_number_of_two_apps_is_two_orders(desk: Desk, neighbour: Desk) -> None:
    ours = await desk.open(merchant_order_no="SAME")
    theirs = await neighbour.open(merchant_order_no="SAME")
    assert not theirs.again
    assert ours.order.order_no != theirs.order.order_no


async def test_twins_are_one_order_and_one_call(desk: Desk) -> None:
    asked = wanted()
    opened = await asyncio.gather(
        *(desk.runtime.trade.creation.open(desk.app, asked, request_id=f"t{i}") for i in range(10))
    )
    assert len({o.order.id for o in opened}) == 1
    assert [o.again for o in opened].count(False) == 1
    assert {o.order.state for o in opened} == {"pending"}
    assert {pay_link(o) for o in opened} == {pay_link(opened[0])}
    assert len(await desk.supplier.creates_of(asked.subject)) == 1
    assert await attempts_of(desk, opened[0]) == [("S01", "accepted")]
    await desk.sound()


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"product": "cash"}, "product_unknown", "product"),
        ({"product": "bank_web", "amount_minor": 500}, "no_channel", None),
        ({"amount_minor": 99}, "no_channel", None),
        ({"amount": Money(500, "JPY")}, "currency_not_sold", "currency"),
    ],
)
async def test_what_no_channel_takes_is_refused_before_anything_is_written(
    desk: Desk, changes: dict[str, Any], code: str, param: str | None
) -> None:
    with pytest.raises(Refusal) as error:
        await desk.open(**changes)
    assert (error.value.code, error.value.param) == (code, param)
    assert await nothing_written(desk)


async def test_every_channel_that_was_left_out_is_named(desk: Desk) -> None:
    store = desk.runtime.system.store
    await store.execute("UPDATE channel SET state = 'off' WHERE channel_no = 'C03'")
    with pytest.raises(Refusal) as error:
        await desk.open(50)
    assert set(error.value.facts["reasons"].split("; ")) == {
        "C01: takes 1.00 or more",
        "C03: is off",
    }


async def test_a_fee_above_the_amount_is_refused(desk: Desk) -> None:
    await desk.runtime.parties.merchants.offers.set_tariff(
        desk.merchant, "alipay_qr", Tariff.flat(Rate(0, 10001)), actor="test"
    )
    with pytest.raises(Refusal) as error:
        await desk.open()
    assert (error.value.code, error.value.param) == ("fee_exceeds_amount", "amount")
    assert await nothing_written(desk)


async def test_a_definite_no_goes_on_to_the_next_channel(desk: Desk) -> None:
    await desk.supplier.fault("create", "refuse")
    opened = await desk.open()
    assert await attempts_of(desk, opened) == [("S01", "rejected"), ("S02", "accepted")]
    assert opened.attempt is not None
    assert opened.attempt.supplier_no == "S02"
    assert await desk.supplier.creates_of(opened.order.subject) == [opened.attempt.attempt_no]
    await desk.pay(opened)
    assert (await desk.order(opened)).state == "paid"
    assert (await desk.balances())["due/S02"] == -9930
    assert "due/S01" not in await desk.balances()
    await desk.sound()


async def test_an_attempt_keeps_why_it_is_on_no_other_channel(desk: Desk) -> None:
    """Kept with it, whatever becomes of the channels since."""
    store = desk.runtime.system.store
    await store.execute("UPDATE channel SET state = 'off' WHERE channel_no = 'C04'")
    await store.execute(
        "INSERT INTO product_channel (id, product_code, channel_id)"
        " SELECT gen_random_uuid(), 'alipay_qr', id FROM channel WHERE channel_no = 'C04'"
    )
    await desk.supplier.fault("create", "refuse")
    opened = await desk.open()
    await store.execute("UPDATE channel SET state = 'on'")
    first, second = await get_attempts(store, desk.merchant.id, opened.order.id)
    off = Reason("C04", "off")
    assert first.reasons == (off,)
    assert second.reasons == (Reason("C01", "refused", {"said": first.said}), off)
    assert list(map(str, second.reasons)) == [f"C01: refused: {first.said}", "C04: is off"]
    kept = await store.fetchval(
        "SELECT facts->'reasons' FROM attempt_history WHERE attempt_no = $1 AND move = 'create'",
        second.attempt_no,
    )
    assert kept == [asdict(reason) for reason in second.reasons]


async def test_a_channel_that_was_tried_is_not_tried_again(desk: Desk) -> None:
    """Four could take it; three are tried, each once, and the fourth is not asked."""
    store, runtime = desk.runtime.system.store, desk.runtime
    for number in ("C02", "C04"):
        await runtime.supply.channel_sets.add("alipay_qr", number, SCRIPT)
    await desk.supplier.fault("create", "refuse", times=4)
    opened = await desk.open()
    assert opened.order.state == "failed"
    attempts = await get_attempts(store, desk.merchant.id, opened.order.id)
    assert len({a.channel_no for a in attempts}) == len(attempts) == MAX_ATTEMPTS
    await desk.sound()


async def test_a_supplier_that_is_down_was_never_asked(desk: Desk) -> None:
    await unplug(desk, "S01")
    opened = await desk.open()
    assert await attempts_of(desk, opened) == [("S01", "rejected"), ("S02", "accepted")]
    attempts = await get_attempts(desk.runtime.system.store, desk.merchant.id, opened.order.id)
    assert attempts[0].said.startswith(NEVER_SENT)


async def test_what_cannot_be_written_for_a_supplier_goes_to_the_next(desk: Desk) -> None:
    """Its document and its credentials do not fit together: it rests like one that is down."""
    desk.clock.go_to_noon()
    supplier = await desk.runtime.parties.suppliers.by_no("S01")
    half = {name: value for name, value in supplier.credentials.items() if name != "key"}
    await desk.runtime.parties.suppliers.set_credentials(
        desk.runtime.system.store, supplier.id, half
    )
    for _ in range(STREAK):
        opened = await desk.open()
        assert await attempts_of(desk, opened) == [("S01", "rejected"), ("S02", "accepted")]
        attempts = await get_attempts(desk.runtime.system.store, desk.merchant.id, opened.order.id)
        assert attempts[0].said.startswith(NEVER_SENT)
    assert (await desk.runtime.supply.channels.by_no("C01")).paused_at is not None
    await desk.sound()


async def test_never_sent_is_not_believed_of_one_that_is_being_sent(desk: Desk) -> None:
    """It was read as left behind; its own process woke up and sent it before that was written."""
    opened = await desk.open()
    assert opened.attempt is not None
    store = desk.runtime.system.store
    await store.execute("UPDATE attempt SET state = 'sent', pay_kind = NULL, pay_value = NULL")
    await store.execute("UPDATE orders SET state = 'created'")
    seen = replace(opened.attempt, state="created")
    following = await desk.runtime.trade.creation.reject(
        opened.order, seen, "never sent", request_id="late", how="left"
    )
    assert following is None
    assert await attempts_of(desk, opened) == [("S01", "sent")]
    assert (await desk.order(opened)).live_attempt_no == seen.attempt_no


async def test_an_order_that_all_refuse_has_failed(desk: Desk) -> None:
    await desk.supplier.fault("create", "refuse", times=2)
    opened = await desk.open(notify_url="http://127.0.0.1:9/notify")
    assert opened.order.state == "failed"
    assert opened.attempt is None
    assert await attempts_of(desk, opened) == [("S01", "rejected"), ("S02", "rejected")]
    news = await desk.runtime.system.store.fetchval("SELECT type FROM notification")
    assert news == "order.failed"
    assert await desk.balances() == {}
    await desk.sound()


@pytest.mark.parametrize("kind", ["timeout", "500", "garbage"])
async def test_a_doubt_is_never_sent_elsewhere(desk: Desk, kind: str) -> None:
    """The supplier made the order, its answer was lost: it is asked again, and can be paid."""
    await desk.supplier.fault("create", kind, after=True, delay_s=0.1)
    opened = await desk.open()
    assert opened.order.state == "created"
    assert await attempts_of(desk, opened) == [("S01", "unknown")]
    (number,) = await desk.supplier.creates_of(opened.order.subject)

    desk.clock.advance(3)
    assert await desk.runtime.trade.follow_up.ask_due(10) == 1
    order = await desk.order(opened)
    assert order.state == "pending"
    assert order.live_attempt_no == number
    assert await attempts_of(desk, opened) == [("S01", "accepted")]
    assert await desk.supplier.creates_of(opened.order.subject) == [number]

    asked = wanted(merchant_order_no=order.merchant_order_no, subject=order.subject)
    again = await desk.runtime.trade.creation.open(desk.app, asked, request_id="again")
    await desk.pay(again)
    assert (await desk.order(opened)).state == "paid"
    await desk.sound()


def test_nothing_is_followed_while_it_may_still_be_sent() -> None:
    assert LONGEST_CALL.total_seconds() > TIMEOUTS.connect_s + TIMEOUTS.total_s
    assert min(FIRST_QUESTION, NEVER_SENT_AFTER, PROBE) > LONGEST_WAIT + LONGEST_CALL
    assert (MAX_ATTEMPTS + 2) * LONGEST_CALL < LEASE


async def test_asking_for_an_order_in_doubt_answers_at_once(desk: Desk) -> None:
    await desk.supplier.fault("create", "garbage", after=True)
    asked = wanted()
    await desk.runtime.trade.creation.open(desk.app, asked, request_id="one")
    async with asyncio.timeout(2):
        again = await desk.runtime.trade.creation.open(desk.app, asked, request_id="two")
    assert (again.order.state, again.again) == ("created", True)
    assert again.attempt is not None
    assert (again.attempt.state, again.attempt.pay) == ("unknown", None)


async def test_a_test_key_reaches_sandboxes_only(desk: Desk) -> None:
    """In a demo every supplier is a sandbox, so both modes get through; their books are apart."""
    keys = await desk.runtime.parties.merchants.apps.open(
        desk.merchant, mode="test", name="try", notify_url=None
    )
    app = (await desk.runtime.supply.market.now()).app_by_key(keys.key_id)
    opened = await desk.runtime.trade.creation.open(app, wanted(), request_id="t")
    assert opened.order.order_no.startswith("T")
    await desk.see(opened, 10000)
    assert await desk.balances() == {}
    assert (await desk.balances("test"))["payable"] == 9880
    await desk.sound()


async def test_a_credit_line_stops_no_test_orders(desk: Desk) -> None:
    """Their books only grow: nobody advances anything for them."""
    keys = await desk.runtime.parties.merchants.apps.open(
        desk.merchant, mode="test", name="try", notify_url=None
    )
    await desk.runtime.accounts.credit.set_line(
        await desk.actor(ADMIN), desk.merchant, Money(5_000, "CNY"), Cause(CHAT, 1, 1)
    )
    app = (await desk.runtime.supply.market.now()).app_by_key(keys.key_id)
    for _ in range(2):
        opened = await desk.runtime.trade.creation.open(app, wanted(), request_id="t")
        await desk.see(opened, 10_000)
    assert (await desk.balances("test"))["payable"] == 19_760


async def test_an_answer_after_the_money_changes_nothing(desk: Desk) -> None:
    await desk.supplier.fault("create", "garbage", after=True)
    opened = await desk.open()
    await desk.see(opened, 10000, upstream_no="U1")
    order = await desk.order(opened)
    (attempt,) = await get_attempts(desk.runtime.system.store, desk.merchant.id, order.id)
    late = Accepted("U1", pay=(await _some_pay(desk)))
    opening = desk.runtime.trade.creation
    for answer in (late, Rejected("1004", "channel closed")):
        assert await opening.take_answer(order, attempt, answer, request_id="late") is None
    assert await desk.order(opened) == order
    assert await attempts_of(desk, opened) == [("S01", "paid")]


async def _some_pay(desk: Desk) -> Any:
    attempt = (await desk.open()).attempt
    assert attempt is not None
    return attempt.pay
