"""A supplier counts in one currency, its channels with it, and so do its bill, chart and file."""

from __future__ import annotations

import pytest

from core.kernel import codec
from core.kernel.days import Days
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.kernel.money import EXPONENTS, Money, Rate, parse_money
from core.parties.suppliers import Supplier
from core.reports.exports import Paper
from core.runtime import Runtime
from tests.conftest import Servers
from tests.core.abroad import new_channel, open_shop, open_supplier, pay
from tests.core.support import OPS_CHAT, OWNER, Desk, owner, refused


async def test_a_channel_counts_in_its_suppliers_currency(runtime: Runtime, desk: Desk) -> None:
    channels, store = runtime.supply.channels, runtime.system.store
    kuwait = await open_supplier(runtime, "KWD")
    home = await open_supplier(runtime, supplier_no="S78")
    assert (kuwait.currency, home.currency) == ("KWD", "CNY")
    assert (await runtime.parties.suppliers.by_no("S77")).currency == "KWD"
    await channels.add_channel(kuwait, new_channel())
    await channels.add_channel(kuwait, new_channel("C78", "KWD"))
    assert {(await channels.costs(no)).currency for no in ("C77", "C78")} == {"KWD"}
    before = await store.fetchval("SELECT count(*) FROM channel")
    for supplier, currency in ((kuwait, "CNY"), (home, "KWD"), (home, "ABC")):
        with pytest.raises(Refusal) as error:
            await channels.add_channel(supplier, new_channel("C79", currency))
        assert refused(error.value) == "channel_in_other_currency"
        assert error.value.facts == {
            "channel_no": "C79", "currency": currency,
            "supplier_no": supplier.supplier_no, "supplier_currency": supplier.currency,
        }  # fmt: skip
    for currency in ("ABC", "", "kwd"):
        with pytest.raises(Refusal) as error:
            await open_supplier(runtime, currency, "S79")
        assert refused(error.value) == "currency_unknown"
        with pytest.raises(Refusal) as error:
            await open_shop(runtime, currency)
        assert refused(error.value) == "currency_unknown"
    assert await store.fetchval("SELECT count(*) FROM channel") == before
    with pytest.raises(Refusal):
        await runtime.parties.suppliers.by_no("S79")


@pytest.mark.parametrize(
    ("currency", "amount", "cost", "due"),
    [("KWD", "12.345", "0.087", "12.258"), ("JPY", "1,000", "14", "986"),
     ("USDT", "1.000001", "0.006507", "0.993494")],
)  # fmt: skip
async def test_from_the_order_to_every_paper_of_its_supplier_and_the_platform(
    desk: Desk, currency: str, amount: str, cost: str, due: str
) -> None:
    desk.clock.go_to_noon()
    runtime = desk.runtime
    supplier = await open_supplier(runtime, currency)
    await runtime.supply.channels.add_channel(supplier, new_channel())
    _, app = await open_shop(runtime, currency)
    asked = parse_money(amount, currency)
    assert await pay(runtime, app, asked) == "C77"
    home = await desk.open(10000)
    assert home.attempt is not None
    assert home.attempt.channel_no != "C77"
    await desk.see(home, 10000)
    await check_papers(runtime, supplier, asked, cost, due)
    await check_platform(runtime, asked, cost)
    await desk.sound()


async def check_papers(
    runtime: Runtime, supplier: Supplier, asked: Money, cost: str, due: str
) -> None:
    currency = asked.currency
    day = Days.one(await runtime.reports.bills.open_day(supplier.id))
    bill = await runtime.reports.bills.supplier(supplier.id)
    (line,) = bill.lines
    assert (bill.currency, line.channel_no, line.paid) == (currency, "C77", 1)
    assert line.amount_minor == asked.minor
    assert line.cost_minor == parse_money(cost, currency).minor
    assert bill.closing_minor == line.due_minor == parse_money(due, currency).minor
    chart = await runtime.reports.exports.chart(Paper("chart", "s", supplier.id, day))
    assert (chart.currency, chart.amount_minor, chart.paid) == (currency, asked.minor, 1)
    async with runtime.reports.exports.supplier(Paper("excel", "s", supplier.id, day)) as reading:
        rows = [row async for chunk in reading.takings() for row in chunk]
    assert [(r.amount_minor, r.due_minor) for r in rows] == [(asked.minor, line.due_minor)]
    counted = await runtime.reports.statistics.of_supplier(supplier.id, day)
    assert (counted.total.paid, counted.total.amount_minor) == (1, asked.minor)


