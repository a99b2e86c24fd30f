"""Logs: lines are whole, secrets are hidden, and nothing that happens to them stops business."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import pytest

from bot.logs import FILE_BYTES, FILES_KEPT, WAITING_LINES, LogSink, aside

ROOT: Final = Path(__file__).resolve().parents[2]
READY_WAIT_S: Final = 30.0
# What a desk may be in the middle of, as a process of its own: logs are set up for all of it.
BUSINESS: Final = """
import logging, sys, time, structlog
from pathlib import Path
from bot.logs import set_up_logs

class Rude:
    def __repr__(self): raise ValueError("no")

sink = set_up_logs("info", file=Path(sys.argv[1]) if len(sys.argv) > 1 else None)
log, began = structlog.get_logger("x"), time.monotonic()
log.info("paid", order_no="P1", secret="whsec_x", amount=1)
log.info("rude", value=Rude())
log.info("odd \\ud800", **{"key": "k"})
log.debug("not shown")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("broken")
    logging.getLogger("lib").exception("theirs %s", "too")
logging.getLogger("lib").warning("wrong %d", "format")
for number in range(30_000):
    log.info("many", number=number, padding="x" * 100)
took_s = time.monotonic() - began
print(sink.lost, round(took_s, 1), flush=True)
"""


def business(*argv: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUSINESS, *argv],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def end_of(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = process.communicate(timeout=READY_WAIT_S)
    return process.returncode, said


def test_a_line_is_an_object_and_hides_what_is_secret(tmp_path: Path) -> None:
    assert end_of(business(str(tmp_path / "desk.log")))[0] == 0
    lines = [json.loads(line) for line in (tmp_path / "desk.log").read_text().splitlines()]
    by_event = {line["event"]: line for line in lines}
    assert by_event["paid"] == {
        "event": "paid", "order_no": "P1", "secret": "***", "amount": 1, "level": "info",
        "timestamp": by_event["paid"]["timestamp"],
    }  # fmt: skip
    assert by_event["rude"]["unshowable"] == "ValueError"
    assert by_event["odd \ud800"]["key"] == "***"
    assert "ZeroDivisionError" in by_event["broken"]["exception"]
    assert by_event["theirs too"]["logger"] == "lib"
    assert "ZeroDivisionError" in by_event["theirs too"]["exception"]
    assert by_event["wrong %d"]["level"] == "warning"
    assert "not shown" not in by_event


@pytest.mark.parametrize("closed", [True, False])
def test_a_pipe_that_is_closed_or_that_nobody_reads_stops_nobody(closed: bool) -> None:
    reader, writer = os.pipe()
    process = business(stderr=writer)
    os.close(writer)
    if closed:
        os.close(reader)
    began_s = time.monotonic()
    code, said = end_of(process)
    lost, took_s = said.split()
    assert (code, int(lost) > 0) == (0, True)
    assert float(took_s) < READY_WAIT_S / 2
    assert time.monotonic() - began_s < READY_WAIT_S, "its end waits for nobody either"
    if not closed:
        os.close(reader)


def test_a_full_disk_loses_lines_and_counts_them() -> None:
    code, said = end_of(business("/dev/full"))
    assert code == 0
    assert int(said.split()[0]) > 0


def test_what_waits_has_a_limit() -> None:
    reader, writer = os.pipe()
    sink = LogSink(Path(f"/dev/fd/{writer}"))
    line = "x" * 1000
    for _ in range(WAITING_LINES + 1000):
        sink.put(line)
    assert 0 < sink.lost <= 1000
    with os.fdopen(reader, "rb") as read:
        os.close(writer)
        sink.end()
        del read


def test_a_full_file_is_moved_aside_and_few_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "desk.log"
    sink = LogSink(file)
    line = "x" * (FILE_BYTES // 2 + 1)
    for _ in range(2 * FILES_KEPT + 4):
        sink.put(line)
    sink.end()
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == sorted([file.name, *(aside(file, n).name for n in range(1, FILES_KEPT + 1))])
    assert sink.lost == 0
    assert all(path.read_text().splitlines() == [line] * 2 for path in tmp_path.glob("*.log.*"))


def test_a_full_file_that_somebody_took_away_loses_nothing_more(tmp_path: Path) -> None:
    file = tmp_path / "desk.log"
    file.write_bytes(b"x" * (FILE_BYTES + 1))
    aside(file, 1).write_text("older\n")
    sink = LogSink(file)
    file.unlink()
    sink.put("first")
    sink.put("second")
    sink.end()
    assert sink.lost == 0
    assert file.read_text() == "first\nsecond\n"
    assert [path.read_text() for path in tmp_path.glob("*.log.*")] == ["older\n"]
