"""The running desk: its commands, its composition, its loops."""

from __future__ import annotations

from bot import lazytypes

lazytypes.install()
