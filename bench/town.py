"""Who lives around the desk of the benches: merchants with and without a group, one supplier.

The supplier speaks Epay's protocol. One channel of it needs no call: the payer's browser brings the
signed request. The other one asks the supplier's server.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from bot import world
from core.kernel.money import Rate
from core.kernel.tariff import Tariff
from core.parties.merchants import Merchant
from core.parties.suppliers import NewSupplier
from core.runtime import Runtime
from core.supply.channels import NewChannel, Product

PLAIN: Final = 100
BILLED: Final = 20
# One app may call 50 times a second. Few merchants need several apps to be called more often.
_APPS_OF_BILLED: Final = 4
_APPS_OF_WHALE: Final = 40
SUPPLIER_NO: Final = "S01"
PID: Final = "1001"
OWNER_ID: Final = 1001
LINK: Final = "alipay_web"  # needs no call
CALL: Final = "alipay_qr"  # asks the supplier
_PRODUCTS: Final = (
    (Product(LINK, "支付宝网页", "Alipay web"), "C01", "page_alipay"),
    (Product(CALL, "支付宝扫码", "Alipay QR"), "C02", "alipay"),
)
_LONG: Final = date(2099, 12, 31)


@dataclass(frozen=True, slots=True)
class Keys:
    """An app: whose it is, and what it signs with."""

    merchant_no: str
    key_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Town:
    """Apps. plain: of a merchant each. billed: of merchants with a live bill in a group. whale: all
    of one merchant. chats: the groups. supplier_key: what the supplier signs with."""

    plain: tuple[Keys, ...]
    billed: tuple[Keys, ...]
    whale: tuple[Keys, ...]
    chats: tuple[int, ...]
    supplier_key: str

    @property
    def secrets(self) -> dict[str, str]:
        """What each key signs with."""
        return {k.key_id: k.secret for k in (*self.plain, *self.billed, *self.whale)}


def chat_of(place: int) -> int:
    return -1_002_000_000_101 - place


async def settle(runtime: Runtime, supplier_base: str, supplier_key: str, *, small: bool) -> Town:
    """Fill an empty production desk. small: a tenth of everybody, for tests."""
    scale = 10 if small else 1
    await runtime.people.people.employ(OWNER_ID, "林悦", "owner")
    await runtime.people.people.employ(OWNER_ID + 1, "陈立", "admin")
    await _supplier(runtime, supplier_base, supplier_key)
    plain = [
        await _merchant(runtime, f"M{1001 + n}", apps=1, chat_id=None)
        for n in range(PLAIN // scale)
    ]
    chats = [chat_of(n) for n in range(BILLED // scale)]
    billed = [
        await _merchant(runtime, f"M{2001 + n}", apps=_APPS_OF_BILLED, chat_id=chat_id)
        for n, chat_id in enumerate(chats)
    ]
    whale = await _merchant(runtime, "M3001", apps=_APPS_OF_WHALE // scale, chat_id=None)
    return Town(
        tuple(keys for apps in plain for keys in apps),
        tuple(keys for apps in zip(*billed, strict=True) for keys in apps),
        tuple(whale),
        tuple(chats),
        supplier_key,
    )


async def _supplier(runtime: Runtime, base: str, key: str) -> None:
    text = (world.DOCUMENTS / "epay.yaml").read_text(encoding="utf-8")
    document = await world.approved_document(runtime, text)
    new = NewSupplier(
        SUPPLIER_NO,
        "恒通支付",
        document.id,
        sandbox=False,
        legal_name="恒通支付科技有限公司",
        licence_no="BENCH-0001",
        licence_expires_on=_LONG,
        settles_to="licensed_institution",
    )
    credentials = {"base_url": base, "pid": PID, "key": key}
    supplier = await world.open_live(runtime, new, credentials)
    for product, channel_no, code in _PRODUCTS:
        await runtime.supply.channels.products.add(product)
        cost = Tariff.flat(Rate(6500))
        channel = NewChannel(channel_no, f"恒通 {code}", code, cost, (product.code,))
        await runtime.supply.channels.add_channel(supplier, channel)


async def _merchant(
    runtime: Runtime, merchant_no: str, *, apps: int, chat_id: int | None
) -> list[Keys]:
    merchants = runtime.parties.merchants
    merchant = await merchants.open(merchant_no, f"Shop {merchant_no}", reviewed=True)
    for product, _, _ in _PRODUCTS:
        rate = Tariff.flat(Rate(12000))
        await merchants.offers.set_tariff(merchant, product.code, rate, actor="bench")
    opened = [
        await merchants.apps.open(merchant, mode="live", name=f"shop {n}", notify_url=None)
        for n in range(apps)
    ]
    if chat_id is not None:
        await bind_group(runtime, merchant, chat_id)
    return [Keys(merchant_no, app.key_id, app.secret) for app in opened]


async def bind_group(runtime: Runtime, merchant: Merchant, chat_id: int) -> None:
    """Make a group the merchant's: it has a live bill from then on."""
    groups = runtime.people.groups
    title = merchant.merchant_no
    await groups.seen(chat_id, chat_type="supergroup", title=title, bot_status="administrator")
    async with runtime.system.store.transaction() as tx:
        await groups.bind_merchant(tx, chat_id, merchant.id)
