"""The inside of a demo: its secrets, its neighbours' configurations, the desk, the ready file."""

from __future__ import annotations

import asyncio
import json
import secrets
from base64 import b64encode
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bot import world
from bot.app import Desk
from bot.demo import cast, deeds, past
from bot.demo.home import KEPT_FILE, SEEDED_FILE, write_private
from bot.demo.tries import tries
from bot.embedded import EmbeddedPostgres, EmbeddedValkey
from bot.logs import set_up_logs
from bot.neighbours import Neighbour
from core.kernel.clock import Clock
from core.kernel.money import Money
from core.parties.merchants import App
from core.runtime import Connections, Runtime, build
from core.system.migrate import migrate
from core.system.settings import demo_settings
from core.trade.orders import OpenOrder
from past import StillClock
from payapi import Keys, Neighbours

# How many ports after the desk's own the others listen. Telegram and the supplier have a control
# listener on the next port.
_ADMIN: Final = 1
_TELEGRAM: Final = 2
_SUPPLIER: Final = 4
_SHOP: Final = 6
_SKEW_S: Final = 3_600


@dataclass
class Secrets:
    """What a demo makes up once and keeps in its home: they are worth nothing elsewhere."""

    master_key: str = field(default_factory=lambda: b64encode(secrets.token_bytes(32)).decode())
    bot_token: str = field(default_factory=lambda: f"{world.BOT_ID}:{secrets.token_hex(20)[:35]}")
    telegram_control: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    telegram_page: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    supplier_control: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    shop_page: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    supplier_keys: dict[str, str] = field(
        default_factory=lambda: {s.mch_id: secrets.token_hex(16) for s in world.SUPPLIERS}
    )


