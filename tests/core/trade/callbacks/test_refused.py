"""Refused callbacks: kept within bounds, counted, one alarm in a row, ended by one that is true."""

from __future__ import annotations

from datetime import timedelta

from core.connectors import REFUSED_FOR, Callback
from core.people.alarms import Alarm
from core.system.retention import REFUSED_CALLBACKS
from core.trade.callbacks import ALARM_AFTER, KEPT_PER_HOUR, SIGNED, RefusedCallback
from core.trade.callbacks.refused import KEPT_PER_ATTEMPT, SAID_CHARS, SHOWN
from core.trade.orders import Opened
from tests.conftest import SUPPLIER_KEYS
from tests.core.support import Desk, alarms, pay_link
from tests.core.trade.callbacks.test_callbacks import stored


def junk(text: str, address: str = "203.0.113.9") -> Callback:
    return Callback("POST", "", {}, text.encode(), address)


async def refuse(desk: Desk, number: str, times: int, text: str = "status=SUCCESS&sign=x") -> None:
    for _ in range(times):
        reply = await desk.runtime.trade.callbacks.receive(number, junk(text), request_id="x")
        assert (reply.status, reply.body.strip()) == (400, b"fail")


def number_of(opened: Opened) -> str:
    assert opened.attempt is not None
    return opened.attempt.attempt_no


async def told(desk: Desk, kind: str = "refused") -> list[Alarm]:
    return [alarm for alarm in await alarms(desk.runtime) if alarm.kind == kind]


async def listed(desk: Desk, opened: Opened) -> list[RefusedCallback]:
    return await desk.runtime.trade.refused_callbacks.of_attempts(
        desk.merchant.id, [number_of(opened)]
    )


async def test_fourteen_are_one_alarm_fourteen_rows_and_a_figure(desk: Desk) -> None:
    opened = await desk.open()
    await refuse(desk, number_of(opened), ALARM_AFTER - 1)
    assert await told(desk) == []
    await refuse(desk, number_of(opened), 14 - (ALARM_AFTER - 1))
    (alarm,) = await told(desk)
    assert (alarm.subject, alarm.state, alarm.count) == ("S01", "standing", 14)
    rows = await listed(desk, opened)
    assert len(rows) == 14
    assert {(row.address, row.supplier_no, row.attempt_no) for row in rows} == {
        ("203.0.113.9", "S01", number_of(opened))
    }
    assert all(row.reason in REFUSED_FOR for row in rows)
    assert all(row.reason not in SIGNED for row in rows)
    assert all(row.said == "status=SUCCESS&sign=x" for row in rows)
    counts = await desk.runtime.trade.refused_callbacks.counts()
    assert [(no, count) for no, _, count in counts] == [("S01", 14)]
    assert await stored(desk) == [], "nothing of it is taken for a callback"

    await desk.supplier.forge(number_of(opened))
    (alarm,) = await told(desk)
    assert (alarm.state, alarm.count) == ("over", 14)
    await refuse(desk, number_of(opened), ALARM_AFTER - 1)
    assert await told(desk) == [], "a row of them begins anew"


async def test_suppliers_are_alarmed_apart(desk: Desk) -> None:
    for supplier_no in ("S01", "S02"):
        try_no = ALARM_AFTER if supplier_no == "S01" else ALARM_AFTER - 1
        await refuse(desk, supplier_no, try_no)
    assert [alarm.subject for alarm in await told(desk)] == ["S01"]
    supplier = await desk.runtime.parties.suppliers.by_no("S02")
    rows = await desk.runtime.trade.refused_callbacks.of_supplier(supplier.id)
    assert {(row.supplier_no, row.attempt_no) for row in rows} == {("S02", "")}


async def test_junk_does_not_fill_the_database(desk: Desk) -> None:
    opened = await desk.open()
    await refuse(desk, number_of(opened), KEPT_PER_ATTEMPT + 5)
    assert len(await listed(desk, opened)) == KEPT_PER_ATTEMPT
    await refuse(desk, "S01", KEPT_PER_HOUR)
    count = "SELECT count(*) FROM refused_callback"
    kept = await desk.runtime.system.store.fetchval(count)
    assert kept == KEPT_PER_HOUR - 5
    desk.clock.advance(3600)
    await refuse(desk, "S01", 1)
    assert await desk.runtime.system.store.fetchval(count) == kept + 1
    counts = await desk.runtime.trade.refused_callbacks.counts()
    assert sum(n for _, _, n in counts) == KEPT_PER_ATTEMPT + 5 + KEPT_PER_HOUR + 1

    desk.clock.advance(REFUSED_CALLBACKS / timedelta(seconds=1) - 60)
    await desk.runtime.trade.refused_callbacks.forget_old()
    assert await desk.runtime.system.store.fetchval(count) == 1


async def test_junk_takes_no_room_from_what_the_supplier_signed(desk: Desk) -> None:
    opened, other = await desk.open(), await desk.open()
    await refuse(desk, number_of(opened), KEPT_PER_ATTEMPT)
    await refuse(desk, "S01", KEPT_PER_HOUR)
    wrong = {"out_trade_no": number_of(other)}
    for _ in range(KEPT_PER_ATTEMPT + 5):
        await desk.supplier.forge(number_of(opened), overrides=wrong)
    counted = await desk.runtime.system.store.fetch(
        "SELECT reason = 'attempt' AS signed, count(*) AS n FROM refused_callback"
        " WHERE attempt_no = $1 GROUP BY 1",
        number_of(opened),
    )
    assert {row["signed"]: row["n"] for row in counted} == {
        False: KEPT_PER_ATTEMPT, True: KEPT_PER_ATTEMPT,
    }  # fmt: skip
    assert [row.reason in SIGNED for row in await listed(desk, opened)] == [True] * SHOWN


async def test_words_are_kept_without_secrets_cut_and_printable(desk: Desk) -> None:
    opened = await desk.open()
    secret = next(iter(SUPPLIER_KEYS.values()))
    long = f"a=\x00\x1b[31m&key={secret}&" + "&" * 5000
    await refuse(desk, number_of(opened), 1, long)
    (row,) = await listed(desk, opened)
    assert secret not in row.said
    assert len(row.said) <= SAID_CHARS
    assert row.said.isprintable()


async def test_what_is_signed_and_cannot_be_so_is_told_at_once(desk: Desk) -> None:
    opened, other = await desk.open(), await desk.open()
    answer = await desk.supplier.forge(
        number_of(opened), overrides={"out_trade_no": number_of(other)}
    )
    assert answer["status"] == 400
    (alarm,) = await told(desk, "contradiction")
    assert (alarm.facts["contradiction"], alarm.facts["order_no"]) == (
        "other_address", opened.order.order_no,
    )  # fmt: skip
    (row,) = await listed(desk, opened)
    assert (row.reason, row.reason in SIGNED) == ("attempt", True)
    assert await desk.balances() == {}


async def test_a_true_callback_leaves_nothing_here(desk: Desk) -> None:
    opened = await desk.open()
    await desk.supplier.pay(pay_link(opened), "paid")
    await desk.entrance.wait(1)
    assert await desk.runtime.trade.refused_callbacks.counts() == []
    assert await listed(desk, opened) == []
