"""Suppliers: who they are, their connector documents, and their sealed credentials."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from core.clock import Clock, DayCut
from core.connectors import Connector, DocumentFaults, Fault, check, load
from core.errors import Bug, Refusal
from core.ids import Ids
from core.ledger import Ledger
from core.money import HOME_CURRENCY, need_currency
from core.store import Store, Tx
from core.suppliers.models import DocumentRow, SupplierRow
from core.vault import Vault

_CREDENTIALS: Final = "supplier.credentials"


@dataclass(frozen=True, slots=True)
class Supplier:
    """An upstream institution, with its credentials opened."""

    id: UUID
    supplier_no: str
    name: str
    document_id: UUID
    credentials: dict[str, str]
    sandbox: bool
    state: str
    currency: str
    day_cut: DayCut


class Suppliers:
    """Upstream institutions and how each is spoken to."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, ids: Ids, ledger: Ledger) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._ledger = ledger
        self._connectors: dict[UUID, Connector] = {}

    async def add_document(self, text: str) -> UUID:
        """Keep a connector document; the same text is kept once.

        Raises DocumentFaults, also for fixtures of the document that do not come out as it says.
        """
        connector = load(text)
        failures = check(connector)
        if failures:
            raise DocumentFaults(
                tuple(Fault(f.line, f.case, f.why, "a fixture that holds") for f in failures)
            )
        row = await DocumentRow.get_or_none(code=connector.code, version=connector.version)
        if row is None:
            row = await DocumentRow.create(
                id=self._ids.uuid7(),
                code=connector.code,
                version=connector.version,
                body=text,
                created_at=self._clock.now(),
            )
        return UUID(str(row.id))

    async def open(
        self,
        supplier_no: str,
        name: str,
        *,
        document_id: UUID,
        credentials: dict[str, str],
        sandbox: bool,
        legal_name: str,
        licence_no: str,
        licence_expires_on: date,
        settles_to: str,
        currency: str = HOME_CURRENCY,
        day_cut: DayCut | None = None,
    ) -> Supplier:
        """Open a supplier and put it live. A production desk has no sandbox suppliers, a demo
        no others; the database's own mark decides.

        currency: of everything it takes, costs and owes. Refusals: currency_unknown,
        field_missing.
        """
        need_currency(currency)
        if sandbox != (await self._store.kind() == "demo"):
            raise Bug("a demo desk takes sandbox suppliers only, a production desk real ones only")
        connector = await self.connector(document_id)
        if connector.sandbox_only and not sandbox:
            raise Bug(f"the document {connector.code} is for sandbox suppliers only")
        missing = set(connector.credential_names) - set(credentials)
        if missing:
            raise Refusal("field_missing", param="credentials." + min(missing))
        cut = day_cut or DayCut()
        async with self._store.transaction() as tx:
            row = await SupplierRow.create(
                id=self._ids.uuid7(),
                supplier_no=supplier_no,
                name=name,
                legal_name=legal_name,
                licence_no=licence_no,
                licence_expires_on=licence_expires_on,
                settles_to=settles_to,
                document_id=document_id,
                sandbox=sandbox,
                currency=currency,
                day_cut=cut.at,
                zone=cut.zone,
                state="live",
                credentials_sealed=self._vault.seal(json.dumps(credentials), _CREDENTIALS),
                created_at=self._clock.now(),
            )
            await self._ledger.open_first_day(tx, row.id, cut)
        return self._supplier(row)

    async def set_day_cut(self, tx: Tx, supplier_id: UUID, cut: DayCut) -> None:
        """When the supplier's days begin, from its next day on: the open one ends as it would."""
        await tx.execute(
            "UPDATE supplier SET day_cut = $2, zone = $3 WHERE id = $1",
            supplier_id,
            cut.at,
            cut.zone,
        )

    async def set_credentials(self, supplier_id: UUID, credentials: dict[str, str]) -> None:
        """Replace a supplier's credentials."""
        sealed = self._vault.seal(json.dumps(credentials), _CREDENTIALS)
        await SupplierRow.filter(id=supplier_id).update(credentials_sealed=sealed)

    async def all(self) -> list[Supplier]:
        """All suppliers, by number."""
        return [self._supplier(row) for row in await SupplierRow.all().order_by("supplier_no")]

    async def by_id(self, supplier_id: UUID) -> Supplier:
        """One supplier. Raises Bug: ids come from our own rows."""
        row = await SupplierRow.get_or_none(id=supplier_id)
        if row is None:
            raise Bug(f"there is no supplier {supplier_id}")
        return self._supplier(row)

    async def by_no(self, supplier_no: str) -> Supplier:
        """Refusals: supplier_not_found."""
        row = await SupplierRow.get_or_none(supplier_no=supplier_no.strip().upper())
        if row is None:
            raise Refusal("supplier_not_found", supplier_no=supplier_no[:20])
        return self._supplier(row)

    async def connector(self, document_id: UUID) -> Connector:
        """The connector of a document; documents never change, so it is read once."""
        found = self._connectors.get(document_id)
        if found is None:
            row = await DocumentRow.get(id=document_id)
            found = self._connectors[document_id] = load(row.body)
        return found

    def _supplier(self, row: SupplierRow) -> Supplier:
        opened: dict[str, Any] = json.loads(self._vault.open(row.credentials_sealed, _CREDENTIALS))
        return Supplier(
            id=row.id,
            supplier_no=row.supplier_no,
            name=row.name,
            document_id=row.document_id,
            credentials=opened,
            sandbox=row.sandbox,
            state=row.state,
            currency=row.currency,
            day_cut=DayCut(row.day_cut.replace(tzinfo=None), row.zone),
        )
