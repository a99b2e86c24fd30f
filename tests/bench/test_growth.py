"""A past made in bulk is as true as a lived one, and is refused where the disk is too small."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bench.history import DAYS, NoRoom, make_past, need_room
from core.kernel.days import Days
from core.kernel.ids import month_of, read_number
from core.runtime import Runtime
from tests.conftest import Servers

ORDERS = 1200


async def test_a_past_is_right(runtime: Runtime, servers: Servers, database: str) -> None:
    past = await make_past(runtime, servers.owner_dsn(database), "M1001", ORDERS)
    assert (past.orders, past.whale_orders) == (ORDERS, ORDERS // 2)
    assert [str(d) for d in (await runtime.reports.verify.whole()).differences] == []
    bills, merchant = runtime.reports.bills, await runtime.parties.merchants.by_no("M1001")
    today = await bills.open_day(merchant.id)
    bill = await bills.merchant(merchant.id, Days(today - timedelta(days=DAYS + 1), today))
    assert sum(line.paid for line in bill.products) == ORDERS // 2 * 3 // 4
    assert len({line.product_code for line in bill.products}) > 1


async def test_its_orders_are_found_by_their_numbers(
    runtime: Runtime, servers: Servers, database: str
) -> None:
    await make_past(runtime, servers.owner_dsn(database), "M1001", ORDERS)
    actor = await runtime.people.access.actor(1001, "", 1001, private=True)
    rows = await runtime.system.store.fetch(
        "SELECT o.order_no, o.merchant_order_no, a.attempt_no, a.upstream_no, o.created_at, m.tag"
        " FROM orders o JOIN merchant m ON m.id = o.merchant_id JOIN attempt a"
        " ON a.merchant_id = o.merchant_id AND a.order_id = o.id"
        " WHERE o.state = 'paid' ORDER BY o.id"
    )
    for row in (rows[0], rows[-1]):
        said = read_number(row["order_no"])
        assert said is not None
        assert (said.month, said.merchant_tag) == (month_of(row["created_at"]), row["tag"])
        numbers = [row[n] for n in ("order_no", "merchant_order_no", "attempt_no", "upstream_no")]
        found = await runtime.trade.lookups.find(actor, numbers)
        assert len({found[number] for number in numbers}) == 1


def test_more_than_the_disk_holds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoRoom, match="need"):
        need_room(tmp_path, 10**12)
    need_room(tmp_path, 0)
