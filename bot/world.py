"""The demo's world: who is in it, which groups there are, and what is seeded into the desk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

from core.kernel.clock import DayCut
from core.kernel.money import Rate
from core.kernel.tariff import Tariff
from core.parties.merchants import App, Merchant
from core.parties.suppliers import NewSupplier, Supplier
from core.people.actors import Actor
from core.runtime import Runtime
from core.supply.channels import NewChannel, Product
from core.supply.onboarding import Document
from core.system.settings import DEMO_PASSWORD

DOCUMENTS: Final = Path(__file__).resolve().parent.parent / "connectors"
BOT_ID: Final = 7000000001
BOT_USERNAME: Final = "paydesk_demo_bot"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody of the demo. role: as in the ready file."""

    id: int
    name: str
    role: str
    username: str
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class DemoGroup:
    """A chat of the demo. bound: the merchant's or supplier's number. members: user ids."""

    chat_id: int
    kind: str
    title: str
    language: Literal["zh", "en"]
    bound: str | None
    members: tuple[int, ...]


USERS: Final = (
    User(1001, "林悦", "owner", "linyue"),
    User(1002, "陈立", "admin", "chenli"),
    User(1003, "周敏", "finance", "zhoumin"),
    User(1004, "王浩", "operator", "wanghao"),
    User(1005, "刘洋", "support", "liuyang"),
    User(1101, "苏青", "merchant_staff", "suqing_spruce"),
    User(1102, "Ben Carter", "merchant_staff", "ben_northwind", "en"),
    User(1201, "赵工", "supplier_staff", "zhao_hengtong"),
)
STAFF: Final = (1001, 1002, 1003, 1004, 1005)
GROUPS: Final = (
    DemoGroup(-1002000000001, "ops", "Paydesk 运营管理群", "zh", None, STAFF),
    DemoGroup(-1002000000101, "merchant", "云杉商城 × Paydesk", "zh", "M1001", (*STAFF, 1101)),
    DemoGroup(-1002000000102, "merchant", "Northwind × Paydesk", "en", "M1002", (*STAFF, 1102)),
    DemoGroup(-1002000000201, "supplier", "恒通支付 × Paydesk", "zh", "S01", (*STAFF, 1201)),
    DemoGroup(-1002000000301, "unbound", "新群（未绑定）", "zh", None, STAFF),
)
PRODUCTS: Final = (
    Product("alipay_qr", "支付宝扫码", "Alipay QR"),
    Product("wechat_qr", "微信扫码", "WeChat Pay QR"),
    Product("bank_web", "网银支付", "Online banking"),
)
MERCHANTS: Final = (
    ("M1001", "云杉商城", DayCut(), {"alipay_qr": 12000, "wechat_qr": 10000, "bank_web": 8000}),
    ("M1002", "Northwind Trading", DayCut(time(6, 0)), {"alipay_qr": 9000, "wechat_qr": 11000}),
)


@dataclass(frozen=True, slots=True)
class DemoSupplier:
    """A sandbox supplier as the desk knows it and as the sandbox plays it."""

    supplier_no: str
    name: str
    legal_name: str
    licence_no: str
    mch_id: str
    channels: tuple[NewChannel, ...]


