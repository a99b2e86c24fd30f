"""What a message comes to, in one line that a person reads: `ShowBill today M1001`."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from decimal import Decimal
from typing import Any

from core.people.payout_addresses import Address
from handlers.commands import PARSER
from handlers.money.money_lines import AdvanceLine, PhoneLike, Unreadable
from handlers.orders.numbers import NumberWord
from texts.amounts import Typed
from texts.days import DaySpan, Mark, NoSuchDay

BOT = "paydesk_bot"


def meaning(text: str) -> str:
    """What the parser makes of a text: an intent with what it says, `talk`, or `talk: /bill?`
    where only its writer is told what was probably meant."""
    found = PARSER.parse(text, BOT)
    if found is not None:
        return _written(found)
    near = PARSER.nearby(text, BOT)
    if near is None:
        return "talk"
    said = "no command" if near.slash else "talk"
    return " ".join((f"{said}:", *(f"{one.written}?" for one in near.near))).rstrip(":")


def _written(thing: Any) -> str:
    match thing:
        case AdvanceLine(line, amount, rate, merchant_no, remark):
            units = f"{amount.units.normalize():+f}"
            parts = [_place(line), units, amount.currency, f"at {rate}" if rate else ""]
            parts += [merchant_no or "", _quoted(remark)]
        case Unreadable(line, text, why, aside):
            parts = [_place(line), _quoted(text), why, "aside" if aside else ""]
        case PhoneLike(line, text):
            parts = [_place(line), _quoted(text), "telephone"]
        case Typed():
            parts = [f"{thing.units.normalize():f}", thing.currency]
        case NumberWord():
            parts = ["+".join(thing.readings[0])]
        case DaySpan(first, last):
            parts = [_written(first) + ("" if first == last else f"~{_written(last)}")]
        case Mark(year, month, day):
            parts = ["-".join(f"{part:02}" for part in (year, month, day) if part is not None)]
        case NoSuchDay(text):
            parts = [f"no such day {text}"]
        case Address():
            parts = [thing.text]
        case tuple():
            parts = [_written(one) for one in thing]
        case str():
            parts = [_quoted(thing) if " " in thing else thing]
        case Decimal() | int():
            parts = [f"{thing}"]
        case _ if is_dataclass(thing):
            parts = [type(thing).__name__, *(_field(thing, one) for one in fields(thing))]
        case _:
            raise AssertionError(f"{type(thing).__name__} cannot be written")
    return " ".join(part for part in parts if part)


def _field(thing: Any, one: Field[Any]) -> str:
    value = getattr(thing, one.name)
    if value is None or value is False or (one.default is not MISSING and value == one.default):
        return ""
    return one.name if value is True else _written(value)


def _place(line: int) -> str:
    return f"{line}:" if line > 1 else ""


def _quoted(text: str) -> str:
    return f"“{text}”" if text else ""
