"""The bill of a business day: as a rich message with tables, and as HTML with the same numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from core.bills import Bill, PrepaidLine, ProductLine
from core.channels import Product
from handlers.buttons import TurnBill
from handlers.screens.pieces import (
    MAX_HTML_CHARS,
    Bar,
    Screen,
    button,
    clip,
    credit_bar,
    fill,
    keyboard,
    short_time,
    signed,
)
from texts import number, translator

# Beyond this the rest of the products is added up in one line, or the message grows too long.
MAX_PRODUCTS: Final = 10
# How much of each name is shown; the shorter where the message would grow too long.
_LONG_NAME_CHARS: Final = 24
_SHORT_NAME_CHARS: Final = 8
_Cell = dict[str, Any]
_Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _ProductRow:
    name: str
    created: int
    paid: int
    rate: str
    amount: str
    fee: str
    net: str


@dataclass(frozen=True, slots=True)
class _PrepaidRow:
    time: str
    amount: str
    record_no: str
    actor_name: str
    remark: str
    undone_by: str


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The bill in words and figures; both forms are made from it, so they cannot differ."""

    title: str
    merchant: str
    period: str
    status: str
    products: tuple[_ProductRow, ...]
    movements: tuple[tuple[str, str], ...]
    closing: tuple[str, str]
    meaning: str
    bar: Bar | None
    prepaid: tuple[_PrepaidRow, ...]
    prepaid_title: str
    unpaid: str


def render_bill(
    bill: Bill, label: str, language: str, live: bool, products: dict[str, Product]
) -> Screen:
    """A bill. label: what the group calls prepayments; live: the pinned one that is edited in
    place, whose buttons post other days beside it."""
    sheet, html = _fitting(bill, label, language, products)
    named = translator(language).pgettext
    row = (
        button(named("desk", "Yesterday"), TurnBill(bill.merchant_id, "yesterday", fresh=live)),
        button(named("desk", "Today"), TurnBill(bill.merchant_id, "today", fresh=live)),
    )
    return Screen(
        html=html,
        rich={"blocks": _blocks(sheet, language), "skip_entity_detection": True},
        keyboard=keyboard(row),
    )


def _fitting(
    bill: Bill, label: str, language: str, products: dict[str, Product]
) -> tuple[_Sheet, str]:
    """The bill with names as long as a message has room for, and its HTML."""
    sheet = _sheet(bill, label, language, products, _LONG_NAME_CHARS)
    html = fill("bill", {"sheet": sheet}, language)
    if len(html) > MAX_HTML_CHARS:
        sheet = _sheet(bill, label, language, products, _SHORT_NAME_CHARS)
        html = fill("bill", {"sheet": sheet}, language)
    return sheet, html


def _sheet(
    bill: Bill, label: str, language: str, products: dict[str, Product], chars: int
) -> _Sheet:
    translate, named = translator(language).gettext, translator(language).pgettext
    plural = translator(language).ngettext
    if language != "zh" and label == "预付":
        label = named("desk", "Prepaid")
    net_minor = sum(line.net_minor for line in bill.products)
    movements = [
        (named("desk", "Opening balance"), number(bill.opening_minor, bill.currency)),
        (translate("Orders, net of fees"), signed(net_minor, bill.currency)),
    ]
    if bill.other_minor:
        movements.append((named("desk", "Adjustments"), signed(bill.other_minor, bill.currency)))
    movements.append((label, signed(-bill.prepaid_minor, bill.currency)))
    if bill.closing_minor < 0:
        meaning = translate("%(label)s left: %(amount)s")
    elif bill.closing_minor > 0:
        meaning = translate("Owed to the merchant: %(amount)s")
    else:
        meaning = ""
    shown = len(bill.prepaid_lines)
    prepaid_title = label
    if bill.prepaid_count > shown:
        prepaid_title = translate("%(label)s, the last %(shown)s of %(count)s") % {
            "label": label, "shown": shown, "count": bill.prepaid_count,
        }  # fmt: skip
    unpaid = plural("%(count)s order still unpaid", "%(count)s orders still unpaid", bill.unpaid)
    return _Sheet(
        title=translate("Bill of %(day)s") % {"day": bill.day.isoformat()},
        merchant=f"{clip(bill.merchant_name, 40)} · {bill.merchant_no}",
        period=(
            f"{short_time(bill.starts_at, bill.zone)[:-3]} – "
            f"{short_time(bill.ends_at, bill.zone)[:-3]} · {bill.zone} · {bill.currency}"
        ),
        status=translate("🟢 live") if bill.open else translate("⚪ closed"),
        products=_product_rows(bill, language, products, chars),
        movements=tuple(movements),
        closing=(named("desk", "Closing balance"), number(bill.closing_minor, bill.currency)),
        meaning=meaning % {
            "label": label, "amount": number(abs(bill.closing_minor), bill.currency),
        },
        bar=credit_bar(bill.remaining_minor, bill.advanced_minor),
        prepaid=tuple(_prepaid_row(line, bill, chars) for line in bill.prepaid_lines),
        prepaid_title=prepaid_title,
        unpaid=unpaid % {"count": bill.unpaid} if bill.unpaid else "",
    )  # fmt: skip


