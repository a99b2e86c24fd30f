"""What stands over the columns of every sheet and CSV, in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from handlers.files.columns import (
    Column,
    Speech,
    completion_columns,
    day_columns,
    discrepancy_columns,
    merchant_columns,
    movement_columns,
    order_columns,
    taking_columns,
    voucher_columns,
)


def tables(language: str) -> dict[str, Sequence[Column[Any]]]:
    speech = Speech(language, "CNY", "Asia/Shanghai", {})
    return {
        "orders": order_columns(speech, staff=True),
        "vouchers": voucher_columns(speech),
        "movements": movement_columns(speech),
        "completions": completion_columns(speech, staff=True),
        "discrepancies": discrepancy_columns(speech),
        "takings": taking_columns(speech),
        "days": day_columns(speech),
        "merchants": merchant_columns(speech),
    }


# Those of days apart: a day is headed by a word for a day.
HEADINGS = {
    "orders": "订单号 商户订单号 产品 金额 手续费 净额 费率 下单时间 支付时间 确认方式 "
    "通道 成本 利润",
    "vouchers": "时间 记录号 金额 原始金额 汇率 操作人 备注 撤销记录号 所撤销记录号",
    "movements": "时间 类型 产品 成交笔数 金额 手续费 净额 订单号 记录号 操作人 原因",
    "completions": "时间 订单号 商户订单号 金额 操作人 凭证 状态 原因",
    "discrepancies": "时间 类型 订单号 供应商 供应商单号 订单金额 实收 仍挂账",
    "takings": "时间 类型 状态 支付单号 供应商单号 通道 产品 金额 成本 应结",
    "days": "期初预付余额 成交笔数 金额 手续费 净额 其他 其他中手续费 预付 期末预付余额 "
    "其中商户欠款",
    "merchants": "商户 名称 成交笔数 金额 手续费 成本 预付余额 商户欠款 应付商户",
}


@pytest.mark.parametrize("table", list(HEADINGS))
def test_every_column_is_headed_by_what_it_holds(table: str) -> None:
    columns = tables("zh")[table]
    assert " ".join(c.title for c in columns if c.kind != "day") == HEADINGS[table]
    assert all("日" in column.title for column in columns if column.kind == "day")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_two_columns_of_a_table_are_headed_alike(language: str) -> None:
    assert set(tables(language)) == set(HEADINGS)
    for name, columns in tables(language).items():
        titles = [column.title for column in columns]
        assert len(set(titles)) == len(titles), name
        assert all(titles), name
