from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.supplier.money import parse_yuan, yuan
from sandbox.supplier.orders import Ask, Orders, Outcome, PayRefused
from sandbox.supplier.store import Store

ASK = Ask("880001", "A1", "alipay_qr", 1234, "tea", "Tea House", "http://127.0.0.1:1/n", "", "::1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


def test_unpaid_orders_expire(store: Store) -> None:
    now = 1_000.0
    orders = Orders(store, 60, lambda: now)
    order = orders.open(ASK)
    now = 1_059.9
    assert orders.find(order.trade_no) == order
    now = 1_060.0
    with pytest.raises(PayRefused, match="CLOSED"):
        orders.pay(order, Outcome.PAID)
    found = orders.find_of("880001", "A1")
    assert found is not None
    assert found.status == "CLOSED"
    assert store.pending_callbacks(10) == []


def test_paid_orders_stay_paid(store: Store) -> None:
    now = 1_000.0
    orders = Orders(store, 60, lambda: now)
    order = orders.open(ASK)
    orders.pay(order, Outcome.TWICE)
    now = 2_000.0
    assert orders.close(order).status == "SUCCESS"
    second = store.payments(order.trade_no)[1]
    found = orders.find(second.trade_no)
    assert found is not None
    assert (found.trade_no, found.paid_at) == (order.trade_no, 1_000)


@pytest.mark.parametrize(
    ("text", "fen"),
    [("0.01", 1), ("12.34", 1234), ("100.00", 10_000), ("0.00", 0)]
    + [(text, None) for text in ("1", "1.5", ".50", "01.00", "-1.00", "1.234", "１.00", "1,0.00")],
)
def test_amounts(text: str, fen: int | None) -> None:
    assert parse_yuan(text) == fen
    if fen is not None:
        assert yuan(fen) == text
