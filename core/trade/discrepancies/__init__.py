"""Discrepancies (差异单): money of no settled order, and what people decide becomes of it."""

from __future__ import annotations

from core.trade.discrepancies.decisions import ResolveApproval, ResolveQuestion, seen_by
from core.trade.discrepancies.discrepancies import Discrepancies
from core.trade.discrepancies.notices import (
    DiscrepancyNotice,
    Resolved,
    ResolveQuestionNotice,
    ResolveWaits,
)
from core.trade.discrepancies.rows import HOWS, PAGE_SIZE, Discrepancy, Page, Resolution

__all__ = [
    "HOWS",
    "PAGE_SIZE",
    "Discrepancies",
    "Discrepancy",
    "DiscrepancyNotice",
    "Page",
    "Resolution",
    "ResolveApproval",
    "ResolveQuestion",
    "ResolveQuestionNotice",
    "ResolveWaits",
    "Resolved",
    "seen_by",
]
