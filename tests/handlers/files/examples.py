from __future__ import annotations

from typing import Final

from handlers.files.screens import ExportFailed, FileNotice
from tests.handlers.written import HOSTILE

EXAMPLES: Final = (FileNotice(HOSTILE), ExportFailed())
