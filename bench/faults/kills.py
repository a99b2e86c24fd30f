"""kill -9 of PostgreSQL, of Valkey and of the desk, while orders are made and money is typed."""

from __future__ import annotations

import asyncio
import math
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from bench.faults.kit import Call, Desk, Line, NotSo, Row, Site, every, share, until
from bench.faults.kit.machine import send
from bench.faults.kit.town import OPERATORS

SERVED_BAR_S: Final = 10.0
_SERVED_BAR: Final = f"served again ≤ {SERVED_BAR_S:.0f} s without a person"
# How long is looked for the first that is served, and for the last answer and payment.
_SERVED_S: Final = 30.0
_SETTLED_S: Final = 40.0
_CREATE_S: Final = 0.25
_LINE_S: Final = 0.8
_GROUPS: Final = 15
_FIRST: Final = 1_000
_LIMIT: Final = 400


async def kill_everything(place: Site, *, calm_s: float = 5.0) -> list[Row]:
    """One after another; between them so much time passes in which all is well."""
    desk, load, rows = place.desks[0], Load(place), []
    async with asyncio.TaskGroup() as group:
        group.create_task(load.orders())
        group.create_task(load.lines())
        for what, kill in _kills(place, desk).items():
            await asyncio.sleep(calm_s)
            rows.append(await _killed(load, what, kill))
        await asyncio.sleep(calm_s)
        load.enough.set()
    return [*rows, *await load.checked(desk)]


def _kills(place: Site, desk: Desk) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
    async def postgres() -> None:
        send(signal.SIGKILL, [place.postgres_pid])

    async def valkey() -> None:
        send(signal.SIGKILL, [place.valkey_pid])

    async def the_desk() -> None:
        """What watches over a desk starts it again: that is part of the plant."""
        await desk.kill()
        await desk.start(ready=False)

    return {"PostgreSQL": postgres, "Valkey": valkey, "the desk": the_desk}


async def _killed(load: Load, what: str, kill: Callable[[], Coroutine[Any, Any, None]]) -> Row:
    began_s = time.monotonic()
    killing = asyncio.create_task(kill())
    created_s, answered_s = await asyncio.gather(load.taken_s(began_s), load.answered_s(began_s))
    await killing
    measured = f"an order after {created_s:.1f} s, a line of money after {answered_s:.1f} s"
    good = max(created_s, answered_s) <= SERVED_BAR_S
    return Row(f"kills: {what}", "kill -9 under load", measured, _SERVED_BAR, good)


@dataclass(slots=True)
class Load:
    """Orders that are paid, and lines of money in the groups; and what became of them."""

    place: Site
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    opened: list[Call] = field(default_factory=list)
    paid: list[str] = field(default_factory=list)
    said: list[Line] = field(default_factory=list)
    _quiet: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._quiet = self.place.town.groups[_GROUPS:]

    async def orders(self) -> None:
        """Each that is answered 201 is paid at once."""

        async def pay(created: Call) -> None:
            self.opened.append(created)
            if await self.place.pay(created):
                self.paid.append(created.order_no)

        numbers = self.place.town.numbers
        shop = self.place.shop()
        await shop.creates(_LIMIT, _CREATE_S, numbers, enough=self.enough, created=pay)

    async def lines(self) -> None:
        """All but the last groups are spoken in, each too seldom for Telegram to mind."""
        async for number in every(_LINE_S, _LIMIT):
            if self.enough.is_set():
                break
            await self._say(self.place.town.groups[number % _GROUPS])

    async def _say(self, chat_id: int) -> Line:
        """A line of an amount that no other line has."""
        number = len(self.said)
        user_id = OPERATORS[number // _GROUPS % len(OPERATORS)]
        line = await self.place.chats.say(user_id, chat_id, f"+{_FIRST + number}")
        self.said.append(line)
        return line

    async def taken_s(self, since_s: float) -> float:
        """Until an order is taken that was sent since then; endless where none is."""

        async def look() -> float:
            ends = [call.began_s + call.took_s for call in self.opened if call.began_s >= since_s]
            return min(ends, default=0.0)

        return await _seconds(look, since_s, "an order is taken")

    async def answered_s(self, since_s: float) -> float:
        """Until a line is answered that is said now, where nobody spoke before; endless where it
        is not."""
        answers = self.place.chats.answers([await self._say(self._quiet.pop())])
        await answers.wait(_SERVED_S)
        late = answers.late_s()
        return time.monotonic() - since_s if late else math.inf

    async def checked(self, desk: Desk) -> list[Row]:
        """Once everything had time to arrive: the books beside what was acknowledged."""
        answers = self.place.chats.answers(self.said)
        paid = until(self._all_paid, what="all is paid", within_s=_SETTLED_S)
        await asyncio.gather(answers.wait(_SETTLED_S), paid, return_exceptions=True)
        per_line = answers.per_line()
        in_books, booked = await self._in_the_books(), await self._booked()
        lost = [line for line in self.said if not booked[line.text]]
        twice = [line for line in self.said if booked[line.text] > 1]
        code, said = await desk.command("verify-books")
        orders = {call.order_no for call in self.opened}
        return [
            Row("kills: orders", f"{len(orders)} answered 201, {len(self.paid)} of them paid",
                f"{share(len(orders & set(in_books)), len(orders))} are there,"
                f" {sum(in_books[no] == 1 for no in self.paid)} booked once as paid",
                "all are there, paid ones are booked once",
                orders <= set(in_books) and all(in_books[no] == 1 for no in self.paid)),
            Row("kills: lines of money", f"{len(self.said)} lines in as many groups as there are",
                f"{share(len(self.said) - len(lost), len(self.said))} booked, {len(twice)} twice;"
                f" {per_line.count(0)} unanswered, {sum(n > 1 for n in per_line)} answered twice",
                "all booked once, each answered", not lost and not twice and 0 not in per_line),
            Row("kills: books", "verify-books", said.strip()[-200:], "no difference", code == 0),
        ]  # fmt: skip

    async def _all_paid(self) -> bool:
        in_books = await self._in_the_books()
        return all(in_books[order_no] for order_no in self.paid)

    async def _in_the_books(self) -> Counter[str]:
        """How often each order was booked as paid; those that were not are there with 0."""
        async with self.place.database() as owner:
            rows = await owner.fetch(
                "SELECT order_no, count(e.id) AS booked FROM orders o LEFT JOIN ledger_event e"
                " ON e.order_id = o.id AND e.kind = 'order' GROUP BY order_no"
            )
        return Counter({row["order_no"]: row["booked"] for row in rows})

    async def _booked(self) -> Counter[str]:
        """How many vouchers each line has, by its text."""
        async with self.place.database() as owner:
            rows = await owner.fetch("SELECT abs(minor) / 100 AS main FROM voucher")
        return Counter(f"+{row['main']}" for row in rows)


async def _seconds(look: Callable[[], Awaitable[float]], since_s: float, what: str) -> float:
    try:
        return await until(look, what=what, within_s=_SERVED_S) - since_s
    except NotSo:
        return math.inf
