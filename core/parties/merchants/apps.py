"""Apps of merchants, with their keys."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Final
from uuid import UUID

import asyncpg

from core.kernel.clock import Clock
from core.kernel.errors import Bug, Refusal
from core.kernel.ids import Ids
from core.parties.merchants.merchant import Merchant, read_merchant
from core.parties.merchants.uses import AppUses
from core.system.store import Queries, Store, Tx
from core.system.vault import Purpose, Vault

_API_SECRETS: Final = "app.secrets"
_NOTIFY_SECRETS: Final = "app.notify_secrets"
_SECRET_BYTES: Final = 32
# How often an app may call in a second where nobody said otherwise (the table's default), and what
# may be said.
CALLS_PER_S: Final = 500
MAX_CALLS_PER_S: Final = 10_000
# So long the secrets before stay valid, and so many are valid at once.
OVERLAP: Final = timedelta(hours=24)
SECRETS_AT_ONCE: Final = 3
MAX_NETWORKS: Final = 50
_SHOWN_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class App:
    """One app of a merchant, with its secrets, the newest first. old_until: all but the newest are
    valid until then. calls_per_s: so often it may call the Payment API."""

    id: UUID
    merchant: Merchant
    mode: str
    key_id: str
    secrets: tuple[str, ...]
    notify_secrets: tuple[str, ...]
    notify_url: str | None
    ip_allow: tuple[str, ...]
    calls_per_s: int
    old_until: datetime | None = None

    def secrets_at(self, now: datetime) -> tuple[str, ...]:
        """Those that a request may be signed with at an instant."""
        return self.secrets[:1] if self.rotated(now) else self.secrets

    def notify_secrets_at(self, now: datetime) -> tuple[str, ...]:
        """Those that notifications are signed with at an instant, each of them."""
        return self.notify_secrets[:1] if self.rotated(now) else self.notify_secrets

    def rotated(self, now: datetime) -> bool:
        """Whether its older secrets are over at an instant."""
        return self.old_until is not None and self.old_until <= now

    def need_merchant(self) -> None:
        """Its merchant may use it. Refusals: merchant_suspended, merchant_archived,
        merchant_not_reviewed (live)."""
        if self.merchant.state == "archived":
            raise Refusal("merchant_archived", merchant_no=self.merchant.merchant_no)
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
class KeptApp:
    """An app with the secrets that are valid now, and with what people see of it. state: open |
    withdrawn. used_at: when its key called last, to the minute; None where it never did. unseen:
    the question that made the newest secrets, where nobody knows whether they were shown."""

    app: App
    name: str
    state: str
    created_at: datetime
    used_at: datetime | None
    unseen: UUID | None

    @property
    def id(self) -> UUID:
        return self.app.id


@dataclass(frozen=True, slots=True)
class AppKeys:
    """The keys of an app, new: shown once, kept sealed. old_until: the ones before are valid until
    then; None where there were none."""

    app_id: UUID
    key_id: str
    secret: str = field(repr=False)
    notify_secret: str = field(repr=False)
    old_until: datetime | None = None


class Apps:
    """The apps through which merchants' servers speak, as rows: whoever writes here has asked for
    the right before (`core.accounts.onboarding.keys`). Their secrets are kept sealed. uses: when
    each called.

    More than seven verbs: one for each part of an app's row.
    """

    def __init__(self, store: Store, vault: Vault, clock: Clock, ids: Ids) -> None:
        self.uses = AppUses(store, clock)
        self._store = store
        self._vault = vault
        self._clock = clock
        self._ids = ids

    # ── writing ──────────────────────────────────────────────────────────────────────────────────
    async def open(
        self,
        merchant: Merchant,
        *,
        mode: str,
        name: str,
        notify_url: str | None = None,
        unseen: UUID | None = None,
        tx: Tx | None = None,
    ) -> AppKeys:
        """Make an app with a new key, a request secret and a notification secret. mode: live |
        test. unseen: the question that asked for them, where they are to be `shown`. tx: where a
        transaction is open."""
        keys = AppKeys(
            self._ids.uuid7(), f"pdk_{mode}_{secrets.token_hex(12)}", _new_secret(), _new_secret()
        )
        await (tx or self._store).execute(
            _ADD,
            keys.app_id,
            merchant.id,
            mode,
            name,
            keys.key_id,
            self._seal((keys.secret,), _API_SECRETS, keys.app_id),
            self._seal((keys.notify_secret,), _NOTIFY_SECRETS, keys.app_id),
            notify_url,
            self._clock.now(),
            unseen,
        )
        return keys

    async def rotate(self, tx: Tx, kept: KeptApp, *, unseen: UUID | None = None) -> AppKeys:
        """New secrets for an app that is held; those that are valid now stay valid for OVERLAP.
        unseen: as in `open`.

        Refusals: keys_rotated_often (so many are valid already).
        """
        app, until = kept.app, self._clock.now() + OVERLAP
        if app.old_until is not None and len(app.secrets) >= SECRETS_AT_ONCE:
            at = app.old_until.isoformat()
            raise Refusal("keys_rotated_often", limit=SECRETS_AT_ONCE, at=at)
        keys = AppKeys(app.id, app.key_id, _new_secret(), _new_secret(), until)
        api = (keys.secret, *app.secrets)
        notify = (keys.notify_secret, *app.notify_secrets)
        await self._keep(tx, app.id, api, notify, until, unseen=unseen)
        return keys

    async def shown(self, keys: AppKeys) -> None:
        """Somebody saw these keys."""
        await self._store.execute("UPDATE app SET unseen = NULL WHERE id = $1", keys.app_id)

    async def made_unseen(self, approval_id: UUID, tx: Tx) -> KeptApp | None:
        """The app that got keys because of a question, while nobody knows whether they were shown;
        it is held."""
        app_id = await tx.fetchval(
            "SELECT id FROM app WHERE unseen = $1 AND state = 'open'", approval_id
        )
        return None if app_id is None else await self.find(app_id, tx)

    async def end_old(self, tx: Tx, kept: KeptApp) -> bool:
        """From now on the newest secrets of an app that is held are the only ones. Whether older
        ones were valid."""
        app = kept.app
        await self._keep(tx, app.id, app.secrets[:1], app.notify_secrets[:1], None)
        return len(app.secrets) > 1

    async def take_back(self, tx: Tx, kept: KeptApp) -> None:
        """The newest secrets of an app that is held count no longer: those before them stay. An app
        that has no others is withdrawn."""
        app = kept.app
        older, notify = app.secrets[1:], app.notify_secrets[1:]
        if not older:
            await self.withdraw(tx, app.id)
            return
        await self._keep(tx, app.id, older, notify, app.old_until if older[1:] else None)

    async def withdraw(self, tx: Tx, app_id: UUID) -> None:
        """Its key is unknown from now on, for ever."""
        await tx.execute("UPDATE app SET state = 'withdrawn' WHERE id = $1", app_id)

    async def set_notify_url(self, app_id: UUID, notify_url: str, tx: Tx | None = None) -> None:
        """Where notifications of this app go when an order names no address of its own."""
        await (tx or self._store).execute(
            "UPDATE app SET notify_url = $2 WHERE id = $1", app_id, notify_url
        )

    async def set_ip_allow(self, tx: Tx, app_id: UUID, networks: Sequence[str]) -> None:
        """From where it may call; empty: from anywhere. networks: as `read_networks` gives them."""
        await tx.execute("UPDATE app SET ip_allow = $2 WHERE id = $1", app_id, list(networks))

    async def set_calls_per_s(self, app_id: UUID, calls_per_s: int, tx: Tx | None = None) -> None:
        """How often this app may call from now on, 1 to MAX_CALLS_PER_S times a second. Refusals:
        field_invalid, key_unknown when there is no such app."""
        if not 1 <= calls_per_s <= MAX_CALLS_PER_S:
            expected = f"a whole number from 1 to {MAX_CALLS_PER_S}"
            raise Refusal("field_invalid", param="calls_per_s", expected=expected)
        changed = await (tx or self._store).execute(
            "UPDATE app SET calls_per_s = $2 WHERE id = $1", app_id, calls_per_s
        )
        if not changed:
            raise Refusal("key_unknown")

    async def _keep(
        self,
        tx: Tx,
        app_id: UUID,
        api: Sequence[str],
        notify: Sequence[str],
        old_until: datetime | None,
        *,
        unseen: UUID | None = None,
    ) -> None:
        await tx.execute(
            "UPDATE app SET secrets_sealed = $2, notify_secrets_sealed = $3, old_until = $4,"
            " unseen = $5 WHERE id = $1",
            app_id,
            self._seal(api, _API_SECRETS, app_id),
            self._seal(notify, _NOTIFY_SECRETS, app_id),
            old_until,
            unseen,
        )

    def _seal(self, secrets_: Sequence[str], use: str, app_id: UUID) -> bytes:
        return self._vault.seal("\n".join(secrets_), Purpose(use, str(app_id)))

    # ── reading ──────────────────────────────────────────────────────────────────────────────────
    async def of(self, merchant: Merchant) -> list[App]:
        """A merchant's open apps, the oldest first."""
        return [kept.app for kept in await self.all(merchant) if kept.state == "open"]

    async def all(self, merchant: Merchant) -> list[KeptApp]:
        """All apps that a merchant ever had, the oldest first."""
        rows = await self._store.fetch(f"{_KEPT} WHERE a.merchant_id = $1 {_OLDEST}", merchant.id)
        return [self._read(row, merchant) for row in rows]

    async def find(self, app_id: UUID, tx: Tx | None = None) -> KeptApp:
        """An app of any merchant. tx: where one is open, in which it is held then. Refusals:
        key_unknown."""
        queries: Queries = self._store if tx is None else tx
        hold = "" if tx is None else "FOR NO KEY UPDATE OF a"
        row = await queries.fetchrow(f"{_KEPT} WHERE a.id = $1 {hold}", app_id)
        if row is None:
            raise Refusal("key_unknown")
        whose = await queries.fetchrow("SELECT * FROM merchant WHERE id = $1", row["merchant_id"])
        if whose is None:
            raise Bug(f"the app {app_id} is nobody's")
        return self._read(row, read_merchant(whose))

    def _read(self, row: asyncpg.Record, merchant: Merchant) -> KeptApp:
        app, now = read_app(row, merchant, self._vault.open), self._clock.now()
        if app.rotated(now):
            api, notify = app.secrets_at(now), app.notify_secrets_at(now)
            app = replace(app, secrets=api, notify_secrets=notify, old_until=None)
        return KeptApp(
            app, row["name"], row["state"], row["created_at"], row["used_at"], row["unseen"]
        )


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
        old_until=row["old_until"],
    )


