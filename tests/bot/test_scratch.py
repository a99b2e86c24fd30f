from __future__ import annotations

import os
import time
from pathlib import Path

from bot.scratch import scratch_folder

AN_HOUR_S = 3600.0


def age(folder: Path) -> None:
    then = time.time() - AN_HOUR_S
    os.utime(folder, (then, then))


def left_behind(parent: Path, name: str) -> Path:
    """As a killed process leaves it: with a file, held by nobody."""
    folder = parent / f"paydesk-export-{name}"
    folder.mkdir()
    (folder / "M1001.xlsx").write_bytes(b"half")
    age(folder)
    return folder


def test_a_folder_is_private_and_gone_in_the_end(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").write_bytes(b"x")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    left = left_behind(tmp_path, "left")
    strange = tmp_path / "strange"
    strange.mkdir()
    (tmp_path / "paydesk-export-link").symlink_to(strange)
    with scratch_folder(tmp_path) as folder:
        assert folder.exists()
        assert not left.exists()
        assert strange.exists()


def test_a_folder_that_is_used_or_only_just_made_is_left_alone(tmp_path: Path) -> None:
    young = tmp_path / "paydesk-export-young"
    young.mkdir()
    with scratch_folder(tmp_path) as used:
        age(used)
        with scratch_folder(tmp_path):
            assert used.exists()
            assert young.exists()
