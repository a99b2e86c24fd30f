"""QR codes, as pictures."""

from __future__ import annotations

from io import BytesIO
from typing import Final

import segno

_SCALE: Final = 8
_BORDER: Final = 4


def qr_png(text: str) -> bytes:
    """A PNG of a QR code; it is computed for longer than the loop may stand still. text: at most
    MAX_QR_BYTES."""
    png = BytesIO()
    segno.make(text, error="m", micro=False).save(png, kind="png", scale=_SCALE, border=_BORDER)
    return png.getvalue()
