"""Orders as lists: those that a filter leaves, by pages, and what all of them come to."""

from __future__ import annotations

from core.reports.order_lists.filters import Mark, News, OrderFilter, Pay
from core.reports.order_lists.lists import (
    PAGE,
    FilteredOrders,
    ListedOrder,
    OrderLists,
    OrderPage,
    Recent,
    Totals,
    Turn,
    Way,
    WholeList,
)
from core.reports.order_lists.sights import Sight

__all__ = [
    "PAGE",
    "FilteredOrders",
    "ListedOrder",
    "Mark",
    "News",
    "OrderFilter",
    "OrderLists",
    "OrderPage",
    "Pay",
    "Recent",
    "Sight",
    "Totals",
    "Turn",
    "Way",
    "WholeList",
]
