"""Every code with which a room of the desk refuses."""

from __future__ import annotations

from typing import Final

import handlers
import payapi
from core.kernel.errors import declared

# Importing them imports all districts of core, and each of these packages declares its codes.
ROOMS: Final = (handlers, payapi)
REFUSALS: Final = declared()
