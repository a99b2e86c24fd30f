"""Apps of merchants, with their keys."""

from __future__ import annotations

import secrets
from base64 import b64encode
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.kernel.ids import Ids
from core.parties.merchants.merchant import Merchant, read_merchant
from core.parties.merchants.models import AppRow, MerchantRow
from core.system.vault import Purpose, Vault

_API_SECRETS: Final = "app.secrets"
_NOTIFY_SECRETS: Final = "app.notify_secrets"
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class App:
    """One app of a merchant, with the secrets that are valid now (newest first)."""

    id: UUID
    merchant: Merchant
    mode: str
    key_id: str
    secrets: tuple[str, ...]
    notify_secrets: tuple[str, ...]
    notify_url: str | None
    ip_allow: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AppKeys:
    """The keys of a new app: shown once, kept sealed."""

    app_id: UUID
    key_id: str
    secret: str
    notify_secret: str


class Apps:
    """The apps through which merchants' servers speak; their secrets are kept sealed."""

    def __init__(self, vault: Vault, clock: Clock, ids: Ids) -> None:
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
        await AppRow.create(
            id=keys.app_id,
            merchant_id=merchant.id,
            mode=mode,
            name=name,
            key_id=keys.key_id,
            secrets_sealed=self._seal(keys.secret, _API_SECRETS, keys.app_id),
            notify_secrets_sealed=self._seal(keys.notify_secret, _NOTIFY_SECRETS, keys.app_id),
            notify_url=notify_url,
            created_at=self._clock.now(),
        )
        return keys

    async def set_notify_url(self, app_id: UUID, notify_url: str) -> None:
        """Where notifications of this app go when an order names no address of its own."""
        await AppRow.filter(id=app_id).update(notify_url=notify_url)

    async def by_key(self, key_id: str) -> App:
        """The app that an API key names.

        Refusals: key_unknown, merchant_suspended, merchant_not_reviewed.
        """
        row = await AppRow.get_or_none(key_id=key_id, state="open")
        if row is None:
            raise Refusal("key_unknown")
        app = await self._app(row)
        if app.mode == "live" and not app.merchant.reviewed:
            raise Refusal("merchant_not_reviewed", merchant_no=app.merchant.merchant_no)
        return app

    async def by_id(self, app_id: UUID) -> App:
        """The app of an order. Refusals: key_unknown when it was withdrawn."""
        row = await AppRow.get_or_none(id=app_id)
        if row is None:
            raise Refusal("key_unknown")
        return await self._app(row, must_be_open=False)

    async def of(self, merchant: Merchant) -> list[App]:
        """A merchant's open apps, the oldest first."""
        rows = await AppRow.filter(merchant_id=merchant.id, state="open").order_by("created_at")
        return [await self._app(row, must_be_open=False) for row in rows]

    async def _app(self, row: AppRow, *, must_be_open: bool = True) -> App:
        merchant = await _whose(row)
        if must_be_open and merchant.state != "open":
            raise Refusal("merchant_suspended", merchant_no=merchant.merchant_no)
        return App(
            id=row.id,
            merchant=merchant,
            mode=row.mode,
            key_id=row.key_id,
            secrets=self._opened(row.secrets_sealed, _API_SECRETS, row.id),
            notify_secrets=self._opened(row.notify_secrets_sealed, _NOTIFY_SECRETS, row.id),
            notify_url=row.notify_url,
            ip_allow=tuple(row.ip_allow),
        )

    def _seal(self, secret: str, use: str, app_id: UUID) -> bytes:
        return self._vault.seal(secret, Purpose(use, str(app_id)))

    def _opened(self, sealed: bytes, use: str, app_id: UUID) -> tuple[str, ...]:
        return _split(self._vault.open(sealed, Purpose(use, str(app_id))))


async def _whose(row: AppRow) -> Merchant:
    """Refusals: merchant_not_found."""
    found = await MerchantRow.get_or_none(id=row.merchant_id)
    if found is None:
        raise Refusal("merchant_not_found", merchant_no=row.merchant_id)
    return read_merchant(found)


def _new_secret() -> str:
    return "whsec_" + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _split(opened: str) -> tuple[str, ...]:
    return tuple(opened.split("\n"))
