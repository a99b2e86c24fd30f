"""People: staff, groups, rights, questions and receipts; and the alarms that people are told of."""

from __future__ import annotations

from core.people import codes as codes
