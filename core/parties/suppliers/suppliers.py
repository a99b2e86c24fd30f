"""Suppliers: who they are, which document each is spoken to by, and their sealed credentials."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

import asyncpg

from core.books import Ledger
from core.connectors import Connector, load
from core.kernel.clock import Clock, DayCut
from core.kernel.errors import Bug, Refusal
from core.kernel.ids import Ids
from core.kernel.money import HOME_CURRENCY
from core.system.store import Queries, Store, Tx
from core.system.vault import Purpose, Vault

_CREDENTIALS: Final = "supplier.credentials"
_WAITING: Final = "supplier.waiting"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Credentials that replace others once a second person has confirmed them. by: who set them."""

    credentials: Mapping[str, str] = field(repr=False)
    by: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Supplier:
    """An upstream institution, with its credentials opened.

    state: live | off. licence_expires_on: the last day on which its channels take orders, see
    `licence_over`. lived: whether it was ever live. waiting: what is to replace some credentials;
    only one that is off has it.
    """

    id: UUID
    supplier_no: str
    name: str
    document_id: UUID
    credentials: Mapping[str, str] = field(repr=False)
    sandbox: bool
    state: str
    currency: str
    day_cut: DayCut
    legal_name: str
    licence_no: str
    licence_expires_on: date | None
    settles_to: str | None
    lived: bool = False
    waiting: Waiting | None = None

    @property
    def coming(self) -> Mapping[str, str]:
        """The credentials with which it would go live."""
        return {**self.credentials, **(self.waiting.credentials if self.waiting else {})}

    @property
    def credential_names(self) -> tuple[str, ...]:
        """Those that are set: all that may be shown of them."""
        return tuple(sorted(self.credentials))


def licence_over(last_day: date | None, today: date) -> bool:
    """Whether a licence is over: its last day still counts. today: the calendar's, where the
    supplier is. None: that nobody has said which day it is."""
    return last_day is not None and last_day < today


@dataclass(frozen=True, slots=True)
class NewSupplier:
    """What it takes to open a supplier. What is empty or None can be said until it goes live.

    supplier_no: 'S' and 2 to 9 digits. settles_to: merchant | licensed_institution. currency: of
    everything it takes, costs and owes.
    """

    supplier_no: str
    name: str
    document_id: UUID
    sandbox: bool
    legal_name: str = ""
    licence_no: str = ""
    licence_expires_on: date | None = None
    settles_to: str | None = None
    currency: str = HOME_CURRENCY
    day_cut: DayCut = field(default_factory=DayCut)


