"""Who speaks: people, groups and rights, questions and approvals, and who is told of alarms."""

from __future__ import annotations

from core.people import codes as codes
