"""The gallery: what the bot says, in Chinese and English, a page of docs/gallery for each topic.

`python -m tests.handlers.gallery` writes it anew; a test fails where it is stale.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from bot.first_use import make_ready
from core.delivery.outbox import Say, Stored, values_of
from core.reports.bills import Bill
from core.trade.orders import Attempt, Order
from handlers.bills.merchant import render_bill
from handlers.bills.platform import render_platform_bill
from handlers.bills.supplier import render_supplier_bill
from handlers.screens import CardContext, Screen, render_card, render_say, render_supplier_card
from handlers.topics import TOPICS
from tests.handlers.kit.test_sheets import BILL, PLATFORM, SUPPLIER
from tests.handlers.test_screens import ATTEMPT, CONTEXT, ORDER, PRODUCTS, STATES, orders_of
from tests.handlers.written import HOSTILE

PAGES: Final = Path(__file__).resolve().parents[2] / "docs" / "gallery"
HERE: Final = Path(__file__).parent
# People write this here; what else they may write is the business of other tests.
_WRITTEN: Final = "云杉 & Co"
MOST: Final = 24
# Lists of what other screens say in full, and screens that each say many things.
_MOST_OF: Final = {"alarms": 2, "usage": 8, "help_notice": 6, "one_alarm": 90, "audit": 12}
_MOST_LINES: Final = 30
_WORST: Final = "&amp;&amp;"  # how much Telegram takes is the business of other tests
_DIGITS: Final = re.compile(r"\d+")
_GAP: Final = re.compile(r"\n{2,}")

Draw = Callable[[str], Screen]


@dataclass(frozen=True, slots=True)
class Example:
    """One thing that the bot says. name: of its screen. draw: it in a language."""

    name: str
    draw: Draw


def topics() -> list[str]:
    """Those that have a page, in the order of the help."""
    told = [topic.name for topic in TOPICS]
    return [name for name in (*told, "kit") if (HERE / name / "examples.py").exists()]


def examples(topic: str) -> Iterator[Example]:
    """All that a topic's tests draw."""
    module = import_module(f"tests.handlers.{topic}.examples")
    for notice in module.EXAMPLES:
        say = Say(Stored(notice.screen, readable(values_of(notice))))
        yield Example(notice.screen, partial(render_say, say))
    yield from _MORE.get(topic, ())


def readable(value: Any) -> Any:
    """The facts of a screen with something that people do write."""
    if isinstance(value, dict):
        return {name: readable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [readable(inner) for inner in value]
    return value.replace(HOSTILE, _WRITTEN) if isinstance(value, str) else value


def chosen(every: Sequence[Example]) -> list[tuple[str, Screen, Screen]]:
    """Name, Chinese and English of those that say what none before them says. Numbers alone make
    no difference."""
    said: dict[str, set[str]] = {}
    found: dict[str, list[tuple[str, Screen, Screen]]] = {}
    for example in every:
        there = found.setdefault(example.name, [])
        if len(there) == _MOST_OF.get(example.name, MOST):
            continue
        chinese = example.draw("zh")
        if _WORST in chinese.html:
            continue
        lines = {_DIGITS.sub("0", line) for line in [*chinese.html.splitlines(), *_labels(chinese)]}
        known = said.setdefault(example.name, set())
        if lines <= known:
            continue
        known |= lines
        there.append((example.name, chinese, example.draw("en")))
    return [one for name in sorted(found) for one in found[name]]


def page(topic: str) -> str:
    """The page of a topic, in Markdown."""
    parts = [f"# {topic}\n"]
    before = ""
    for name, chinese, english in chosen(list(examples(topic))):
        if name != before:
            parts.append(f"\n## {name}\n")
        before = name
        cells = '\n</td><td width="50%">\n'.join(map(_cell, (chinese, english)))
        parts.append(f'\n<table><tr valign="top"><td width="50%">\n{cells}\n</td></tr></table>\n')
    return "".join(parts)


def index() -> str:
    """The first page."""
    links = "\n".join(f"- [{name}]({name}.md)" for name in topics())
    return f"{_ABOUT}\n{links}\n"


def pages() -> dict[str, str]:
    """All of them: file name -> text."""
    make_ready()
    return {"README.md": index(), **{f"{topic}.md": page(topic) for topic in topics()}}


def write() -> None:
    """Make the folder be what the screens say."""
    PAGES.mkdir(exist_ok=True)
    now = pages()
    for path in PAGES.glob("*.md"):
        if path.name not in now:
            path.unlink()
    for name, text in now.items():
        (PAGES / name).write_text(text, encoding="utf-8")


def _cell(screen: Screen) -> str:
    # A line without anything would end the HTML for Markdown.
    lines = _GAP.sub("\n<br>\n", screen.html.strip()).splitlines()
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], "…"]
    text = "\n".join(line if line == "<br>" else f"{line}<br>" for line in lines)
    keys = "\n".join(
        " ".join(f"<kbd>{label}</kbd>" for label in row) + "<br>" for row in _rows(screen)
    )
    return f"{text}\n{keys}".rstrip("\n")


