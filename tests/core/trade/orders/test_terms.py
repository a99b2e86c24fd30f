"""An order may be there before its product is chosen: whoever reads it bears that."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from bot.painter import Painter
from core.kernel.days import Days
from core.kernel.errors import Bug
from core.kernel.ids import read_number, uuid7_time
from core.trade.orders import get_order, order_view
from tests.core.support import CHAT, OPS_CHAT, Desk

UNCHOSEN = "product_code = NULL, rate = NULL, tariff_id = NULL, fee_minor = NULL"


async def unchosen(desk: Desk) -> tuple[UUID, str]:
    """An order of which only the amount is known; its id and number."""
    store, ids = desk.runtime.system.store, desk.runtime.system.ids
    pattern = (await desk.open()).order
    order_id, number = ids.uuid7(), ids.number("order", "live", desk.merchant.tag)
    created_at = uuid7_time(order_id)
    async with store.transaction() as tx:
        await tx.execute(
            "INSERT INTO order_key (merchant_id, app_id, merchant_order_no, order_id, order_no,"
            " created_at) VALUES ($1, $2, $3, $4, $3, $5)",
            pattern.merchant_id, pattern.app_id, number, order_id, created_at,
        )  # fmt: skip
        await tx.execute(
            "INSERT INTO orders (merchant_id, id, created_at, order_no, app_id, mode,"
            " merchant_order_no, amount_minor, currency, subject, client_ip, state, created_day,"
            " expires_at, end_at) VALUES ($1, $2, $3, $4, $5, 'live', $4, 10000, 'CNY', 'tea',"
            " '::1', 'created', $6, $7, $7)",
            pattern.merchant_id, order_id, created_at, number, pattern.app_id,
            pattern.created_day, created_at + timedelta(minutes=30),
        )  # fmt: skip
        await tx.execute(
            "INSERT INTO order_history (merchant_id, order_id, order_created_at, version, move,"
            " state_to, at, actor) VALUES ($1, $2, $3, 1, 'open', 'created', $3, 'test')",
            pattern.merchant_id, order_id, created_at,
        )  # fmt: skip
    return order_id, number


async def test_an_order_without_a_product_is_read_shown_and_ended(desk: Desk) -> None:
    order_id, number = await unchosen(desk)
    runtime, merchant_id = desk.runtime, desk.merchant.id
    facts = read_number(number)
    assert facts is not None
    shown = await runtime.trade.shown.find(merchant_id, number, facts)
    assert shown is not None
    assert (shown.pay, shown.document_id) == (None, None)
    order = shown.order
    assert (order.id, order.terms, order.amount.minor) == (order_id, None, 10000)
    with pytest.raises(Bug, match=number):
        order.agreed  # noqa: B018 (it is the property that raises)
    view = order_view(order, None, "https://desk.example/pay")
    assert (view["amount"], view["product"], view["fee"], view["net"]) == (10000, None, None, None)
    for chat_id in (CHAT, OPS_CHAT):
        card = await Painter(runtime).card(chat_id, merchant_id, order_id)
        assert card is not None
        assert "M1001\n" in card.html, "no product stands behind its merchant"

    desk.clock.advance(3600)
    assert await runtime.trade.follow_up.expire_due(10) == 2
    assert (await get_order(runtime.system.store, merchant_id, order_id)).state == "expired"
    await desk.sound()


async def test_an_order_without_a_product_counts_as_created(desk: Desk) -> None:
    """In the live tail of the books as in what is rolled up."""
    await unchosen(desk)
    for rolled_up in (False, True):
        if rolled_up:
            await desk.runtime.ledger.calendar.roll(desk.merchant.id)
        today = await desk.runtime.reports.bills.open_day(desk.merchant.id)
        bill = await desk.runtime.reports.bills.merchant(desk.merchant.id, Days.one(today))
        counted = {line.product_code: line.created for line in bill.products}
        assert counted == {"": 1, "alipay_qr": 1}
        await desk.sound()


@pytest.mark.parametrize(
    "change",
    [
        f"{UNCHOSEN}, state = 'created'",  # its attempt is live
        f"{UNCHOSEN}, state = 'pending', live_attempt_no = NULL",
        "fee_minor = NULL",
        "product_code = NULL, rate = NULL, tariff_id = NULL",
    ],
)
async def test_what_is_sent_or_paid_has_all_its_terms(desk: Desk, change: str) -> None:
    opened = await desk.open()
    await desk.see(await desk.open(), 10000)
    for state in ("pending", "paid"):
        with pytest.raises(asyncpg.CheckViolationError):
            await desk.runtime.system.store.execute(
                f"UPDATE orders SET {change} WHERE state = $1", state
            )
    assert (await desk.order(opened)).agreed.product_code == "alipay_qr"
