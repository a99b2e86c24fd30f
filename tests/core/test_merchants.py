"""Merchants: their review, their names, and the products that are open to them."""

from __future__ import annotations

import pytest

from core.errors import Refusal
from core.merchants import App, Merchant
from core.money import Rate
from core.runtime import Runtime
from core.tariff import Tariff
from tests.core.support import Desk, refused


async def keys_of(runtime: Runtime, merchant: Merchant, mode: str) -> str:
    keys = await runtime.merchants.open_app(merchant, mode=mode, name="shop", notify_url=None)
    return keys.key_id


async def test_live_keys_need_a_passed_review(runtime: Runtime) -> None:
    merchant = await runtime.merchants.open_merchant("M2001", "新店", reviewed=False)
    assert not merchant.reviewed
    live = await keys_of(runtime, merchant, "live")
    test = await keys_of(runtime, merchant, "test")
    with pytest.raises(Refusal) as error:
        await runtime.merchants.app_by_key(live)
    assert refused(error.value) == "merchant_not_reviewed"
    assert (error.value.kind.type, error.value.facts) == ("permission", {"merchant_no": "M2001"})
    assert (await runtime.merchants.app_by_key(test)).mode == "test"
    await runtime.store.execute(
        "UPDATE merchant SET reviewed_at = now() WHERE id = $1", merchant.id
    )
    app = await runtime.merchants.app_by_key(live)
    assert (app.mode, app.merchant.reviewed) == ("live", True)


async def test_a_merchant_is_taken_as_reviewed(runtime: Runtime) -> None:
    merchant = await runtime.merchants.open_merchant("M2001", "新店")
    assert merchant.reviewed
    app = await runtime.merchants.app_by_key(await keys_of(runtime, merchant, "live"))
    assert app.merchant == merchant


async def test_what_is_open_goes_on_without_a_review(
    runtime: Runtime, shop: tuple[Merchant, App]
) -> None:
    """Orders that exist are followed to their end: only new calls need the review."""
    merchant, app = shop
    await runtime.store.execute("UPDATE merchant SET reviewed_at = NULL WHERE id = $1", merchant.id)
    assert (await runtime.merchants.app_by_id(app.id)).id == app.id
    assert app.id in {found.id for found in await runtime.merchants.apps_of(merchant)}


@pytest.mark.parametrize(
    "name", ["", " ", "\u3000", "x" * 65, "a\nb", "a\x00", "\x7f", "a\x85b", "a\u2028b", "\u202eb"]
)
async def test_a_name_that_suppliers_could_not_take_is_refused(runtime: Runtime, name: str) -> None:
    with pytest.raises(Refusal) as error:
        await runtime.merchants.open_merchant("M2001", name)
    assert (refused(error.value), error.value.param) == ("field_invalid", "name")
    with pytest.raises(Refusal):
        await runtime.merchants.by_no("M2001")


@pytest.mark.parametrize("name", ["x", "茶" * 64, "Tom & Söhne <茶>  №1 🍵"])
async def test_a_name_stays_as_it_was_written(runtime: Runtime, name: str) -> None:
    await runtime.merchants.open_merchant("M2001", name)
    assert (await runtime.merchants.by_no("m2001")).name == name


async def test_a_product_that_is_off_is_not_sold(desk: Desk) -> None:
    merchants = desk.runtime.merchants
    before = await merchants.offers(desk.merchant)
    assert before["alipay_qr"].tariff == Tariff.flat(Rate(12000))
    assert list(before) == sorted(before)
    await desk.open()
    await desk.runtime.store.execute("UPDATE product SET state = 'off' WHERE code = 'alipay_qr'")
    del before["alipay_qr"]
    assert await merchants.offers(desk.merchant) == before
    with pytest.raises(Refusal) as error:
        await desk.open()
    assert refused(error.value) == "product_unknown"
