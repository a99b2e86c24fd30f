"""What a supplier has to pass before orders reach it: its document approved by a second person,
and the gates of the law. Everything here is done by somebody who has the right to it."""

from __future__ import annotations

from core.vetting.checks import supplier_line
from core.vetting.documents import Document, Documents
from core.vetting.domain import Vetting
from core.vetting.gates import GATES
from core.vetting.licences import Licences
from core.vetting.second import ALONE_AFTER
from core.vetting.uses import Use

__all__ = [
    "ALONE_AFTER",
    "GATES",
    "Document",
    "Documents",
    "Licences",
    "Use",
    "Vetting",
    "supplier_line",
]