SUPPLIERS: Final = (
    DemoSupplier(
        "S01",
        "恒通支付",
        "恒通支付科技有限公司（沙箱）",
        "SANDBOX-0001",
        "880001",
        (
            NewChannel(
                "C01",
                "恒通 支付宝",
                "alipay_qr",
                Tariff.flat(Rate(6500)),
                ("alipay_qr",),
                amount_min=100,
                amount_max=5_000_000,
            ),
            NewChannel(
                "C02",
                "恒通 微信",
                "wechat_qr",
                Tariff.flat(Rate(6000)),
                ("wechat_qr",),
                amount_min=100,
                amount_max=5_000_000,
            ),
        ),
    ),
    DemoSupplier(
        "S02",
        "远洋收单",
        "远洋收单服务有限公司（沙箱）",
        "SANDBOX-0002",
        "880002",
        (
            NewChannel(
                "C03",
                "远洋 支付宝",
                "alipay_qr",
                Tariff.flat(Rate(7000)),
                ("alipay_qr",),
                amount_min=100,
                amount_max=1_000_000,
                priority=1,
            ),
            NewChannel(
                "C04",
                "远洋 网银",
                "bank_web",
                Tariff.flat(Rate(4500, 10)),
                ("bank_web",),
                amount_min=1000,
                amount_max=5_000_000,
            ),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the demo's neighbours are. supplier_keys: mch_id -> signing key."""

    supplier_base: str
    supplier_keys: dict[str, str]
    notify_urls: dict[str, str]


async def seed(
    runtime: Runtime,
    addresses: Addresses,
    *,
    passwords: bool = True,
    groups: Sequence[DemoGroup] = GROUPS,
) -> None:
    """Fill an empty demo desk; in one that has its merchants, only addresses are refreshed.

    passwords: staff have the completion password that the demo's questions tell.
    """
    if not runtime.system.demo:
        raise PermissionError("only a demo desk is seeded; this database is a production one")
    if not await runtime.parties.merchants.everybody():
        await _seed_people(runtime, passwords=passwords)
        await _seed_suppliers(runtime, addresses)
        for merchant_no, name, day_cut, rates in MERCHANTS:
            await open_merchant(runtime, merchant_no, name, day_cut, rates)
        await seed_groups(runtime, groups)
    for supplier in await runtime.parties.suppliers.all():
        key = addresses.supplier_keys.get(supplier.credentials["mch_id"])
        if key is None:
            continue  # nobody plays it
        # Where the demo's own neighbours are is nobody's decision, so no second person is needed.
        await runtime.parties.suppliers.set_credentials(
            runtime.system.store,
            supplier.id,
            {**supplier.credentials, "base_url": addresses.supplier_base, "key": key},
        )
    for merchant, app in await apps(runtime):
        url = addresses.notify_urls.get(merchant.merchant_no)
        if url is not None and url != app.notify_url:
            await runtime.parties.merchants.apps.set_notify_url(app.id, url)


async def apps(runtime: Runtime) -> list[tuple[Merchant, App]]:
    """Each merchant of the demo with its app."""
    merchants = await runtime.parties.merchants.everybody()
    return [(m, app) for m in merchants for app in await runtime.parties.merchants.apps.of(m)]


async def approved_document(runtime: Runtime, text: str) -> Document:
    """A connector document that one of the demo's people proposes and another approves."""
    proposer, approver = [await staff(runtime, user_id) for user_id in (1002, 1001)]
    document = await runtime.supply.documents.propose(proposer, text)
    if document.state == "approved":
        return document
    return await runtime.supply.documents.approve(approver, document)


async def open_live(runtime: Runtime, new: NewSupplier, credentials: Mapping[str, str]) -> Supplier:
    """A supplier that goes the whole way at once."""
    actor = await staff(runtime, 1001)
    supplier = await runtime.supply.onboarding.open(actor, new)
    supplier = await runtime.supply.onboarding.set_credentials(actor, supplier, credentials)
    return await runtime.supply.onboarding.go_live(actor, supplier)


async def staff(runtime: Runtime, user_id: int) -> Actor:
    """One of the staff, in a private chat."""
    name = next(user.name for user in USERS if user.id == user_id)
    return await runtime.people.access.actor(user_id, name, user_id, private=True)


async def _seed_suppliers(runtime: Runtime, addresses: Addresses) -> None:
    for product in PRODUCTS:
        await runtime.supply.channels.products.add(product)
    document = await sandbox_document(runtime)
    for known in SUPPLIERS:
        await open_supplier(
            runtime, known, document, addresses.supplier_base, addresses.supplier_keys[known.mch_id]
        )


async def sandbox_document(runtime: Runtime) -> Document:
    """How the sandbox's suppliers are spoken to."""
    text = (DOCUMENTS / "sandbox_md5.yaml").read_text(encoding="utf-8")
    return await approved_document(runtime, text)


async def open_supplier(
    runtime: Runtime, known: DemoSupplier, document: Document, base_url: str, key: str
) -> None:
    """One of the demo's suppliers with its channels, live at once."""
    new = NewSupplier(
        known.supplier_no,
        known.name,
        document.id,
        sandbox=True,
        legal_name=known.legal_name,
        licence_no=known.licence_no,
        licence_expires_on=date(2099, 12, 31),
        settles_to="licensed_institution",
    )
    credentials = {"base_url": base_url, "mch_id": known.mch_id, "key": key}
    supplier = await open_live(runtime, new, credentials)
    for channel in known.channels:
        await runtime.supply.channels.add_channel(supplier, channel)


async def open_merchant(
    runtime: Runtime, merchant_no: str, name: str, day_cut: DayCut, rates: Mapping[str, int]
) -> None:
    """One of the demo's merchants with its app. rates: ppm of each product."""
    merchant = await runtime.parties.merchants.open(
        merchant_no, name, day_cut=day_cut, reviewed=True
    )
    await runtime.parties.merchants.apps.open(
        merchant, mode="live", name="demo shop", notify_url=None
    )
    await offer(runtime, merchant, rates)


async def offer(runtime: Runtime, merchant: Merchant, rates: Mapping[str, int]) -> None:
    """Sell products to a merchant. rates: ppm of each."""
    for product_code, ppm in rates.items():
        await runtime.parties.merchants.offers.set_tariff(
            merchant, product_code, Tariff.flat(Rate(ppm)), actor="seed"
        )


async def _seed_people(runtime: Runtime, *, passwords: bool) -> None:
    for user in USERS:
        if user.id in STAFF:
            await runtime.people.people.employ(user.id, user.name, user.role)
            if passwords:
                actor = await staff(runtime, user.id)
                await runtime.people.factors.set_password(actor, DEMO_PASSWORD)


async def seed_groups(
    runtime: Runtime, groups: Sequence[DemoGroup], users: Sequence[User] = USERS
) -> None:
    """Bind groups to whom they belong, with the staff that each has there."""
    for group in groups:
        await runtime.people.groups.seen(
            group.chat_id, chat_type="supergroup", title=group.title, bot_status="administrator"
        )
        await runtime.people.groups.set_language(group.chat_id, group.language)
        holder_id: UUID | None = None
        if group.kind == "merchant" and group.bound:
            holder_id = (await runtime.parties.merchants.by_no(group.bound)).id
        elif group.kind == "supplier" and group.bound:
            holder_id = (await runtime.parties.suppliers.by_no(group.bound)).id
        async with runtime.system.store.transaction() as tx:
            if group.kind == "ops":
                await runtime.people.groups.bind_ops(tx, group.chat_id)
            elif group.kind == "merchant" and holder_id is not None:
                await runtime.people.groups.bind_merchant(tx, group.chat_id, holder_id)
            elif group.kind == "supplier" and holder_id is not None:
                await runtime.people.groups.bind_supplier(tx, group.chat_id, holder_id)
        for user in users:
            if holder_id is not None and user.id in group.members and user.id not in STAFF:
                await runtime.people.groups.add_staff(group.chat_id, user.id, user.role, holder_id)
                await runtime.people.people.follow(runtime.system.store, user.id, user.name)


def telegram_world(
    users: Sequence[User] = USERS, groups: Sequence[DemoGroup] = GROUPS
) -> dict[str, Any]:
    """The world as the sandbox Telegram wants it."""
    return {
        "users": [
            {
                "id": user.id,
                "first_name": user.name,
                "username": user.username,
                "language_code": user.language,
                "role": user.role,
            }
            for user in users
        ],
        "chats": [
            {
                "id": group.chat_id,
                "type": "supergroup",
                "title": group.title,
                "kind": group.kind,
                "members": [
                    {"user_id": BOT_ID, "status": "administrator"},
                    *(
                        {"user_id": member, "status": "creator" if member == 1001 else "member"}
                        for member in group.members
                    ),
                ],
            }
            for group in groups
        ],
    }