def _rows(screen: Screen) -> list[list[str]]:
    rows = screen.keyboard.inline_keyboard if screen.keyboard else []
    return [[button.text for button in row] for row in rows]


def _labels(screen: Screen) -> list[str]:
    return [label for row in _rows(screen) for label in row]


def _cards() -> Iterator[Example]:
    order = replace(ORDER, merchant_order_no="SHOP-1", subject=_WRITTEN)
    attempt = replace(ATTEMPT, said="")
    for state in STATES:
        for one in orders_of(state):
            shown = replace(one, merchant_order_no=order.merchant_order_no, subject=order.subject)
            for staff in (True, False):
                context = replace(CONTEXT, merchant_name=_WRITTEN, staff=staff)
                draw = partial(_draw_card, shown, attempt, context)
                yield Example(f"card of {'staff' if staff else 'a merchant'}", draw)
    draw = partial(render_supplier_card, order, [attempt], "Asia/Shanghai")
    yield Example("card of a supplier", draw)


def _draw_card(order: Order, attempt: Attempt, context: CardContext, language: str) -> Screen:
    return render_card(order, [attempt], context, language)


def _bills() -> Iterator[Example]:
    bill = replace(
        BILL,
        merchant_name=_WRITTEN,
        prepaid_lines=BILL.prepaid_lines[1:],
        completed_lines=BILL.completed_lines[1:],
    )
    supplier = replace(SUPPLIER, supplier_name=_WRITTEN)
    merchants = tuple(replace(one, merchant_name=_WRITTEN) for one in PLATFORM.merchants)
    suppliers = tuple(replace(one, supplier_name=_WRITTEN) for one in PLATFORM.suppliers)
    platform = replace(PLATFORM, merchants=merchants, suppliers=suppliers)
    for staff in (False, True):
        draw = partial(_draw_bill, bill, staff=staff)
        yield Example("bill of a merchant", draw)
    yield Example(
        "bill of a supplier",
        lambda language: render_supplier_bill(supplier, language=language, products=PRODUCTS),
    )
    yield Example(
        "bill of the platform",
        lambda language: render_platform_bill(platform, language=language, products=PRODUCTS),
    )


def _draw_bill(bill: Bill, language: str, *, staff: bool) -> Screen:
    return render_bill(bill, label="", language=language, live=True, products=PRODUCTS, staff=staff)


_MORE: Final = {"orders": tuple(_cards()), "bills": tuple(_bills())}
_ABOUT: Final = """# What the bot says

Every screen in Chinese and English, with its buttons, a page for each topic. Of examples that
differ in numbers alone there is one. What people write is “云杉 & Co” here.

The pages are made of the examples in `tests/handlers`: `python -m tests.handlers.gallery` writes
them anew, and a test fails where a page is not what the bot says now.
"""


if __name__ == "__main__":
    write()
