"""The simulation runs on the same desk as the tests of the business."""

from __future__ import annotations

from tests.core.conftest import clock, desk, entrance, neighbour, runtime, supplier

__all__ = ["clock", "desk", "entrance", "neighbour", "runtime", "supplier"]
