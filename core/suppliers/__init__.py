"""Suppliers, their connector documents and credentials."""

from __future__ import annotations

from core.suppliers.domain import Supplier, Suppliers

__all__ = ["Supplier", "Suppliers"]
