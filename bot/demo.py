"""The demo: the whole desk in a browser, with no token, no server and no supplier of one's own."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from dotenv import dotenv_values

from bot import world
from bot.app import Desk, free_ports, until_told_to_stop
from bot.embedded import EmbeddedPostgres, EmbeddedValkey, HomeLock
from bot.logs import set_up_logs
from bot.neighbours import Neighbour
from bot.sample import sample_script
from core.runtime import Runtime, build
from core.settings import Settings, demo_settings
from core.store import migrate

HOST: Final = "127.0.0.1"
PORTS: Final = 7  # the desk, its admin listener, and five of the sandbox
_REFUSED: Final = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "BOT_TOKEN")
_KEPT: Final = ("desk.lock",)


class DemoRefused(Exception):
    """The demo was asked for something a demo never does."""


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


@dataclass(frozen=True)
class Places:
    """Where everything of a running demo is."""

    desk: str
    telegram_page: str
    telegram_control: str
    supplier_control: str
    shop: str


def refuse_production_settings() -> None:
    """A demo takes no real token and no database of somebody's. Raises DemoRefused."""
    given = {**dotenv_values(".env"), **os.environ}
    found = [name for name in _REFUSED if given.get(name)]
    if found:
        raise DemoRefused(
            f"the demo takes no {', '.join(found)}: it has a database, a Telegram and suppliers "
            "of its own. Unset it for the demo, or start a production desk: python -m bot run"
        )


async def run_demo(home: Path, *, port: int, fresh: bool, ready_file: Path | None) -> None:
    """Run a demo until told to stop. Raises HomeInUse, DemoRefused, PortTaken, EmbeddedError,
    NeighbourFailed."""
    refuse_production_settings()
    say = Progress()
    with HomeLock(home):
        if fresh:
            await _empty(home)
            say("the old demo is gone")
        if ready_file is not None:
            ready_file.unlink(missing_ok=True)  # an old one must not look like a ready desk
        first_time = not (home / "postgres").exists()
        async with running_demo(home, port=port, say=say) as (places, runtime):
            ready = await describe(runtime, places)
            if ready_file is not None:
                _write_private(ready_file, json.dumps(ready, ensure_ascii=False, indent=2))
            _greet(ready, places, first_time=first_time, say=say)
            await until_told_to_stop()
            say("stopping …")
    say("stopped; the data stays in " + str(home))


@asynccontextmanager
async def running_demo(
    home: Path, *, port: int, say: Progress
) -> AsyncIterator[tuple[Places, Runtime]]:
    """Everything of a demo, started in order and stopped in the opposite one."""
    log = home / "log"
    log.mkdir(parents=True, exist_ok=True)
    set_up_logs("info", file=log / "desk.log")
    kept = _secrets(home)
    first = port or free_ports(HOST, PORTS)
    desk_url = f"http://{HOST}:{first}"
    async with AsyncExitStack() as stack:
        postgres, valkey = EmbeddedPostgres(home, bin_dir=_bin_dir()), EmbeddedValkey(home)
        await asyncio.gather(postgres.start(), valkey.start())
        stack.push_async_callback(postgres.stop)
        stack.push_async_callback(valkey.stop)
        say("PostgreSQL and Valkey run")
        await migrate(postgres.owner_dsn(), kind="demo", today=datetime.now(UTC).date())
        telegram, supplier, shop = (
            Neighbour(f"sandbox.{name}", log / f"{name}.log")
            for name in ("telegram", "supplier", "shop")
        )
        for neighbour in (telegram, supplier, shop):
            stack.push_async_callback(neighbour.stop)
        told, supplies = await asyncio.gather(
            telegram.start(_telegram_config(home, kept, first)),
            supplier.start(_supplier_config(home, kept, first)),
        )
        say("the sandbox's Telegram and supplier run")
        runtime = await build(
            database_url=postgres.dsn("paydesk_desk"),
            redis_url=valkey.url,
            master_key=kept.master_key,
            public_url=desk_url,
            allow_private_targets=True,
        )
        notify = {no: f"http://{HOST}:{first + 6}/notify/{no}" for no, *_ in world.MERCHANTS}
        await world.seed(runtime, world.Addresses(supplies["base"], kept.supplier_keys, notify))
        settings = _settings(kept, first, told["api"], desk_url)
        desk = Desk(settings, runtime, master_key=kept.master_key)
        stack.push_async_callback(desk.stop)
        await desk.start()
        say("the desk listens")
        sold = await shop.start(await _shop_config(home, kept, first, desk_url, runtime))
        places = Places(desk_url, told["page"], told["control"], supplies["control"], sold["page"])
        yield places, runtime


