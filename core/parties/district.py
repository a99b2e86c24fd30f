"""Builds the parties: merchants, suppliers, and the calls to suppliers."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from core.books import Ledger
from core.parties.merchants import Merchants
from core.parties.suppliers import Calls, Suppliers
from core.system.district import System


@dataclass(frozen=True, slots=True)
class Parties:
    """calls: what the desk says to suppliers, and what they answer."""

    merchants: Merchants
    suppliers: Suppliers
    calls: Calls


def build_parties(system: System, ledger: Ledger) -> Parties:
    store, clock, ids, vault = system.store, system.clock, system.ids, system.vault
    return Parties(
        Merchants(store, vault, clock, ids, ledger),
        Suppliers(store, vault, clock, ids, ledger),
        Calls(store, clock, ids, system.gateway, nonce),
    )


def nonce() -> str:
    """A text that no call had before."""
    return secrets.token_hex(16)
