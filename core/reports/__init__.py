"""Reports: bills, statistics, files; the books re-added; the timetable's turns and this process."""

from __future__ import annotations

from core.reports import codes as codes
