"""Merchants and suppliers in other currencies than the desk's usual one."""

from __future__ import annotations

from datetime import date
from itertools import count

from bot.world import open_live
from core.kernel.money import HOME_CURRENCY, Money, Rate
from core.kernel.tariff import Tariff
from core.parties.merchants import App, Merchant
from core.parties.suppliers import NewSupplier, Supplier
from core.runtime import Runtime
from core.supply.channels import NewChannel
from core.trade.orders import OpenOrder, PaymentSeen, get_attempts

_numbers = count(1)


async def open_supplier(
    runtime: Runtime, currency: str = HOME_CURRENCY, supplier_no: str = "S77"
) -> Supplier:
    """A live supplier without channels."""
    (known, *_) = await runtime.parties.suppliers.all()
    new = NewSupplier(
        supplier_no, "Gulf Pay", known.document_id,
        sandbox=True, legal_name="Gulf Pay W.L.L.", licence_no="SANDBOX-0077",
        licence_expires_on=date(2099, 12, 31), settles_to="merchant", currency=currency,
    )  # fmt: skip
    return await open_live(runtime, new, known.credentials)


def new_channel(channel_no: str = "C77", currency: str | None = None) -> NewChannel:
    """It costs 0.65 % and seven of the smallest units."""
    cost = Tariff.flat(Rate(6500, 7))
    return NewChannel(channel_no, "Gulf QR", "qr", cost, ("alipay_qr",), currency=currency)


async def open_shop(
    runtime: Runtime, currency: str, merchant_no: str = "M7701"
) -> tuple[Merchant, App]:
    """A merchant that pays 1.2 %."""
    merchants = runtime.parties.merchants
    merchant = await merchants.open(merchant_no, "Souq", currency=currency, reviewed=True)
    await merchants.offers.set_tariff(merchant, "alipay_qr", Tariff.flat(Rate(12000)), actor="test")
    keys = await merchants.apps.open(merchant, mode="live", name="shop", notify_url=None)
    return merchant, (await runtime.supply.market.now()).app_by_key(keys.key_id)


async def pay(runtime: Runtime, app: App, amount: Money) -> str:
    """An order that its supplier reports as paid: late, for the sandbox takes yuan alone. The
    number of the channel that had it."""
    number = next(_numbers)
    order = OpenOrder(f"KW-{number}", amount, "alipay_qr", "A lamp", "203.0.113.9")
    opened = await runtime.trade.creation.open(app, order, request_id="open")
    merchant_id = app.merchant.id
    (attempt,) = await get_attempts(runtime.system.store, merchant_id, opened.order.id)
    seen = PaymentSeen(merchant_id, attempt.attempt_no, f"KW{number}", amount, "reported")
    await runtime.trade.payments.settle_payment(seen, request_id="see")
    return attempt.channel_no
