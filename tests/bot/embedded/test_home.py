from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.embedded import EmbeddedError, HomeInUse, HomeLock
from tests.bot.embedded.desks import run_desk


def test_a_held_home_names_its_holder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with (
        HomeLock(home),
        pytest.raises(HomeInUse, match="is in use by process") as refused,
        HomeLock(home),
    ):
        pass
    assert refused.value.pid == os.getpid()
    with HomeLock(home):
        assert home.stat().st_mode & 0o777 == 0o700


async def test_a_killed_holder_holds_nothing_though_its_servers_live(home: Path) -> None:
    async with run_desk(home, "stay") as desk:
        assert desk.stdout is not None
        assert await desk.stdout.readline() == b"ready\n"
        with pytest.raises(HomeInUse) as refused, HomeLock(home):
            pass
        assert refused.value.pid == desk.pid
    with HomeLock(home):
        pass


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedError, match=r"Cannot make .*file.*Choose another home"):
        HomeLock(tmp_path / "file" / "home").__enter__()
