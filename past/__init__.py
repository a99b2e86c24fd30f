"""A past for desks that have none: what they would have booked, made at once, for the demo and
for measurements. Nothing of it is part of a desk."""

from __future__ import annotations

from past.orders import EVEN, PAID_AFTER, PastOrder, Pattern, StillClock, book_orders, orders_of

__all__ = ["EVEN", "PAID_AFTER", "PastOrder", "Pattern", "StillClock", "book_orders", "orders_of"]
