"""`make bench` in short: one tiny round of each, nothing fails, and the books are right."""

from __future__ import annotations

from bench.orders import booked, created, found
from bench.place import Measures
from bench.town import CALL
from tests.bench.conftest import TINY


async def test_orders_are_created_by_both(m: Measures) -> None:
    for apps, product in ((m.town.plain, "alipay_web"), (m.town.billed, CALL)):
        figure = await created(m, "create", apps, 8, product)
        assert figure.failed == 0
        assert figure.bare
        assert figure.desk > 0
        assert figure.p50_ms
        assert figure.p99_ms
        assert figure.p99_ms >= figure.p50_ms
    await m.verify()


async def test_a_payment_counts_when_it_is_booked(m: Measures) -> None:
    before = await paid(m)
    figure = await booked(m, "callback", m.town.whale)
    assert figure.failed == 0
    assert figure.desk > 0
    assert await paid(m) - before == TINY.items
    await m.verify()


async def test_both_find_every_order_that_is_asked_after(m: Measures) -> None:
    figure = await found(m, "query", 8)
    assert figure.failed == 0
    assert figure.desk > 0


async def paid(m: Measures) -> int:
    return int(await m.database.fetchval("SELECT count(*) FROM orders WHERE state = 'paid'"))
