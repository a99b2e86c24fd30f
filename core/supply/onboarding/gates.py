"""The gates before a supplier is live: a pure decision that names all that is missing."""

from __future__ import annotations

from datetime import date
from typing import Final
from urllib.parse import urlsplit

from core.connectors import Connector, DocumentFaults, Fault, check, fits_host, load
from core.parties.suppliers import Supplier, licence_over

# What can be missing; beside these, `credentials.<name>`.
GATES: Final = (
    "legal_name", "licence_no", "licence_expires_on", "licence_over", "settles_to",
    "document_approved", "document_sound", "document_for_real",
)  # fmt: skip


def missing(
    supplier: Supplier, connector: Connector | None, document_state: str, today: date
) -> tuple[str, ...]:
    """What a supplier still lacks before it may be live: names of GATES and
    `credentials.<name>`.

    connector: of its document; None where that cannot be loaded. today: where the supplier is.
    """
    expires_on = supplier.licence_expires_on
    lacking = {
        "legal_name": not supplier.legal_name,
        "licence_no": not supplier.licence_no,
        "licence_expires_on": expires_on is None,
        "licence_over": licence_over(expires_on, today),
        "settles_to": not supplier.settles_to,
        "document_approved": document_state != "approved",
        "document_sound": connector is None or bool(unsound(connector)),
        "document_for_real": connector is not None and not_for(connector, supplier),
    }
    names = missing_credentials(supplier, connector) if connector is not None else ()
    return (*(gate for gate in GATES if lacking[gate]), *(f"credentials.{n}" for n in names))


def missing_credentials(supplier: Supplier, connector: Connector) -> tuple[str, ...]:
    """Those that a document needs and a supplier has not, in the document's order. A base_url that
    is none of the document's servers is none."""
    base_url = supplier.credentials.get("base_url", "")
    elsewhere = {"base_url"} if not _fits(base_url, connector.servers) else set()
    return tuple(
        name
        for name in connector.credential_names
        if not supplier.credentials.get(name) or name in elsewhere
    )


def _fits(base_url: str, servers: tuple[str, ...]) -> bool:
    return not servers or fits_host(urlsplit(base_url).hostname or "", servers)


def not_for(connector: Connector, supplier: Supplier) -> bool:
    """Whether the document is for sandbox suppliers, and this is a real one."""
    return connector.sandbox_only and not supplier.sandbox


def load_sound(text: str) -> Connector:
    """A connector that keeps its word. Raises DocumentFaults with all that is wrong: of the
    document, or else of its fixtures."""
    connector = load(text)
    faults = unsound(connector)
    if faults:
        raise DocumentFaults(faults)
    return connector


def unsound(connector: Connector) -> tuple[Fault, ...]:
    """Why a document cannot go live. It needs a callback, and a good and a forged one of them as
    fixtures: money that nobody is told of, or is told of by anybody, is worse than none."""
    found = [Fault(f.line, f.case, f.why, "a fixture that holds") for f in check(connector)]
    if "callback" not in connector.operations:
        found.append(Fault(1, "callback", "nothing", "how the supplier calls us (required)"))
    return tuple(sorted(found, key=lambda fault: fault.line))