async def describe(runtime: Runtime, places: Places) -> dict[str, Any]:
    """The ready file: addresses, keys, groups and people of this demo."""
    merchants = []
    for merchant, app in await world.apps(runtime):
        chats = await runtime.groups.of_merchant(runtime.store, merchant.id)
        merchants.append(
            {
                "merchant_no": merchant.merchant_no,
                "key_id": app.key_id,
                "secret": app.secrets[0],
                "notify_secret": app.notify_secrets[0],
                "chat_id": chats[-1] if chats else None,
                "products": list(await runtime.merchants.rates(merchant)),
            }
        )
    return {
        "desk": places.desk,
        "telegram": {"page": places.telegram_page, "control": places.telegram_control},
        "supplier": {"control": places.supplier_control},
        "shop": {"page": places.shop},
        "merchants": merchants,
        "groups": [
            {"chat_id": group.chat_id, "kind": group.kind, "title": group.title}
            for group in world.GROUPS
        ],
        "users": [
            {"id": user.id, "name": user.name, "role": user.role, "private_chat_id": user.id}
            for user in world.USERS
        ],
    }


class Progress:
    """Lines that say how far it is, with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, text: str) -> None:
        print(f"  {time.monotonic() - self._started:5.1f} s  {text}", flush=True)


def _greet(ready: dict[str, Any], places: Places, *, first_time: bool, say: Progress) -> None:
    merchant = ready["merchants"][0]
    say("ready" + ("" if first_time else ", with the data of before"))
    print(
        f"""
Paydesk demo — no real money, no real Telegram; everything stays on this machine.

  Chat page      {places.telegram_page}
  Shop           {places.shop}   (creates orders, receives notifications)
  API page       {places.desk}/docs/api
  Cashier link   create an order in the shop, or with the script below, and open its cashier_url

A ready-made signed order of merchant {merchant["merchant_no"]} (paste into a terminal):

{sample_script(places.desk, merchant)}
Stop with Ctrl-C. The next start keeps everything; `make run FRESH=1` starts anew.
""",
        flush=True,
    )


def _secrets(home: Path) -> Secrets:
    path = home / "demo.json"
    if path.exists():
        return Secrets(**json.loads(path.read_text(encoding="utf-8")))
    made = Secrets()
    _write_private(path, json.dumps(asdict(made), indent=2))
    return made


def demo_master_key(home: Path) -> str | None:
    """The master key of the demo that lives in `home`, for commands that look into it."""
    path = home / "demo.json"
    return _secrets(home).master_key if path.exists() else None


def _write_private(path: Path, text: str) -> None:
    """Whole or not at all, and for the owner's eyes only from the first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    draft.replace(path)


def default_home() -> Path:
    """PAYDESK_HOME, or `var` in the working folder: as every other command has it."""
    given = {**dotenv_values(".env"), **os.environ}
    return Path(given.get("PAYDESK_HOME") or "var")


async def _empty(home: Path) -> None:
    """Forget a demo. What is not a demo's home is never emptied. Raises DemoRefused."""
    if (home / "postgres").exists() and not (home / "demo.json").exists():
        raise DemoRefused(f"{home} is not the home of a demo; it is not emptied")
    await EmbeddedPostgres(home).stop()
    await EmbeddedValkey(home).stop()
    for entry in home.iterdir():
        if entry.name in _KEPT:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _bin_dir() -> Path | None:
    given = os.environ.get("PAYDESK_POSTGRES_BIN")
    return Path(given) if given else None


def _settings(kept: Secrets, first: int, telegram_api: str, desk_url: str) -> Settings:
    return demo_settings(
        host=HOST,
        port=first,
        admin_host=HOST,
        admin_port=first + 1,
        public_url=desk_url,
        bot_token=kept.bot_token,
        telegram_api_base=telegram_api,
        master_key=kept.master_key,
        allow_private_targets=True,
    )


def _telegram_config(home: Path, kept: Secrets, first: int) -> dict[str, Any]:
    return {
        "home": str(home / "sandbox" / "telegram"),
        "host": HOST,
        "port": first + 2,
        "control_port": first + 3,
        "control_token": kept.telegram_control,
        "page_token": kept.telegram_page,
        "bot": {
            "id": world.BOT_ID,
            "username": world.BOT_USERNAME,
            "first_name": "Paydesk",
            "token": kept.bot_token,
        },
        "world": world.telegram_world(),
    }


def _supplier_config(home: Path, kept: Secrets, first: int) -> dict[str, Any]:
    return {
        "home": str(home / "sandbox" / "supplier"),
        "host": HOST,
        "port": first + 4,
        "control_port": first + 5,
        "control_token": kept.supplier_control,
        "accounts": [
            {
                "mch_id": s.mch_id,
                "key": kept.supplier_keys[s.mch_id],
                "name": "Paydesk 演示商户",
                "institution": s.legal_name,
            }
            for s in world.SUPPLIERS
        ],
    }


async def _shop_config(
    home: Path, kept: Secrets, first: int, desk_url: str, runtime: Runtime
) -> dict[str, Any]:
    products = await runtime.channels.products()
    return {
        "home": str(home / "sandbox" / "shop"),
        "host": HOST,
        "port": first + 6,
        "page_token": kept.shop_page,
        "api_base": desk_url,
        "merchants": [
            {
                "merchant_no": merchant.merchant_no,
                "name": merchant.name,
                "key_id": app.key_id,
                "secret": app.secrets[0],
                "notify_secret": app.notify_secrets[0],
                "products": [
                    {"code": code, "name": f"{products[code].name_zh} · {products[code].name_en}"}
                    for code in await runtime.merchants.rates(merchant)
                ],
            }
            for merchant, app in await world.apps(runtime)
        ],
    }