class Demo:
    """One demo in its home, on neighbouring ports from `first` on."""

    def __init__(self, home: Path, host: str, first: int, *, empty: bool) -> None:
        """empty: nothing has happened at the desk yet."""
        self._home = home
        self._users = world.USERS if empty else cast.USERS
        self._groups = world.GROUPS if empty else cast.GROUPS
        self._empty = empty
        self._host = host
        self._first = first
        self._url = f"http://{host}:{first}"
        self._secrets = _secrets_of(home)

    async def start(
        self,
        stack: AsyncExitStack,
        postgres: EmbeddedPostgres,
        valkey: EmbeddedValkey,
        neighbours: dict[str, Neighbour],
        say: Callable[[str], None],
    ) -> dict[str, Any]:
        """Migrate, configure the neighbours, seed, and start the desk. Returns the ready file."""
        log = self._home / "log"
        log.mkdir(parents=True, exist_ok=True)
        logs = set_up_logs("info", file=log / "desk.log")
        told, supplies, _ = await asyncio.gather(
            neighbours["telegram"].configure(self._telegram()),
            neighbours["supplier"].configure(self._supplier()),
            migrate(postgres.owner_dsn(), kind="demo", today=datetime.now(UTC).date()),
        )
        say("the sandbox's Telegram and supplier run")
        servers = Connections(postgres.dsn("paydesk_desk"), valkey.url)
        addresses = world.Addresses(supplies["base"], self._secrets.supplier_keys, {})
        if not (self._empty or (self._home / SEEDED_FILE).exists()):
            await self._live(servers, addresses)
            say(f"{deeds.DAYS} days have passed at the desk")
        runtime = await self._build(servers)
        settings = demo_settings(
            host=self._host,
            port=self._first,
            admin_host=self._host,
            admin_port=self._first + _ADMIN,
            public_url=self._url,
            bot_token=self._secrets.bot_token,
            telegram_api_base=told["api"],
            master_key=self._secrets.master_key,
            allow_private_targets=True,
            drain_notice_s=0,
        )
        desk = Desk(settings, runtime, master_key=self._secrets.master_key, logs=logs)
        stack.push_async_callback(desk.stop)
        await world.seed(runtime, replace(addresses, notify_urls=self._notify_urls()))
        write_private(self._home / SEEDED_FILE, "")
        around = await self._around(runtime)
        await desk.start(around)
        say("the desk listens")
        await neighbours["shop"].configure(await self._shop(runtime))
        return self._describe(around, told, supplies)

    async def _build(self, servers: Connections, clock: Clock | None = None) -> Runtime:
        return await build(
            servers,
            master_key=self._secrets.master_key,
            public_url=self._url,
            allow_private_targets=True,
            clock=clock,
        )

    async def _live(self, servers: Connections, addresses: world.Addresses) -> None:
        """The past, by a clock of its own."""
        now = datetime.now(UTC)
        clock = StillClock(past.first_instant(now))
        runtime = await self._build(servers, clock)
        try:
            await past.make_past(runtime, clock, now, addresses)
        finally:
            await runtime.close()

    def _notify_urls(self) -> dict[str, str]:
        return {no: f"{self._at(_SHOP)}/notify/{no}" for no in deeds.SHOPS}

    def _describe(
        self, around: Neighbours, told: dict[str, str], supplies: dict[str, str]
    ) -> dict[str, Any]:
        """The ready file: addresses, keys, groups and people of this demo."""
        bound = {group.bound: group.chat_id for group in self._groups if group.bound}
        return {
            "desk": self._url,
            "telegram": {"page": around.chat, "control": told["control"]},
            "supplier": {"page": around.supplier, "control": supplies["control"]},
            "shop": {"page": around.shop},
            "cashier": around.cashier,
            "merchants": [
                {
                    "merchant_no": keys.merchant_no,
                    "key_id": keys.key_id,
                    "secret": keys.secret,
                    "notify_secret": keys.notify_secret,
                    "chat_id": bound[keys.merchant_no],
                    "products": list(keys.products),
                }
                for keys in around.keys
            ],
            "groups": [
                {"chat_id": group.chat_id, "kind": group.kind, "title": group.title}
                for group in self._groups
            ],
            "users": [
                {"id": user.id, "name": user.name, "role": user.role, "private_chat_id": user.id}
                for user in self._users
            ],
        }

    async def _around(self, runtime: Runtime) -> Neighbours:
        """What the desk's first page leads to."""
        apps = await world.apps(runtime)
        pages = self._pages()
        return Neighbours(
            chat=pages["chat"],
            shop=pages["shop"],
            supplier=pages["supplier"],
            cashier=await self._sample_cashier(runtime, apps[0][1]),
            ready=f"{self._at(_ADMIN)}/readyz",
            metrics=f"{self._at(_ADMIN)}/metrics",
            keys=tuple(
                [
                    Keys(
                        merchant.merchant_no,
                        merchant.name,
                        app.key_id,
                        app.secrets[0],
                        app.notify_secrets[0],
                        tuple(await runtime.parties.merchants.offers.of(merchant)),
                    )
                    for merchant, app in apps
                ]
            ),
        )

    def _at(self, offset: int) -> str:
        """The address of the listener that is `offset` ports after the desk's."""
        return f"http://{self._host}:{self._first + offset}"

    def _pages(self) -> dict[str, str]:
        """The demo's pages, which lead to each other: name -> URL."""
        return {
            "desk": f"{self._url}/",
            "chat": f"{self._at(_TELEGRAM)}/{self._secrets.telegram_page}/",
            "shop": f"{self._at(_SHOP)}/{self._secrets.shop_page}/",
            "supplier": f"{self._at(_SUPPLIER)}/",
            "docs": f"{self._url}/docs/api",
        }

    async def _sample_cashier(self, runtime: Runtime, app: App) -> str:
        """The cashier's page of the demo's first order, which is made once."""
        opened = await runtime.trade.creation.open(
            app,
            OpenOrder(
                merchant_order_no="DEMO-1",
                amount=Money(6_600, "CNY"),
                product="alipay_qr",
                subject="乌龙茶礼盒",
                client_ip="127.0.0.1",
                expires_in_s=86_400,
            ),
            request_id="demo-first-order",
        )
        return f"{self._url}/pay/{opened.order.order_no}"

    def _telegram(self) -> dict[str, Any]:
        return {
            "home": str(self._home / "sandbox" / "telegram"),
            "host": self._host,
            "port": self._first + _TELEGRAM,
            "control_port": self._first + _TELEGRAM + 1,
            "pages": self._pages(),
            "tries": tries(self._users, self._groups),
            "control_token": self._secrets.telegram_control,
            "page_token": self._secrets.telegram_page,
            "bot": {
                "id": world.BOT_ID,
                "username": world.BOT_USERNAME,
                "first_name": "Paydesk",
                "token": self._secrets.bot_token,
            },
            "world": world.telegram_world(self._users, self._groups),
        }

    def _supplier(self) -> dict[str, Any]:
        return {
            "home": str(self._home / "sandbox" / "supplier"),
            "host": self._host,
            "port": self._first + _SUPPLIER,
            "control_port": self._first + _SUPPLIER + 1,
            "pages": self._pages(),
            "control_token": self._secrets.supplier_control,
            # The last orders of the past are some minutes old when they come.
            "max_skew_s": _SKEW_S,
            "accounts": [
                {
                    "mch_id": s.mch_id,
                    "key": self._secrets.supplier_keys[s.mch_id],
                    "name": "Paydesk 演示商户",
                    "institution": s.legal_name,
                }
                for s in world.SUPPLIERS
            ],
        }

    async def _shop(self, runtime: Runtime) -> dict[str, Any]:
        products = (await runtime.supply.market.now()).products
        return {
            "home": str(self._home / "sandbox" / "shop"),
            "host": self._host,
            "port": self._first + _SHOP,
            "pages": self._pages(),
            "page_token": self._secrets.shop_page,
            "api_base": self._url,
            "merchants": [
                {
                    "merchant_no": merchant.merchant_no,
                    "name": merchant.name,
                    "key_id": app.key_id,
                    "secret": app.secrets[0],
                    "notify_secret": app.notify_secrets[0],
                    "products": [
                        {
                            "code": code,
                            "name": f"{products[code].name_zh} · {products[code].name_en}",
                        }
                        for code in await runtime.parties.merchants.offers.of(merchant)
                    ],
                }
                for merchant, app in await world.apps(runtime)
            ],
        }


def _secrets_of(home: Path) -> Secrets:
    path = home / KEPT_FILE
    if path.exists():
        return Secrets(**json.loads(path.read_text(encoding="utf-8")))
    made = Secrets()
    write_private(path, json.dumps(asdict(made), indent=2))
    return made
