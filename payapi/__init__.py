"""What merchants' servers, suppliers and payers call: the Payment API, callbacks, the cashier."""

from __future__ import annotations

from payapi import codes as codes
from payapi.app import add_payapi
from payapi.home import Keys, Neighbours

__all__ = ["Keys", "Neighbours", "add_payapi"]
