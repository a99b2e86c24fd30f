"""How much is tried: little by day, with every `make test`, and much by night (`make night`)."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import settings

# Set by `make night`, and by whoever wants to see one test as it is by night.
NIGHT: Final = os.environ.get("PAYDESK_NIGHT") == "1"

# How long an example takes proves nothing: the machine may be busy.
settings.register_profile("day", deadline=None, max_examples=30)
settings.register_profile("night", deadline=None, max_examples=1000)


PROFILE: Final = "night" if NIGHT else "day"


def size(day: int, night: int) -> int:
    """How many, now."""
    return night if NIGHT else day
