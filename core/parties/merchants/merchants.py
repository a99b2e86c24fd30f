"""Who buys: merchants, apps with their keys, rates per product."""

from __future__ import annotations

import secrets
import unicodedata
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from core.books import BusinessDay, Ledger
from core.kernel.clock import Clock, DayCut
from core.kernel.errors import Refusal
from core.kernel.ids import Ids
from core.kernel.money import HOME_CURRENCY, need_currency
from core.kernel.tariff import Tariff, format_tariff
from core.parties.merchants.models import AppRow, MerchantRow
from core.system.store import Queries, Store, Tx
from core.system.vault import Purpose, Vault

_API_SECRETS: Final = "app.secrets"
_NOTIFY_SECRETS: Final = "app.notify_secrets"
_SECRET_BYTES: Final = 32
NAME_MAX_CHARS: Final = 64
_CONTROLS: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Merchant:
    """A customer of the platform. tag: its short number inside order numbers."""

    id: UUID
    merchant_no: str
    tag: int
    name: str
    state: str
    currency: str
    day_cut: DayCut
    credit_line_minor: int | None
    reviewed: bool


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
class Offer:
    """What a merchant pays for a product. since: the business day from which on it counts."""

    tariff_id: UUID
    tariff: Tariff
    since: date


@dataclass(frozen=True, slots=True)
class AppKeys:
    """The keys of a new app: shown once, kept sealed."""

    app_id: UUID
    key_id: str
    secret: str
    notify_secret: str


