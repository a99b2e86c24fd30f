"""The business on a clock that is set, with the sandbox supplier behind it."""

from __future__ import annotations

from tests.core.conftest import clock, desk, entrance, runtime, supplier

__all__ = ["clock", "desk", "entrance", "runtime", "supplier"]
