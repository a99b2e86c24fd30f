"""Suppliers: who they are, their credentials, and every call to them."""

from __future__ import annotations

from core.parties.suppliers.calls import Build, Call, CallAbout, Calls, longest_call
from core.parties.suppliers.suppliers import (
    NewSupplier,
    Supplier,
    Suppliers,
    Waiting,
    licence_over,
    read_supplier,
)

__all__ = [
    "Build",
    "Call",
    "CallAbout",
    "Calls",
    "NewSupplier",
    "Supplier",
    "Suppliers",
    "Waiting",
    "licence_over",
    "longest_call",
    "read_supplier",
]