class Merchants:
    """Merchants, apps and rates."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, ids: Ids, ledger: Ledger) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._ledger = ledger

    async def open_merchant(
        self,
        merchant_no: str,
        name: str,
        *,
        reviewed: bool,
        currency: str = HOME_CURRENCY,
        day_cut: DayCut | None = None,
    ) -> Merchant:
        """Open a merchant and its first business day.

        name: 1 to 64 characters; suppliers see it. reviewed: whether its review is passed, without
        which no live key of it is taken. Refusals: field_invalid, currency_unknown.
        """
        _check_name(name)
        need_currency(currency)
        cut = day_cut or DayCut()
        async with self._store.transaction() as tx:
            await tx.execute("LOCK TABLE merchant IN SHARE ROW EXCLUSIVE MODE")
            tag = await tx.fetchval("SELECT coalesce(max(tag), 0) + 1 FROM merchant")
            row = await MerchantRow.create(
                id=self._ids.uuid7(),
                merchant_no=merchant_no,
                tag=tag,
                name=name,
                currency=currency,
                day_cut=cut.at,
                zone=cut.zone,
                reviewed_at=self._clock.now() if reviewed else None,
                created_at=self._clock.now(),
            )
            await self._ledger.open_first_day(tx, row.id, cut)
        return _merchant(row)

    async def set_day_cut(self, tx: Tx, merchant_id: UUID, cut: DayCut) -> None:
        """When the merchant's days begin, from its next day on: the open one ends as it would."""
        await tx.execute(
            "UPDATE merchant SET day_cut = $2, zone = $3 WHERE id = $1",
            merchant_id,
            cut.at,
            cut.zone,
        )

    async def open_app(
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

    async def set_tariff(
        self,
        merchant: Merchant,
        product_code: str,
        tariff: Tariff,
        *,
        actor: str,
        valid_from: date | None = None,
        also: Callable[[Tx, BusinessDay], Awaitable[None]] | None = None,
    ) -> UUID:
        """Open a product to a merchant at a tariff, or change it for orders from a day on.

        valid_from: a business day of the merchant; None: from now on. Orders that are there keep
        what they were made with. also: done first, in the same transaction and open day, with the
        tariffs of the product held. Returns the tariff's id. Refusals: product_not_found,
        tariff_in_the_past.
        """

        async def work(tx: Tx, day: BusinessDay) -> UUID:
            if not await tx.fetchval(_SOLD, product_code):
                raise Refusal("product_not_found", product=product_code[:32])
            since = valid_from or day.day
            if since < day.day:
                written = format_tariff(tariff, merchant.currency)
                again = (
                    f"重算费率 {merchant.merchant_no} {product_code} {written} {since}~{day.day}"
                )
                raise Refusal("tariff_in_the_past", day=since, today=day.day, example=again)
            # Those who set it at once do so one after the other: the last one's seq is the highest.
            await tx.hold(f"tariff:{merchant.id}:{product_code}")
            if also is not None:
                await also(tx, day)
            tariff_id = self._ids.uuid7()
            await tx.execute(_OPEN_PRODUCT, self._ids.uuid7(), merchant.id, product_code)
            await tx.execute(
                "INSERT INTO tariff (id, merchant_id, product_code, valid_from, tiers_by, tiers,"
                " actor, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                tariff_id,
                merchant.id,
                product_code,
                since,
                tariff.tiers_by,
                tariff.pack(),
                actor,
                day.at,
            )
            return tariff_id

        return await self._ledger.in_open_day(merchant.id, work)

    async def turn_product(self, tx: Tx, merchant: Merchant, product_code: str, state: str) -> bool:
        """Switch a product that was opened to a merchant on or off for it; orders that are there
        go on. state: on | off. False: it was so already. Refusals: product_unknown."""
        before = await tx.fetchval(_OPENED, merchant.id, product_code)
        if before is None:
            raise Refusal("product_unknown", product=product_code[:32])
        if before == state:
            return False
        await tx.execute(_TURN_PRODUCT, merchant.id, product_code, state)
        return True

    async def offers(
        self, merchant: Merchant, day: date | None = None, *, queries: Queries | None = None
    ) -> dict[str, Offer]:
        """product code -> tariff of a business day (None: of now), for every product that is on
        and open to the merchant. queries: the transaction, where one is open."""
        return await self._offers(queries or self._store, _OFFERS, merchant, day)

    async def coming(
        self, merchant: Merchant, day: date | None = None, *, queries: Queries | None = None
    ) -> dict[str, Offer]:
        """product code -> the next tariff that begins after a business day (None: after now).
        queries: as in `offers`."""
        return await self._offers(queries or self._store, _COMING, merchant, day)

    async def _offers(
        self, queries: Queries, sql: str, merchant: Merchant, day: date | None
    ) -> dict[str, Offer]:
        rows = await queries.fetch(sql, merchant.id, day, self._clock.now())
        return {
            row["product_code"]: Offer(
                row["id"], Tariff.unpack(row["tiers_by"], row["tiers"]), row["valid_from"]
            )
            for row in rows
        }

    async def by_no(self, merchant_no: str) -> Merchant:
        """Refusals: merchant_not_found."""
        row = await MerchantRow.get_or_none(merchant_no=merchant_no.strip().upper())
        if row is None:
            raise Refusal("merchant_not_found", merchant_no=merchant_no[:20])
        return _merchant(row)

    async def by_id(self, merchant_id: UUID) -> Merchant:
        """Refusals: merchant_not_found."""
        row = await MerchantRow.get_or_none(id=merchant_id)
        if row is None:
            raise Refusal("merchant_not_found", merchant_no=merchant_id)
        return _merchant(row)

    async def by_tag(self, tag: int) -> Merchant | None:
        """The merchant that a public number names."""
        row = await MerchantRow.get_or_none(tag=tag)
        return _merchant(row) if row else None

    async def everybody(self) -> list[Merchant]:
        """All merchants, by number."""
        return [_merchant(row) for row in await MerchantRow.all().order_by("tag")]

    async def currencies(self) -> tuple[str, ...]:
        """Those that merchants have, the one of most merchants first; of a desk without any,
        the one in which the first is opened where nobody says another."""
        rows = await self._store.fetch(
            "SELECT currency FROM merchant GROUP BY currency ORDER BY count(*) DESC, currency"
        )
        return tuple(row["currency"] for row in rows) or (HOME_CURRENCY,)

    async def app_by_key(self, key_id: str) -> App:
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

    async def app_by_id(self, app_id: UUID) -> App:
        """The app of an order. Refusals: key_unknown when it was withdrawn."""
        row = await AppRow.get_or_none(id=app_id)
        if row is None:
            raise Refusal("key_unknown")
        return await self._app(row, must_be_open=False)

    async def apps_of(self, merchant: Merchant) -> list[App]:
        """A merchant's open apps, the oldest first."""
        rows = await AppRow.filter(merchant_id=merchant.id, state="open").order_by("created_at")
        return [await self._app(row, must_be_open=False) for row in rows]

    async def _app(self, row: AppRow, *, must_be_open: bool = True) -> App:
        merchant = await self.by_id(row.merchant_id)
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


_SOLD: Final = "SELECT EXISTS (SELECT FROM product WHERE code = $1 AND state = 'on')"
_OPENED: Final = (
    "SELECT state FROM merchant_product WHERE merchant_id = $1 AND product_code = $2 FOR UPDATE"
)
_TURN_PRODUCT: Final = (
    "UPDATE merchant_product SET state = $3 WHERE merchant_id = $1 AND product_code = $2"
)
_OPEN_PRODUCT: Final = """
INSERT INTO merchant_product (id, merchant_id, product_code, state) VALUES ($1, $2, $3, 'on')
ON CONFLICT (merchant_id, product_code) DO UPDATE SET state = 'on'
"""

# $1 merchant, $2 business day or null, $3 now. The open day, where it is over but not yet closed,
# is the one after it.
_TARIFFS: Final = """
SELECT DISTINCT ON (t.product_code) t.product_code, t.id, t.tiers_by, t.tiers, t.valid_from
FROM tariff t
JOIN merchant_product mp ON mp.merchant_id = t.merchant_id
    AND mp.product_code = t.product_code AND mp.state = 'on'
JOIN product p ON p.code = t.product_code AND p.state = 'on'
WHERE t.merchant_id = $1 AND t.valid_from {after} coalesce($2,
    (SELECT CASE WHEN ends_at > $3 THEN day ELSE day + 1 END FROM business_day
     WHERE holder_id = $1 AND closed_at IS NULL))
ORDER BY t.product_code, t.valid_from {first}, t.seq DESC
"""
_OFFERS: Final = _TARIFFS.format(after="<=", first="DESC")
_COMING: Final = _TARIFFS.format(after=">", first="ASC")


def _merchant(row: MerchantRow) -> Merchant:
    return Merchant(
        id=row.id,
        merchant_no=row.merchant_no,
        tag=row.tag,
        name=row.name,
        state=row.state,
        currency=row.currency,
        day_cut=DayCut(row.day_cut.replace(tzinfo=None), row.zone),
        credit_line_minor=row.credit_line_minor,
        reviewed=row.reviewed_at is not None,
    )


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > NAME_MAX_CHARS or any(map(_controls, name)):
        raise Refusal(
            "field_invalid",
            param="name",
            expected=f"1 to {NAME_MAX_CHARS} characters, none of them a control character",
        )


def _controls(char: str) -> bool:
    """Whether a character acts on the text instead of being read, such as a line's end."""
    return unicodedata.category(char) in _CONTROLS


def _new_secret() -> str:
    return "whsec_" + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _split(opened: str) -> tuple[str, ...]:
    return tuple(opened.split("\n"))
