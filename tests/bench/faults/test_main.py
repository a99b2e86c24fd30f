"""The command: which faults it plants, and what it says of those that fail."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from bench.command import EXIT_INTERRUPTED
from bench.faults.__main__ import main
from bench.faults.plan import FAULTS

ROOT = Path(__file__).resolve().parents[3]


def test_an_unknown_fault_is_named_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["kills", "earthquake"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "'earthquake'" in said
    assert all(name in said for name in FAULTS)


async def test_an_interrupted_run_leaves_nothing_behind(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.faults", "lock", cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path), "HOME": str(tmp_path)},
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    async with asyncio.timeout(100):
        async for line in process.stderr:
            if b"1/" in line:  # its database is filled, its first site is being made
                break
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == EXIT_INTERRUPTED
    assert list(tmp_path.iterdir()) == []
