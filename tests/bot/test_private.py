"""What a demo writes is for nobody else on the machine, whoever starts it."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo import DemoDesk


@pytest.fixture
def without_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine on which root cannot give up its rights in a user namespace: the servers run as
    somebody else there. New files are for everybody's eyes where nobody says otherwise."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "locale"):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(tools))
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def home() -> Iterator[Path]:
    """A home to whose parents everybody has access."""
    with tempfile.TemporaryDirectory(prefix="paydesk-") as name:
        Path(name).chmod(0o755)
        yield Path(name, "home")


@pytest.mark.usefixtures("without_namespaces")
async def test_nothing_in_a_demos_home_can_be_read_by_others(home: Path) -> None:
    desk = await DemoDesk(home).start()
    try:
        open_to_others = [
            f"{stat.filemode(path.lstat().st_mode)} {path.relative_to(home)}"
            for path in home.rglob("*")
            if not path.is_symlink() and path.lstat().st_mode & 0o077
        ]
        assert (home / "log" / "desk.log").exists()
        assert (home / "sandbox").is_dir(), "it holds the webhook's secret"
    finally:
        await desk.stop()
    assert open_to_others == []
    # Others may pass through at most, where a server of another name has to reach its own.
    assert home.stat().st_mode & 0o066 == 0