def _product_rows(
    bill: Bill, language: str, products: dict[str, Product], chars: int
) -> tuple[_ProductRow, ...]:
    def named(line: ProductLine) -> str:
        product = products.get(line.product_code)
        if product is None:
            return line.product_code
        return product.name_zh if language == "zh" else product.name_en

    shown = [(named(line), line) for line in bill.products]
    if len(shown) > MAX_PRODUCTS:
        rest = [line for _, line in shown[MAX_PRODUCTS - 1 :]]
        shown = [
            *shown[: MAX_PRODUCTS - 1],
            (translator(language).gettext("Other products"), _added(rest)),
        ]
    return tuple(
        _ProductRow(
            name=clip(name, chars),
            created=line.created,
            paid=line.paid,
            rate=_success(line),
            amount=number(line.amount_minor, bill.currency),
            fee=number(line.fee_minor, bill.currency),
            net=number(line.net_minor, bill.currency),
        )
        for name, line in shown
    )


def _added(lines: list[ProductLine]) -> ProductLine:
    return ProductLine(
        "", sum(x.created for x in lines), sum(x.cohort_paid for x in lines),
        sum(x.paid for x in lines), sum(x.amount_minor for x in lines),
        sum(x.fee_minor for x in lines), sum(x.net_minor for x in lines),
    )  # fmt: skip


def _success(line: ProductLine) -> str:
    """'83.3%' of those created that day; '–' where none was."""
    if not line.created:
        return "–"
    tenths = (line.cohort_paid * 2000 + line.created) // (2 * line.created)
    return f"{tenths // 10}.{tenths % 10}%"


def _prepaid_row(line: PrepaidLine, bill: Bill, chars: int) -> _PrepaidRow:
    return _PrepaidRow(
        time=short_time(line.at, bill.zone)[6:11],
        amount=signed(line.minor, bill.currency),
        record_no=line.record_no,
        actor_name=clip(line.actor_name, chars),
        remark=clip(line.remark, chars),
        undone_by=clip(line.undone_by, chars),
    )


def _blocks(sheet: _Sheet, language: str) -> list[_Block]:
    named = translator(language).pgettext
    blocks: list[_Block] = [
        {"type": "heading", "size": 4, "text": f"📒 {sheet.title}"},
        _paragraph([_bold(sheet.merchant), f" · {sheet.status}"]),
    ]
    if sheet.products:
        blocks.append(_products_table(sheet, language))
    rows = [[_cell(name), _cell(amount, align="right")] for name, amount in sheet.movements]
    rows.append([_cell(_bold(sheet.closing[0])), _cell(_bold(sheet.closing[1]), align="right")])
    blocks.append(_table(rows))
    if sheet.meaning:
        blocks.append(_paragraph(sheet.meaning))
    if sheet.bar is not None:
        blocks.append(_paragraph(f"{sheet.bar.blocks} {sheet.bar.percent}%"))
    if sheet.prepaid:
        header = [sheet.prepaid_title, named("desk", "Amount"), named("desk", "By")]
        rows = [_header(header), *(_prepaid_cells(row) for row in sheet.prepaid)]
        blocks.append(_table(rows))
    if sheet.unpaid:
        blocks.append(_paragraph(f"⏳ {sheet.unpaid}"))
    blocks.append({"type": "footer", "text": sheet.period})
    return blocks


def _products_table(sheet: _Sheet, language: str) -> _Block:
    translate, named = translator(language).gettext, translator(language).pgettext
    header = [named("desk", "Product"), translate("Paid/all"), named("desk", "Amount")]
    rows = [_header(header)]
    for line in sheet.products:
        rows.append(
            [
                _cell(_bold(line.name)),
                _cell(f"{line.paid}/{line.created}", align="right"),
                _cell(line.amount, align="right"),
            ]
        )
        details = translate("success %(rate)s · fee %(fee)s · net %(net)s") % {
            "rate": line.rate, "fee": line.fee, "net": line.net,
        }  # fmt: skip
        rows.append([{**_cell(details), "colspan": 3}])
    return _table(rows)


def _prepaid_cells(row: _PrepaidRow) -> list[_Cell]:
    when: Any = f"{row.time} {row.record_no}"
    amount: Any = row.amount
    who = f"{row.actor_name} · {row.remark}" if row.remark else row.actor_name
    if row.undone_by:
        when, amount = _struck(when), _struck(amount)
        who = f"{who} ↩️ {row.undone_by}"
    return [_cell(when), _cell(amount, align="right"), _cell(who, align="right")]


def _table(rows: list[list[_Cell]]) -> _Block:
    return {"type": "table", "is_compact": True, "is_striped": True, "cells": rows}


def _header(texts: list[str]) -> list[_Cell]:
    return [
        {**_cell(text, align="right" if place else "left"), "is_header": True}
        for place, text in enumerate(texts)
    ]


def _cell(text: Any, *, align: str = "left") -> _Cell:
    return {"text": text, "align": align, "valign": "middle"}


def _paragraph(text: Any) -> _Block:
    return {"type": "paragraph", "text": text}


def _bold(text: str) -> dict[str, str]:
    return {"type": "bold", "text": text}


def _struck(text: str) -> dict[str, str]:
    return {"type": "strikethrough", "text": text}
