"""A supplier's going live, as a second person is asked about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final
from uuid import UUID

from core.parties.suppliers import Supplier
from core.people.approvals import SecondQuestion
from core.supply.onboarding.documents import Document
from core.system.store import Tx

RIGHT: Final = "suppliers"


@dataclass(frozen=True, slots=True)
class SupplierLiveQuestion(SecondQuestion):
    """Whether channels of a supplier may take orders. What is approved is approved for all of
    this: document: the version in use. waiting: credentials that count from then on, by name.
    sealed: a digest of the credentials as they are kept, sealed; it tells that they are others
    now, and nothing about them."""

    kind: ClassVar[str] = "supplier_live"
    right: ClassVar[str] = RIGHT
    supplier_id: UUID
    supplier_no: str
    supplier_name: str
    legal_name: str
    licence_no: str
    licence_expires_on: date | None
    settles_to: str
    document: str
    waiting: tuple[str, ...]
    sealed: str


async def live_question(tx: Tx, supplier: Supplier, document: Document) -> SupplierLiveQuestion:
    """What is asked about a supplier that is held, as it stands."""
    return SupplierLiveQuestion(
        supplier_id=supplier.id,
        supplier_no=supplier.supplier_no,
        supplier_name=supplier.name,
        legal_name=supplier.legal_name,
        licence_no=supplier.licence_no,
        licence_expires_on=supplier.licence_expires_on,
        settles_to=supplier.settles_to or "",
        document=str(document),
        waiting=tuple(sorted(supplier.waiting.credentials)) if supplier.waiting else (),
        sealed=await tx.fetchval(_SEALED, supplier.id),
    )


_SEALED: Final = """
SELECT encode(sha256(credentials_sealed || coalesce(waiting_sealed, ''::bytea)), 'hex')
FROM supplier WHERE id = $1
"""
