"""Who lives around a desk of the faults: merchants with their groups, one supplier, people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from bot import world
from core.kernel.money import Rate
from core.kernel.tariff import Tariff
from core.parties.suppliers import NewSupplier
from core.runtime import Runtime
from core.supply.channels import NewChannel, Product

MERCHANTS: Final = 20
OPS: Final = -1_002_000_000_001
# What a group was before it became a supergroup, which is a new chat for everybody in it.
BASIC: Final = -5_001
SUPPLIER_NO: Final = "S01"
MCH_ID: Final = "880001"
PRODUCT: Final = "alipay_qr"
_STAFF: Final = tuple(user for user in world.USERS if not user.role.endswith("_staff"))
OPERATORS: Final = tuple(user.id for user in _STAFF if user.role != "support")
_LONG: Final = date(2099, 12, 31)


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
    await _supplier(runtime, supplier_base, supplier_key)
    await _group(runtime, OPS, "supergroup", "Ops", None)
    merchants = [await _merchant(runtime, place) for place in range(MERCHANTS)]
    await _group(runtime, BASIC, "group", "Shop 1, basic", merchants[0].merchant_no)
    return Town({keys.merchant_no: keys for keys in merchants})


async def _supplier(runtime: Runtime, base: str, key: str) -> None:
    await runtime.supply.channels.products.add(Product(PRODUCT, "支付宝扫码", "Alipay QR"))
    text = (world.DOCUMENTS / "sandbox_md5.yaml").read_text(encoding="utf-8")
    document = await world.approved_document(runtime, text)
    new = NewSupplier(
        SUPPLIER_NO,
        "恒通支付",
        document.id,
        sandbox=True,
        legal_name="恒通支付科技有限公司（沙箱）",
        licence_no="SANDBOX-0001",
        licence_expires_on=_LONG,
        settles_to="licensed_institution",
    )
    credentials = {"base_url": base, "mch_id": MCH_ID, "key": key}
    supplier = await world.open_live(runtime, new, credentials)
    cost = Tariff.flat(Rate(6500))
    channel = NewChannel("C01", "恒通 支付宝", PRODUCT, cost, (PRODUCT,), amount_min=100)
    await runtime.supply.channels.add_channel(supplier, channel)


async def _merchant(runtime: Runtime, place: int) -> Keys:
    merchant_no, chat_id = number_of(place), group_of(place)
    merchant = await runtime.parties.merchants.open(merchant_no, f"Shop {place + 1}", reviewed=True)
    rate = Tariff.flat(Rate(12000))
    await runtime.parties.merchants.offers.set_tariff(merchant, PRODUCT, rate, actor="faults")
    keys = await runtime.parties.merchants.apps.open(
        merchant, mode="test", name="shop", notify_url=None
    )
    await _group(runtime, chat_id, "supergroup", f"Shop {place + 1}", merchant_no)
    return Keys(merchant_no, keys.key_id, keys.secret, chat_id)


async def _group(
    runtime: Runtime, chat_id: int, kind: str, title: str, merchant_no: str | None
) -> None:
    """A group the bot is in, a merchant's or (None) the ops group. Its words are English."""
    groups = runtime.people.groups
    await groups.seen(chat_id, chat_type=kind, title=title, bot_status="administrator")
    await groups.set_language(chat_id, "en")
    merchant = await runtime.parties.merchants.by_no(merchant_no) if merchant_no else None
    async with runtime.system.store.transaction() as tx:
        if merchant is None:
            await groups.bind_ops(tx, chat_id)
        else:
            await groups.bind_merchant(tx, chat_id, merchant.id)
