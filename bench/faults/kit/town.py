"""Who lives around a desk of the faults: merchants with their groups, one supplier, people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from bench.settlers import open_group, open_merchant, open_supplier, sell
from bot import world
from core.parties.merchants import Merchant
from core.runtime import Runtime
from core.supply.channels import Product

MERCHANTS: Final = 20
OPS: Final = -1_002_000_000_001
# What a group was before it became a supergroup, which is a new chat for everybody in it.
BASIC: Final = -5_001
MCH_ID: Final = "880001"
PRODUCT: Final = "alipay_qr"
_STAFF: Final = tuple(user for user in world.USERS if not user.role.endswith("_staff"))
OPERATORS: Final = tuple(user.id for user in _STAFF if user.role != "support")


@dataclass(frozen=True, slots=True)
class Keys:
    """One merchant: what it signs with, and its group."""

    merchant_no: str
    key_id: str
    secret: str
    chat_id: int


@dataclass(frozen=True, slots=True)
class Town:
    """The merchants, by their numbers."""

    merchants: dict[str, Keys]

    @property
    def numbers(self) -> list[str]:
        return list(self.merchants)

    @property
    def groups(self) -> list[int]:
        return [keys.chat_id for keys in self.merchants.values()]


def group_of(place: int) -> int:
    return -1_002_000_000_101 - place


def number_of(place: int) -> str:
    return f"M{1001 + place}"


def telegram_world() -> dict[str, Any]:
    """The people and chats, as the sandbox's Telegram wants them."""
    groups = [(OPS, "supergroup", "ops", "Ops"), (BASIC, "group", "merchant", "Shop 1, basic")]
    groups += [
        (group_of(place), "supergroup", "merchant", f"Shop {place + 1}")
        for place in range(MERCHANTS)
    ]
    members = [{"user_id": user.id, "status": "member"} for user in _STAFF]
    bot = {"user_id": world.BOT_ID, "status": "administrator"}
    return {
        "users": [
            {"id": user.id, "first_name": user.name, "username": user.username, "role": user.role}
            for user in _STAFF
        ],
        "chats": [
            {"id": chat_id, "type": kind, "title": title, "kind": what, "members": [bot, *members]}
            for chat_id, kind, what, title in groups
        ],
    }


async def settle(runtime: Runtime, supplier_base: str, supplier_key: str) -> Town:
    """Fill an empty production desk. Its supplier is the sandbox's, so its apps are for tests."""
    for user in _STAFF:
        await runtime.people.people.employ(user.id, user.name, user.role)
    credentials = {"base_url": supplier_base, "mch_id": MCH_ID, "key": supplier_key}
    supplier = await open_supplier(runtime, "sandbox_md5.yaml", credentials, sandbox=True)
    product = Product(PRODUCT, "支付宝扫码", "Alipay QR")
    await sell(runtime, supplier, product, "C01", PRODUCT)
    await _group(runtime, OPS, None)
    await _let_one_prepay(runtime)
    merchants = [await _merchant(runtime, place) for place in range(MERCHANTS)]
    first = await runtime.parties.merchants.by_no(number_of(0))
    await _group(runtime, BASIC, first, kind="group")
    return Town({keys.merchant_no: keys for keys in merchants})


async def _let_one_prepay(runtime: Runtime) -> None:
    """Whoever floods a chat with lines of money is not to wait for a second person."""
    owner = await runtime.people.access.actor(_STAFF[0].id, "", _STAFF[0].id, private=True)
    async with runtime.system.store.transaction() as tx:
        await runtime.people.settings.put(tx, owner, "prepay_second", None)


async def _merchant(runtime: Runtime, place: int) -> Keys:
    merchant_no, chat_id = number_of(place), group_of(place)
    merchant, (app,) = await open_merchant(runtime, merchant_no, [PRODUCT], mode="test", apps=1)
    await _group(runtime, chat_id, merchant)
    return Keys(merchant_no, app.key_id, app.secret, chat_id)


async def _group(
    runtime: Runtime, chat_id: int, merchant: Merchant | None, *, kind: str = "supergroup"
) -> None:
    """Its words are English."""
    await open_group(runtime, chat_id, merchant, kind=kind)
    await runtime.people.groups.set_language(chat_id, "en")