def read_networks(text: str) -> tuple[str, ...]:
    """Addresses and networks, separated by blanks or commas, as they are kept; each once.

    Refusals: field_invalid (one that is none, or more than MAX_NETWORKS).
    """
    found: list[str] = []
    for written in text.replace(",", " ").split():
        try:
            network = ip_network(written)
        except ValueError:
            raise Refusal(
                "field_invalid",
                param="ip",
                expected=f"addresses or networks like 203.0.113.7 or 203.0.113.0/24, not "
                f"{written[:_SHOWN_CHARS]}",
            ) from None
        found.append(str(network) if network.num_addresses > 1 else str(network.network_address))
    if len(found) > MAX_NETWORKS:
        raise Refusal("field_invalid", param="ip", expected=f"at most {MAX_NETWORKS} of them")
    return tuple(dict.fromkeys(found))


def _new_secret() -> str:
    return "whsec_" + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


_ADD: Final = """
INSERT INTO app (id, merchant_id, mode, name, key_id, secrets_sealed, notify_secrets_sealed,
    notify_url, created_at, unseen)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_KEPT: Final = "SELECT a.*, u.used_at FROM app a LEFT JOIN app_use u ON u.app_id = a.id"
_OLDEST: Final = "ORDER BY a.created_at, a.id"
