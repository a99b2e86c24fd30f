"""What screens show of suppliers: lists, cards, and the versions to which one can be switched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core.connectors import Connector, DocumentFaults
from core.parties.district import Parties
from core.parties.suppliers import Supplier
from core.supply.district import Supply
from core.supply.onboarding import Document
from core.system.district import System
from handlers.suppliers.buttons import seen
from handlers.suppliers.screens import (
    CredentialLine,
    SupplierKeys,
    SupplierLine,
    SupplierNotice,
    SuppliersNotice,
    SupplierSwitch,
    SupplierVersions,
    UseLine,
    VersionLine,
)

PAGE_SIZE: Final = 8
VERSIONS: Final = 10
USES: Final = 5


@dataclass(frozen=True, slots=True)
class Cards:
    """Reads from three districts what is shown of suppliers."""

    system: System
    parties: Parties
    supply: Supply

    async def page(self, number: int) -> SuppliersNotice:
        """A page of all suppliers; one behind the last is the last."""
        found = await self.parties.suppliers.all()
        pages = max(1, -(-len(found) // PAGE_SIZE))
        number = min(number, pages)
        first = (number - 1) * PAGE_SIZE
        lines = [await self._line(supplier) for supplier in found[first : first + PAGE_SIZE]]
        return SuppliersNotice(number, pages, len(found), tuple(lines))

    async def _line(self, supplier: Supplier) -> SupplierLine:
        return SupplierLine(
            supplier_id=supplier.id,
            supplier_no=supplier.supplier_no,
            name=supplier.name,
            state=supplier.state,
            sandbox=supplier.sandbox,
            document=str(await self.supply.documents.by_id(supplier.document_id)),
            days_left=self._days_left(supplier),
            missing=tuple(await self.supply.onboarding.missing(supplier)),
        )

    def _days_left(self, supplier: Supplier) -> int | None:
        if supplier.licence_expires_on is None:
            return None
        return (supplier.licence_expires_on - self.today(supplier.day_cut.zone)).days

    def today(self, zone: str) -> date:
        """The calendar's day in a zone."""
        return self.system.clock.now().astimezone(ZoneInfo(zone)).date()

    async def card(self, supplier: Supplier) -> SupplierNotice:
        """Everything about a supplier but its credentials, of which only the names are told."""
        line = await self._line(supplier)
        uses = await self.supply.onboarding.uses(supplier)
        shown = [
            UseLine(
                str(await self.supply.documents.by_id(use.document_id)),
                use.how,
                use.actor_name,
                use.at,
            )
            for use in uses[-USES:]
        ]
        return SupplierNotice(
            supplier_id=line.supplier_id,
            supplier_no=line.supplier_no,
            name=line.name,
            state=line.state,
            sandbox=line.sandbox,
            document=line.document,
            days_left=line.days_left,
            missing=line.missing,
            seen=seen(supplier.document_id),
            legal_name=supplier.legal_name,
            licence_no=supplier.licence_no,
            licence_expires_on=supplier.licence_expires_on,
            settles_to=supplier.settles_to or "",
            currency=supplier.currency,
            credentials=await self._credentials(supplier),
            uses=tuple(shown),
            waiting=tuple(sorted(supplier.waiting.credentials)) if supplier.waiting else (),
            zone=supplier.day_cut.zone,
            switched=len(uses) > 1,
        )

    async def keys(self, supplier: Supplier) -> SupplierKeys:
        """Its credentials, by name."""
        credentials = await self._credentials(supplier)
        return SupplierKeys(supplier.id, supplier.supplier_no, supplier.name, credentials)

    async def _credentials(self, supplier: Supplier) -> tuple[CredentialLine, ...]:
        connector = await self.connector(supplier.document_id)
        names = connector.credentials if connector is not None else {}
        return tuple(
            CredentialLine(name, title, bool(supplier.coming.get(name)))
            for name, title in names.items()
        )

    async def versions(self, supplier: Supplier) -> SupplierVersions:
        """The other approved versions of its connector, the newest first."""
        current = await self.supply.documents.by_id(supplier.document_id)
        found = [
            VersionLine(document.id, str(document))
            for document in await self.supply.documents.all(current.code)
            if document.state == "approved" and document.id != current.id
        ]
        return SupplierVersions(
            supplier_id=supplier.id,
            supplier_no=supplier.supplier_no,
            name=supplier.name,
            before=str(current),
            seen=seen(current.id),
            documents=tuple(found[:VERSIONS]),
        )

    async def switch(self, supplier: Supplier, document: Document) -> SupplierSwitch:
        """The question whether to switch."""
        current = await self.supply.documents.by_id(supplier.document_id)
        return SupplierSwitch(
            supplier_id=supplier.id,
            supplier_no=supplier.supplier_no,
            name=supplier.name,
            state=supplier.state,
            before=str(current),
            seen=seen(current.id),
            after=str(document),
            document_id=document.id,
            note=document.note,
        )

    async def connector(self, document_id: UUID) -> Connector | None:
        """None where today's language no longer understands the document."""
        try:
            return await self.parties.suppliers.connector(document_id)
        except DocumentFaults:
            return None
