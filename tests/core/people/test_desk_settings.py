"""Settings of the desk: their defaults, their bounds, and what one person may do by them."""

from __future__ import annotations

import pytest

from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.people.desk_settings import SETTINGS, check, loosens
from tests.core.support import OPS_CHAT, OWNER, Desk


async def put(desk: Desk, name: str, value: int | bool | None, currency: str = "") -> None:
    actor = await desk.actor(OWNER, OPS_CHAT)
    async with desk.runtime.system.store.transaction() as tx:
        await desk.runtime.people.settings.put(tx, actor, name, value, currency)


async def test_a_threshold_has_its_default_in_each_currency(desk: Desk) -> None:
    settings = desk.runtime.people.settings
    assert await settings.amount("prepay_second", "CNY") == Money(5_000_000, "CNY")
    assert await settings.amount("prepay_second", "KWD") == Money(50_000_000, "KWD")
    assert await settings.amount("prepay_second", "JPY") == Money(50_000, "JPY")
    assert await settings.amount("prepay_daily", "CNY") is None
    for minor, above in ((5_000_000, False), (5_000_001, True), (-5_000_001, True), (0, False)):
        assert await settings.exceeds("prepay_second", Money(minor, "CNY")) is above


async def test_what_is_set_counts_at_once_and_says_by_whom(desk: Desk) -> None:
    settings = desk.runtime.people.settings
    await put(desk, "prepay_second", 100)
    await put(desk, "prepay_second", 7, "USD")
    await put(desk, "refund_second", None)
    await put(desk, "keys_second", False)
    assert await settings.exceeds("prepay_second", Money(10_001, "CNY"))
    assert await settings.exceeds("prepay_second", Money(701, "USD"))
    assert not await settings.exceeds("refund_second", Money(10**15, "CNY"))
    assert not await settings.switched_on("keys_second")
    assert await settings.switched_on("hire_second")
    said = {(one.setting.name, one.currency): one for one in await settings.all()}
    assert set(SETTINGS) == {name for name, _ in said}
    assert (said["prepay_second", "USD"].value, said["prepay_second", ""].value) == (7, 100)
    assert said["prepay_second", ""].set_by_name != ""
    assert said["adjust_second", ""].set_at is None
    actions = await desk.runtime.system.store.fetch(
        "SELECT facts FROM audit WHERE action = 'set_setting' ORDER BY id"
    )
    assert [row["facts"]["before"] for row in actions] == [50_000, 100, 5_000, True]


@pytest.mark.parametrize(
    ("name", "value", "currency", "code"),
    [
        ("nothing", 1, "", "setting_unknown"),
        ("prepay_second", -1, "", "field_invalid"),
        ("prepay_second", 10**9 + 1, "", "field_invalid"),
        ("prepay_second", True, "", "field_invalid"),
        ("prepay_second", 1, "XXX", "currency_unknown"),
        ("chase_after", 0, "", "field_invalid"),
        ("chase_after", 1441, "", "field_invalid"),
        ("chase_after", None, "", "field_invalid"),
        ("chase_after", True, "", "field_invalid"),
        ("chase_after", 5, "CNY", "currency_unknown"),
        ("keys_second", 1, "", "field_invalid"),
        ("keys_second", None, "", "field_invalid"),
        ("keys_second", True, "CNY", "currency_unknown"),
    ],
)
def test_what_cannot_be_is_refused(
    name: str, value: int | bool | None, currency: str, code: str
) -> None:
    with pytest.raises(Refusal) as refused:
        check(name, value, currency)
    assert refused.value.code == code


def test_what_lets_one_person_do_more_is_known() -> None:
    amount, switch = SETTINGS["prepay_second"], SETTINGS["keys_second"]
    for before, after, more in ((5, 6, True), (5, None, True), (None, 5, False), (6, 5, False)):
        assert loosens(amount, before, after) is more
    for before_on, after_on, more in ((True, False, True), (False, True, False)):
        assert loosens(switch, before_on, after_on) is more