class Suppliers:
    """Upstream institutions, as rows: whoever writes here has asked for the right before
    (`core.supply.onboarding`).

    More than seven verbs: one for each way to find a supplier, and one for each part of its row.
    """

    def __init__(self, store: Store, vault: Vault, clock: Clock, ids: Ids, ledger: Ledger) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._ledger = ledger
        self._connectors: dict[UUID, Connector] = {}

    # ── reading ──────────────────────────────────────────────────────────────────────────────────
    async def all(self) -> list[Supplier]:
        """All suppliers, by number."""
        rows = await self._store.fetch("SELECT * FROM supplier ORDER BY supplier_no")
        return [read_supplier(row, self._vault.open) for row in rows]

    async def by_id(self, supplier_id: UUID) -> Supplier:
        """One supplier. Raises Bug: ids come from our own rows."""
        return await self._by_id(self._store, _BY_ID, supplier_id)

    async def by_no(self, supplier_no: str) -> Supplier:
        """Refusals: supplier_not_found."""
        row = await self._store.fetchrow(
            "SELECT * FROM supplier WHERE supplier_no = $1", supplier_no.strip().upper()
        )
        if row is None:
            raise Refusal("supplier_not_found", supplier_no=supplier_no[:20])
        return read_supplier(row, self._vault.open)

    async def connector(self, document_id: UUID, queries: Queries | None = None) -> Connector:
        """The connector of a document; its text never changes, so it is read once.

        queries: the transaction that is open, if one is. Raises Bug as `by_id`, and DocumentFaults
        where today's language no longer understands it.
        """
        found = self._connectors.get(document_id)
        if found is None:
            body = await (queries or self._store).fetchval(
                "SELECT body FROM connector_document WHERE id = $1", document_id
            )
            if body is None:
                raise Bug(f"there is no connector document {document_id}")
            # In a thread: the longest take a tenth of a second.
            found = await asyncio.to_thread(load, body)
            self._connectors[document_id] = found
        return found

    # ── writing, in the transaction of whoever decided it ────────────────────────────────────────
    async def hold(self, tx: Tx, supplier_id: UUID) -> Supplier:
        """The supplier as it stands, held until the transaction ends. Raises Bug as `by_id`."""
        return await self._by_id(tx, f"{_BY_ID} FOR UPDATE", supplier_id)

    async def add(self, tx: Tx, new: NewSupplier) -> Supplier:
        """A new one, off and without credentials, with its first business day.

        Refusals: supplier_exists.
        """
        supplier_id = self._ids.uuid7()
        added = await tx.execute(
            _ADD,
            supplier_id,
            new.supplier_no,
            new.name,
            new.legal_name,
            new.licence_no,
            new.licence_expires_on,
            new.settles_to,
            new.document_id,
            self._seal({}, _CREDENTIALS, supplier_id),
            new.sandbox,
            new.currency,
            new.day_cut.at,
            new.day_cut.zone,
            self._clock.now(),
        )
        if not added:
            raise Refusal("supplier_exists", supplier_no=new.supplier_no)
        await self._ledger.calendar.open_first(tx, supplier_id, new.day_cut)
        return await self._by_id(tx, _BY_ID, supplier_id)

    async def set_credentials(
        self, queries: Queries, supplier_id: UUID, credentials: Mapping[str, str]
    ) -> None:
        """Replace a supplier's credentials at once; none waits any more."""
        sealed = self._seal(credentials, _CREDENTIALS, supplier_id)
        await queries.execute(_SET_CREDENTIALS, supplier_id, sealed)

    async def keep_credentials(self, tx: Tx, supplier: Supplier) -> None:
        """Keep a supplier's credentials and those that wait, and its state."""
        waiting = supplier.waiting
        await tx.execute(
            _KEEP_CREDENTIALS,
            supplier.id,
            self._seal(supplier.credentials, _CREDENTIALS, supplier.id),
            self._seal(waiting.credentials, _WAITING, supplier.id) if waiting else None,
            waiting.by if waiting else None,
            waiting.at if waiting else None,
            supplier.state,
        )

    async def set_day_cut(self, tx: Tx, supplier_id: UUID, cut: DayCut) -> None:
        """When the supplier's days begin, from its next day on: the open one ends as it would."""
        await tx.execute(
            "UPDATE supplier SET day_cut = $2, zone = $3 WHERE id = $1",
            supplier_id,
            cut.at,
            cut.zone,
        )

    async def _by_id(self, queries: Queries, sql: str, supplier_id: UUID) -> Supplier:
        row = await queries.fetchrow(sql, supplier_id)
        if row is None:
            raise Bug(f"there is no supplier {supplier_id}")
        return read_supplier(row, self._vault.open)

    def _seal(self, credentials: Mapping[str, str], use: str, supplier_id: UUID) -> bytes:
        return self._vault.seal(json.dumps(dict(credentials)), Purpose(use, str(supplier_id)))


def read_supplier(row: asyncpg.Record, opened: Callable[[bytes, Purpose], str]) -> Supplier:
    """A row as it is read. opened: opens sealed credentials. Raises Bug as the vault does."""

    def credentials_of(sealed: bytes, use: str) -> dict[str, str]:
        found: dict[str, str] = json.loads(opened(sealed, Purpose(use, str(row["id"]))))
        return found

    waiting = None
    if row["waiting_sealed"] is not None:
        replacing = credentials_of(row["waiting_sealed"], _WAITING)
        waiting = Waiting(replacing, row["waiting_by"], row["waiting_at"])
    return Supplier(
        id=row["id"],
        supplier_no=row["supplier_no"],
        name=row["name"],
        document_id=row["document_id"],
        credentials=credentials_of(row["credentials_sealed"], _CREDENTIALS),
        sandbox=row["sandbox"],
        state=row["state"],
        currency=row["currency"],
        day_cut=DayCut(row["day_cut"], row["zone"]),
        legal_name=row["legal_name"],
        licence_no=row["licence_no"],
        licence_expires_on=row["licence_expires_on"],
        settles_to=row["settles_to"],
        lived=row["live_at"] is not None,
        waiting=waiting,
    )


_BY_ID: Final = "SELECT * FROM supplier WHERE id = $1"
_ADD: Final = """
INSERT INTO supplier (id, supplier_no, name, legal_name, licence_no, licence_expires_on, settles_to,
    document_id, credentials_sealed, sandbox, currency, day_cut, zone, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (supplier_no) DO NOTHING
"""
_SET_CREDENTIALS: Final = """
UPDATE supplier SET credentials_sealed = $2, waiting_sealed = NULL, waiting_by = NULL,
    waiting_at = NULL
WHERE id = $1
"""
_KEEP_CREDENTIALS: Final = """
UPDATE supplier SET credentials_sealed = $2, waiting_sealed = $3, waiting_by = $4, waiting_at = $5,
    state = $6
WHERE id = $1
"""
