"""What merchants' servers, suppliers and payers call: the Payment API, callbacks, the cashier."""

from __future__ import annotations

from payapi.app import add_payapi

__all__ = ["add_payapi"]
