"""What a supplier has to pass before orders reach it: its document approved by a second person,
and the gates of the law. Everything here is done by somebody who has the right to it."""

from __future__ import annotations

from core.supply.onboarding.checks import supplier_line
from core.supply.onboarding.documents import Document, DocumentQuestion, Documents
from core.supply.onboarding.gates import GATES
from core.supply.onboarding.licences import Licences
from core.supply.onboarding.live import SupplierLiveQuestion
from core.supply.onboarding.notices import (
    AlarmCredentials,
    AlarmDocument,
    AlarmLicence,
    AlarmRolledBack,
    DocumentDecided,
)
from core.supply.onboarding.onboarding import Onboarding
from core.supply.onboarding.uses import Use

__all__ = [
    "GATES",
    "AlarmCredentials",
    "AlarmDocument",
    "AlarmLicence",
    "AlarmRolledBack",
    "Document",
    "DocumentDecided",
    "DocumentQuestion",
    "Documents",
    "Licences",
    "Onboarding",
    "SupplierLiveQuestion",
    "Use",
    "supplier_line",
]
