"""The bench in small: its books are right, and the workbook says what the bill says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from bench.bills import fill, time_bill, time_file
from core.kernel.days import Days
from core.runtime import Connections, build
from past import StillClock
from tests.bench.formulas import Sheets
from tests.conftest import MASTER_KEY, PUBLIC_URL, Servers

ORDERS = 3000
STATEMENTS = 5  # of a bill, whatever its days


async def test_the_workbook_adds_up_to_the_bill(
    servers: Servers, database: str, tmp_path: Path
) -> None:
    start = (datetime.now(UTC) + timedelta(days=2)).replace(hour=4, minute=0)
    clock = StillClock(start)
    runtime = await build(
        Connections(servers.desk_dsn(database), servers.valkey_url),
        master_key=MASTER_KEY,
        public_url=PUBLIC_URL,
        allow_private_targets=True,
        clock=clock,
    )
    try:
        merchant, day = await fill(runtime, clock, ORDERS)
        assert [str(d) for d in (await runtime.reports.verify.whole()).differences] == []
        for shown in (day, day + timedelta(days=1)):
            bill_time = await time_bill(runtime, merchant, shown)
            assert bill_time.statements == STATEMENTS
            assert min(bill_time.executing_ms, bill_time.call_ms) > 0
        file = await time_file(runtime, merchant, day, tmp_path)
        bill = await runtime.reports.bills.merchant(merchant.id, Days.one(day))
    finally:
        await runtime.close()
    assert file.orders == ORDERS == sum(line.paid for line in bill.products)
    sheets = Sheets(file.path)
    assert sheets.names == ["概要", "产品", "按日", "通道", "订单", "预付", "调账", "补单"]
    assert len(sheets.cells_with_formulas()) > 30
    assert sheets.wrong() == []
    said = sheets.column("概要", "B")
    net = Decimal(sum(line.net_minor for line in bill.products)) / 100
    assert said["订单净额"] == net
    assert said["期末预付余额"] == said["账上期末余额"] == Decimal(bill.remaining_minor) / 100
    assert said["差额"] == 0
    assert sheets.formulas["订单"].max_row == ORDERS + 1
