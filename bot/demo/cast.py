"""Who is in a demo with a past, besides the world that every demo has."""

from __future__ import annotations

from typing import Final

from bot import world
from bot.world import DemoGroup, DemoSupplier, User
from core.kernel.clock import DayCut
from core.kernel.money import Rate
from core.kernel.tariff import Tariff
from core.runtime import Runtime
from core.supply.channels import NewChannel, Product

NEW_MERCHANT_NO: Final = "M1003"
_NAME: Final = "青禾生鲜"
USERS: Final = (*world.USERS, User(1103, "何晴", "merchant_staff", "heqing_greenleaf"))
GROUPS: Final = (
    *world.GROUPS[:3],
    DemoGroup(
        -1002000000103,
        "merchant",
        "青禾生鲜 × Paydesk",
        "zh",
        NEW_MERCHANT_NO,
        (*world.STAFF, 1103),
    ),
    *world.GROUPS[3:],
)
PRODUCTS: Final = (
    Product("alipay_h5", "支付宝 H5", "Alipay H5"),
    Product("wechat_h5", "微信 H5", "WeChat Pay H5"),
    Product("unionpay_qr", "云闪付扫码", "UnionPay QR"),
)
# With these each product of before has a second channel. The first number of a pair: the supplier.
_CHANNELS: Final = (
    ("S02", "C05", "远洋 微信", "wechat_qr", 6200),
    ("S01", "C06", "恒通 网银", "bank_web", 5000),
    ("S01", "C07", "恒通 支付宝 H5", "alipay_h5", 6800),
    ("S02", "C08", "远洋 微信 H5", "wechat_h5", 6600),
    ("S01", "C09", "恒通 云闪付", "unionpay_qr", 5500),
)
_SECOND: Final = 1
# Nobody answers at its address: its channel is paused, whenever somebody looks.
_DEAD_ADDRESS: Final = "http://127.0.0.1:1029"
DEAD_PRODUCT: Final = "unionpay_qr"
_DEAD: Final = DemoSupplier(
    "S03",
    "速汇支付",
    "速汇支付服务有限公司（沙箱）",
    "SANDBOX-0003",
    "880003",
    (
        NewChannel(
            "C10",
            "速汇 云闪付",
            DEAD_PRODUCT,
            Tariff.flat(Rate(5000)),
            (DEAD_PRODUCT,),
            amount_min=100,
            amount_max=5_000_000,
        ),
    ),
)
_MORE_RATES: Final = {
    "M1001": {"alipay_h5": 12500, "unionpay_qr": 9000},
    "M1002": {"unionpay_qr": 9500},
}
_NEW_RATES: Final = {
    "alipay_qr": 11000,
    "wechat_qr": 10500,
    "alipay_h5": 12000,
    "wechat_h5": 11500,
    "unionpay_qr": 9000,
}
# How many days before the demo's first start the third merchant came.
NEW_DAYS: Final = 12


async def add_supply(runtime: Runtime) -> None:
    """Products, channels and the third supplier, and what the two merchants buy of them."""
    for product in PRODUCTS:
        await runtime.supply.channels.products.add(product)
    for supplier_no, channel_no, name, code, cost_ppm in _CHANNELS:
        supplier = await runtime.parties.suppliers.by_no(supplier_no)
        channel = NewChannel(
            channel_no,
            name,
            code,
            Tariff.flat(Rate(cost_ppm)),
            (code,),
            amount_min=100,
            amount_max=5_000_000,
            priority=_SECOND,
        )
        await runtime.supply.channels.add_channel(supplier, channel)
    document = await world.sandbox_document(runtime)
    await world.open_supplier(runtime, _DEAD, document, _DEAD_ADDRESS, "0" * 32)
    for merchant_no, rates in _MORE_RATES.items():
        await world.offer(runtime, await runtime.parties.merchants.by_no(merchant_no), rates)


async def add_merchant(runtime: Runtime) -> None:
    """The third merchant."""
    await world.open_merchant(runtime, NEW_MERCHANT_NO, _NAME, DayCut(), _NEW_RATES)
