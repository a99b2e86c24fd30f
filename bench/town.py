"""Who lives around the desk of the benches: merchants with and without a group, one supplier.

The supplier speaks Epay's protocol. One channel of it needs no call: the payer's browser brings the
signed request. The other one asks the supplier's server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bench.settlers import open_group, open_merchant, open_supplier, sell
from core.runtime import Runtime
from core.supply.channels import Product

PLAIN: Final = 100
BILLED: Final = 20
# One app may call 50 times a second. Few merchants need several apps to be called more often.
_APPS_OF_BILLED: Final = 4
_APPS_OF_WHALE: Final = 40
PID: Final = "1001"
OWNER_ID: Final = 1001
LINK: Final = "alipay_web"  # needs no call
CALL: Final = "alipay_qr"  # asks the supplier
_PRODUCTS: Final = (
    (Product(LINK, "支付宝网页", "Alipay web"), "C01", "page_alipay"),
    (Product(CALL, "支付宝扫码", "Alipay QR"), "C02", "alipay"),
)


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
    await _let_one_go_live(runtime)
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


async def _let_one_go_live(runtime: Runtime) -> None:
    """Nobody is here who would approve the supplier as a second person."""
    owner = await runtime.people.access.actor(OWNER_ID, "", OWNER_ID, private=True)
    async with runtime.system.store.transaction() as tx:
        await runtime.people.settings.put(tx, owner, "live_second", value=False)


async def _supplier(runtime: Runtime, base: str, key: str) -> None:
    credentials = {"base_url": base, "pid": PID, "key": key}
    supplier = await open_supplier(runtime, "epay.yaml", credentials, sandbox=False)
    for product, channel_no, code in _PRODUCTS:
        await sell(runtime, supplier, product, channel_no, code)


async def _merchant(
    runtime: Runtime, merchant_no: str, *, apps: int, chat_id: int | None
) -> list[Keys]:
    products = [product.code for product, _, _ in _PRODUCTS]
    merchant, opened = await open_merchant(runtime, merchant_no, products, mode="live", apps=apps)
    if chat_id is not None:
        await open_group(runtime, chat_id, merchant)
    return [Keys(merchant_no, app.key_id, app.secret) for app in opened]
