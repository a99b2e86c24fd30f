"""What screens show of suppliers: lists, cards, and the versions to which one can be switched."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core.connectors import Connector, DocumentFaults
from core.parties.suppliers import Supplier
from core.runtime import Runtime
from core.supply.onboarding import Document
from handlers.suppliers.buttons import seen

PAGE_SIZE: Final = 8
VERSIONS: Final = 10
USES: Final = 5


async def page(runtime: Runtime, number: int) -> dict[str, Any]:
    found = await runtime.parties.suppliers.all()
    pages = max(1, -(-len(found) // PAGE_SIZE))
    number = min(number, pages)
    first = (number - 1) * PAGE_SIZE
    lines = [await _line(runtime, supplier) for supplier in found[first : first + PAGE_SIZE]]
    return {"page": number, "pages": pages, "total": len(found), "lines": lines}


async def _line(runtime: Runtime, supplier: Supplier) -> dict[str, Any]:
    document = await runtime.supply.documents.by_id(supplier.document_id)
    return {
        "supplier_id": str(supplier.id),
        "supplier_no": supplier.supplier_no,
        "name": supplier.name,
        "state": supplier.state,
        "sandbox": supplier.sandbox,
        "document": str(document),
        "days_left": _days_left(runtime, supplier),
        "missing": list(await runtime.supply.onboarding.missing(supplier)),
    }


def _days_left(runtime: Runtime, supplier: Supplier) -> int | None:
    if supplier.licence_expires_on is None:
        return None
    return (supplier.licence_expires_on - today_of(runtime, supplier.day_cut.zone)).days


def today_of(runtime: Runtime, zone: str) -> date:
    """The calendar's day in a zone."""
    return runtime.system.clock.now().astimezone(ZoneInfo(zone)).date()


async def card(runtime: Runtime, supplier: Supplier) -> dict[str, Any]:
    """Everything about a supplier but its credentials, of which only the names are told."""
    connector = await connector_of(runtime, supplier.document_id)
    uses = await runtime.supply.onboarding.uses(supplier)
    documents = [await runtime.supply.documents.by_id(use.document_id) for use in uses[-USES:]]
    names = connector.credentials if connector is not None else {}
    return {
        **await _line(runtime, supplier),
        "seen": seen(supplier.document_id),
        "legal_name": supplier.legal_name,
        "licence_no": supplier.licence_no,
        "licence_expires_on": str(supplier.licence_expires_on or ""),
        "settles_to": supplier.settles_to or "",
        "currency": supplier.currency,
        "credentials": [
            {"name": name, "title": title, "set": bool(supplier.coming.get(name))}
            for name, title in names.items()
        ],
        "uses": [
            {"document": str(document), "how": use.how, "actor_name": use.actor_name,
             "at": use.at.isoformat()}
            for use, document in zip(uses[-USES:], documents, strict=True)
        ],
        "waiting": sorted(supplier.waiting.credentials) if supplier.waiting else [],
        "zone": supplier.day_cut.zone,
        "switched": len(uses) > 1,
    }  # fmt: skip


async def versions(runtime: Runtime, supplier: Supplier) -> dict[str, Any]:
    """The other approved versions of its connector, the newest first."""
    current = await runtime.supply.documents.by_id(supplier.document_id)
    found = [
        document
        for document in await runtime.supply.documents.all(current.code)
        if document.state == "approved" and document.id != current.id
    ]
    return {
        "supplier_id": str(supplier.id),
        "supplier_no": supplier.supplier_no,
        "name": supplier.name,
        "before": str(current),
        "seen": seen(current.id),
        "documents": [
            {"document_id": str(document.id), "document": str(document)}
            for document in found[:VERSIONS]
        ],
    }


async def switch_facts(runtime: Runtime, supplier: Supplier, document: Document) -> dict[str, Any]:
    """The question whether to switch."""
    current = await runtime.supply.documents.by_id(supplier.document_id)
    return {
        "supplier_id": str(supplier.id),
        "supplier_no": supplier.supplier_no,
        "name": supplier.name,
        "state": supplier.state,
        "before": str(current),
        "seen": seen(current.id),
        "after": str(document),
        "document_id": str(document.id),
        "note": document.note,
    }


async def connector_of(runtime: Runtime, document_id: UUID) -> Connector | None:
    """None where today's language no longer understands the document."""
    try:
        return await runtime.parties.suppliers.connector(document_id)
    except DocumentFaults:
        return None
