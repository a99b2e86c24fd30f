"""The shop whose books are measured: the demo's world, with two channels for each product."""

from __future__ import annotations

from typing import Final

from bot.world import Addresses, apps, seed
from core.kernel.money import Rate
from core.kernel.tariff import Tariff
from core.parties.merchants import Merchant
from core.runtime import Runtime
from core.supply.channels import NewChannel

_NOWHERE: Final = Addresses("http://127.0.0.1:1029", {"880001": "k" * 20, "880002": "k" * 20}, {})
# With those of the demo each product runs on two channels, one of each supplier.
_CHANNELS: Final = {
    "S02": NewChannel(
        "C05", "远洋 微信", "wechat_qr", Tariff.flat(Rate(6200)), ("wechat_qr",), amount_min=100
    ),
    "S01": NewChannel(
        "C06", "恒通 网银", "bank_web", Tariff.flat(Rate(5000)), ("bank_web",), amount_min=100
    ),
}


async def open_shop(runtime: Runtime) -> Merchant:
    """The demo's world; its first merchant."""
    await seed(runtime, _NOWHERE)
    await add_channels(runtime)
    return (await apps(runtime))[0][0]


async def add_channels(runtime: Runtime) -> None:
    """Channels beside the demo's, so that each product runs on two."""
    for supplier_no, channel in _CHANNELS.items():
        supplier = await runtime.parties.suppliers.by_no(supplier_no)
        await runtime.supply.channels.add_channel(supplier, channel)
