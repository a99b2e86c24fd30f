"""Apps of merchants, with their keys."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final
from uuid import UUID

import asyncpg

from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.kernel.ids import Ids
from core.parties.merchants.merchant import Merchant
from core.system.store import Store
from core.system.vault import Purpose, Vault

_API_SECRETS: Final = "app.secrets"
_NOTIFY_SECRETS: Final = "app.notify_secrets"
_SECRET_BYTES: Final = 32
# How often an app may call in a second where nobody said otherwise (the table's default), and what
# may be said.
CALLS_PER_S: Final = 500
MAX_CALLS_PER_S: Final = 10_000


@dataclass(frozen=True, slots=True)
class App:
    """One app of a merchant, with the secrets that are valid now (newest first). calls_per_s: so
    often it may call the Payment API."""

    id: UUID
    merchant: Merchant
    mode: str
    key_id: str
    secrets: tuple[str, ...]
    notify_secrets: tuple[str, ...]
    notify_url: str | None
    ip_allow: tuple[str, ...]
    calls_per_s: int

    def need_merchant(self) -> None:
        """Its merchant may use it. Refusals: merchant_suspended, merchant_not_reviewed (live)."""
        if self.merchant.state != "open":
            raise Refusal("merchant_suspended", merchant_no=self.merchant.merchant_no)
        if self.mode == "live" and not self.merchant.reviewed:
            raise Refusal("merchant_not_reviewed", merchant_no=self.merchant.merchant_no)

    def need_address(self, address: str) -> None:
        """Whoever calls from here may. Refusals: address_not_allowed."""
        if self.ip_allow and not any(
            ip_address(address) in ip_network(network, strict=False) for network in self.ip_allow
        ):
            raise Refusal("address_not_allowed", address=address)


@dataclass(frozen=True, slots=True)
class AppKeys:
    """The keys of a new app: shown once, kept sealed."""

    app_id: UUID
    key_id: str
    secret: str
    notify_secret: str


class Apps:
    """The apps through which merchants' servers speak; their secrets are kept sealed."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._ids = ids

    async def open(
        self, merchant: Merchant, *, mode: str, name: str, notify_url: str | None
    ) -> AppKeys:
        """Make an app with a new key, a request secret and a notification secret."""
        keys = AppKeys(
            self._ids.uuid7(), f"pdk_{mode}_{secrets.token_hex(12)}", _new_secret(), _new_secret()
        )
        await self._store.execute(
            _ADD,
            keys.app_id,
            merchant.id,
            mode,
            name,
            keys.key_id,
            self._seal(keys.secret, _API_SECRETS, keys.app_id),
            self._seal(keys.notify_secret, _NOTIFY_SECRETS, keys.app_id),
            notify_url,
            self._clock.now(),
        )
        return keys

    async def set_notify_url(self, app_id: UUID, notify_url: str) -> None:
        """Where notifications of this app go when an order names no address of its own."""
        await self._store.execute(
            "UPDATE app SET notify_url = $2 WHERE id = $1", app_id, notify_url
        )

    async def set_calls_per_s(self, app_id: UUID, calls_per_s: int) -> None:
        """How often this app may call from now on, 1 to MAX_CALLS_PER_S times a second. Refusals:
        field_invalid, key_unknown when there is no such app."""
        if not 1 <= calls_per_s <= MAX_CALLS_PER_S:
            expected = f"a whole number from 1 to {MAX_CALLS_PER_S}"
            raise Refusal("field_invalid", param="calls_per_s", expected=expected)
        changed = await self._store.execute(
            "UPDATE app SET calls_per_s = $2 WHERE id = $1", app_id, calls_per_s
        )
        if not changed:
            raise Refusal("key_unknown")

    async def of(self, merchant: Merchant) -> list[App]:
        """A merchant's open apps, the oldest first."""
        rows = await self._store.fetch(
            "SELECT * FROM app WHERE merchant_id = $1 AND state = 'open' ORDER BY created_at",
            merchant.id,
        )
        return [read_app(row, merchant, self._vault.open) for row in rows]

    def _seal(self, secret: str, use: str, app_id: UUID) -> bytes:
        return self._vault.seal(secret, Purpose(use, str(app_id)))


def read_app(
    row: asyncpg.Record, merchant: Merchant, opened: Callable[[bytes, Purpose], str]
) -> App:
    """A row as it is read. opened: opens a sealed secret. Raises Bug as the vault does."""

    def secrets_of(sealed: bytes, use: str) -> tuple[str, ...]:
        return tuple(opened(sealed, Purpose(use, str(row["id"]))).split("\n"))

    return App(
        id=row["id"],
        merchant=merchant,
        mode=row["mode"],
        key_id=row["key_id"],
        secrets=secrets_of(row["secrets_sealed"], _API_SECRETS),
        notify_secrets=secrets_of(row["notify_secrets_sealed"], _NOTIFY_SECRETS),
        notify_url=row["notify_url"],
        ip_allow=tuple(row["ip_allow"]),
        calls_per_s=row["calls_per_s"],
    )


def _new_secret() -> str:
    return "whsec_" + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


_ADD: Final = """
INSERT INTO app (id, merchant_id, mode, name, key_id, secrets_sealed, notify_secrets_sealed,
    notify_url, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
