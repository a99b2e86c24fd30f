"""What a deed of weight takes, together: a second person, a factor, and the settings that say where
they are needed."""

from __future__ import annotations

from dataclasses import dataclass

from core.people.approvals import Approvals
from core.people.desk_settings import DeskSettings
from core.people.factors import Factors


@dataclass(frozen=True, slots=True)
class Safeguards:
    """They go together to whoever asks two people."""

    approvals: Approvals
    factors: Factors
    settings: DeskSettings