async def check_platform(runtime: Runtime, asked: Money, cost: str) -> None:
    """Nothing of one currency is on the papers of another."""
    day = Days.one(await runtime.reports.bills.open_day(HOUSE))
    assert await runtime.parties.merchants.currencies() == ("CNY", asked.currency)
    for money, cost_minor in (
        (Money(10000, "CNY"), 65), (asked, parse_money(cost, asked.currency).minor),
    ):  # fmt: skip
        currency = money.currency
        async with runtime.reports.exports.platform(_platform("excel", day, currency)) as reading:
            bill = reading.bill
        assert (bill.currency, bill.cost_minor) == (currency, cost_minor)
        assert bill.fee_minor == Rate(12000).of(money.minor)
        (line,) = bill.merchants
        assert (line.paid, line.amount_minor) == (1, money.minor)
        chart = await runtime.reports.exports.chart(_platform("chart", day, currency))
        assert (chart.currency, chart.amount_minor) == (currency, money.minor)
        (counted,) = await runtime.reports.statistics.of_platform(day, ["channel"], currency)
        assert counted.total.amount_minor == money.minor
    assert (await runtime.reports.bills.platform(day)).currency == "CNY"


def _platform(what: str, days: Days, currency: str | None) -> Paper:
    return Paper(what, "p", HOUSE, days, currency=currency)  # type: ignore[arg-type]


async def test_the_usual_currency_is_what_most_merchants_have(desk: Desk) -> None:
    runtime, exports = desk.runtime, desk.runtime.reports.exports
    assert await runtime.parties.merchants.currencies() == ("CNY",)
    for number in range(2):
        await open_shop(runtime, "USD", f"M770{number}")
    await open_shop(runtime, "EUR", "M7710")
    assert await runtime.parties.merchants.currencies() == ("CNY", "USD", "EUR")
    await open_shop(runtime, "USD", "M7711")
    assert await runtime.parties.merchants.currencies() == ("USD", "CNY", "EUR")
    day = Days.one(await runtime.reports.bills.open_day(HOUSE))
    assert (await runtime.reports.bills.platform()).currency == "USD"
    assert (await exports.chart(_platform("chart", day, None))).currency == "USD"
    boss = await desk.actor(OWNER, OPS_CHAT)
    for number, (said, meant) in enumerate(((None, "USD"), ("CNY", "CNY"), ("EUR", "EUR"))):
        await exports.ask(boss, [_platform("excel", day, said)], reply_to=number)
        taken = await exports.queue.take()
        assert taken is not None
        assert taken.paper.currency == meant
        await exports.queue.finish(taken, digest=meant, file_id="f")
    usual, theirs = _platform("excel", day, None), Paper("excel", "m", desk.merchant.id, day)
    for paper in (
        _platform("excel", day, "KWD"), _platform("excel", day, "'"),
        Paper("excel", "m", desk.merchant.id, day, currency="USD"),
    ):  # fmt: skip
        with pytest.raises(Refusal) as error:
            await exports.ask(boss, [usual, theirs, paper], reply_to=9)
        assert refused(error.value) == "record_not_found"
    assert await exports.queue.take() is None  # nor what could have been had


async def test_before_any_merchant_the_platform_has_books(
    servers: Servers, database: str, runtime: Runtime
) -> None:
    async with owner(servers, database) as connection:
        await connection.execute("TRUNCATE merchant CASCADE")
    assert await runtime.parties.merchants.currencies() == ("CNY",)
    assert (await runtime.reports.bills.platform()).currency == "CNY"


async def test_papers_in_two_currencies_are_two_papers(desk: Desk) -> None:
    day = Days.one(await desk.runtime.reports.bills.open_day(HOUSE))
    await open_shop(desk.runtime, "KWD")
    digests = set()
    for currency in ("CNY", "KWD"):
        paper = _platform("excel", day, currency)
        assert codec.unpack(Paper, codec.pack(paper)) == paper
        async with desk.runtime.reports.exports.platform(paper) as reading:
            digests.add(await reading.digest("zh"))
    assert len(digests) == 2


def test_every_currency_reads_what_it_prints() -> None:
    for currency, places in EXPONENTS.items():
        money = Money(-1_234_567, currency)
        assert parse_money(money.plain(), currency) == money
        assert len(money.plain().partition(".")[2]) == places
