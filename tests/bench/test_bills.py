"""The bench in small: its books are right, and the workbook says what the bill says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bench.bills import fill, measure
from bench.books import BenchClock
from core.bills import Days
from core.runtime import build
from tests.bench.formulas import Sheets
from tests.conftest import MASTER_KEY, PUBLIC_URL, Servers

ORDERS = 3000


async def test_the_workbook_adds_up_to_the_bill(
    servers: Servers, database: str, tmp_path: Path
) -> None:
    start = (datetime.now(UTC) + timedelta(days=2)).replace(hour=4, minute=0)
    clock = BenchClock(start)
    runtime = await build(
        database_url=servers.desk_dsn(database), redis_url=servers.valkey_url,
        master_key=MASTER_KEY, public_url=PUBLIC_URL, allow_private_targets=True, clock=clock,
    )  # fmt: skip
    try:
        merchant, day = await fill(runtime, clock, ORDERS)
        assert [str(d) for d in await runtime.verify.books()] == []
        figures = await measure(runtime, merchant, day, tmp_path)
        bill = await runtime.bills.merchant(merchant.id, Days.one(day))
    finally:
        await runtime.close()
    assert figures.orders == ORDERS == sum(line.paid for line in bill.products)
    sheets = Sheets(figures.path)
    assert sheets.names == ["概要", "产品", "按日", "通道", "订单", "预付", "调整", "补单"]
    formulas = sheets.cells_with_formulas()
    assert len(formulas) > 30
    for sheet, address in formulas:
        cached = sheets.cached[sheet][address].value
        value = sheets.value(sheet, address)
        if isinstance(value, Decimal):
            assert value == pytest.approx(Decimal(repr(cached)), abs=Decimal("0.000001"))
        else:
            assert (value or "") == (cached or ""), (sheet, address)
    summary = {row[0].value: row[1] for row in sheets.formulas["概要"].iter_rows() if row[0].value}
    said = {name: sheets.value("概要", cell.coordinate) for name, cell in summary.items()}
    net = Decimal(sum(line.net_minor for line in bill.products)) / 100
    assert said["订单净额"] == net
    assert said["期末余额"] == said["账上期末余额"] == Decimal(bill.closing_minor) / 100
    assert said["差额"] == 0
    assert sheets.formulas["订单"].max_row == ORDERS + 1
