"""The first schema: see the SQL file beside this one."""

from __future__ import annotations

from pathlib import Path

from tortoise.migrations.migration import Migration as Step
from tortoise.migrations.operations import RunSQL


class Migration(Step):
    """Everything the first desk needs; later steps only add."""

    initial = True
    operations = [RunSQL(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))]
