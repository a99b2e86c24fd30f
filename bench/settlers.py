"""Who is made alike around every desk of this folder: a supplier, merchants, their groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from bot import world
from core.kernel.money import Rate
from core.kernel.tariff import Tariff
from core.parties.merchants import AppKeys, Merchant
from core.parties.suppliers import NewSupplier, Supplier
from core.runtime import Runtime
from core.supply.channels import NewChannel, Product

SUPPLIER_NO: Final = "S01"
_LONG: Final = date(2099, 12, 31)
_COST: Final = Tariff.flat(Rate(6500))
_PRICE: Final = Tariff.flat(Rate(12000))


async def open_supplier(
    runtime: Runtime, document: str, credentials: Mapping[str, str], *, sandbox: bool
) -> Supplier:
    """The one supplier, live. document: a file of the library."""
    text = (world.DOCUMENTS / document).read_text(encoding="utf-8")
    approved = await world.approved_document(runtime, text)
    new = NewSupplier(
        SUPPLIER_NO,
        "恒通支付",
        approved.id,
        sandbox=sandbox,
        legal_name="恒通支付科技有限公司",
        licence_no="BENCH-0001",
        licence_expires_on=_LONG,
        settles_to="licensed_institution",
    )
    return await world.open_live(runtime, new, credentials)


async def sell(
    runtime: Runtime, supplier: Supplier, product: Product, channel_no: str, code: str
) -> None:
    """Sell a product over a channel of its own. code: the channel's at the supplier."""
    await runtime.supply.channels.products.add(product)
    channel = NewChannel(channel_no, f"恒通 {code}", code, _COST, (product.code,))
    await runtime.supply.channels.add_channel(supplier, channel)


async def open_merchant(
    runtime: Runtime, merchant_no: str, products: Sequence[str], *, mode: str, apps: int
) -> tuple[Merchant, list[AppKeys]]:
    """A merchant that is offered these products, with so many apps."""
    merchants = runtime.parties.merchants
    merchant = await merchants.open(merchant_no, f"Shop {merchant_no}", reviewed=True)
    for code in products:
        await merchants.offers.set_tariff(merchant, code, _PRICE, actor="bench")
    opened = [
        await merchants.apps.open(merchant, mode=mode, name=f"shop {place}", notify_url=None)
        for place in range(apps)
    ]
    return merchant, opened


async def open_group(
    runtime: Runtime, chat_id: int, merchant: Merchant | None, *, kind: str = "supergroup"
) -> None:
    """A group that the bot is in: a merchant's, which has a live bill from then on, or (None) the
    ops group."""
    groups = runtime.people.groups
    title = merchant.merchant_no if merchant is not None else "Ops"
    await groups.seen(chat_id, chat_type=kind, title=title, bot_status="administrator")
    async with runtime.system.store.transaction() as tx:
        if merchant is None:
            await groups.bind_ops(tx, chat_id)
        else:
            await groups.bind_merchant(tx, chat_id, merchant.id)
