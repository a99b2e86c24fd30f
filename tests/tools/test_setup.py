"""The set-up script in a checkout of its own, whose locks pin nothing: so no network is needed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MARKER = Path(".venv/paydesk-setup.json")
ECHO = "import json, os, sys; print(json.dumps([os.getcwd(), sys.prefix, sys.argv[1:]]))\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    place = tmp_path / "a checkout"
    (place / "tools").mkdir(parents=True)
    (place / "bot").mkdir()
    (place / "bot" / "__main__.py").write_text(ECHO)
    for name in ("Makefile", "tools/setup.py"):
        shutil.copy(ROOT / name, place / name)
    for kind in ("", "-dev", "-uv"):
        (place / f"requirements{kind}.lock").write_text(f"# nothing {kind}\n")
    return place


@pytest.fixture(params=["uv or pip", "pip"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Once with everything on PATH, once without uv."""
    if request.param != "pip":
        return os.environ["PATH"]
    (tmp_path / "bin").mkdir()
    for tool in ("sh", "echo"):
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / "bin" / tool).symlink_to(found)
    return str(tmp_path / "bin")


def make(checkout: Path, path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    gmake = shutil.which("make")
    assert gmake is not None
    return subprocess.run(
        [gmake, "--no-print-directory", "-C", str(checkout), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path, "MAKEFLAGS": "", "MFLAGS": ""},
    )


def run(checkout: Path, path: str, *arguments: str) -> tuple[list[object], str]:
    done = make(checkout, path, "run", f"PYTHON={sys.executable}", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    *progress, said = done.stdout.splitlines()
    return json.loads(said), "\n".join(progress)


def test_run_makes_the_environment_once_and_starts_the_demo(checkout: Path, path: str) -> None:
    said, progress = run(checkout, path, "FRESH=1", "PORT=9000", "ARGS=--home 'a home'")
    venv = str(checkout / ".venv")
    assert said == [str(checkout), venv, ["demo", "--fresh", "--port", "9000", "--home", "a home"]]
    assert "Installing 0 packages" in progress
    made_at_ns = (checkout / MARKER).stat().st_mtime_ns

    said, progress = run(checkout, path)

    assert said == [str(checkout), venv, ["demo"]]
    assert progress == ""
    assert (checkout / MARKER).stat().st_mtime_ns == made_at_ns


def test_faults_are_planted_in_the_environment_of_the_desk(checkout: Path) -> None:
    (checkout / "bench" / "faults").mkdir(parents=True)
    (checkout / "bench" / "faults" / "__main__.py").write_text(ECHO)
    python, asked = f"PYTHON={sys.executable}", "ARGS=kills --json 'a file'"
    done = make(checkout, os.environ["PATH"], "faults", python, asked)
    said = json.loads(done.stdout.splitlines()[-1])
    assert said == [str(checkout), str(checkout / ".venv"), ["kills", "--json", "a file"]]
    assert "Installing 0 packages" in done.stdout


def test_a_half_made_environment_is_thrown_away(checkout: Path) -> None:
    run(checkout, os.environ["PATH"])
    (checkout / MARKER).unlink()
    (checkout / ".venv" / "half-made").touch()
    run(checkout, os.environ["PATH"])
    assert not (checkout / ".venv" / "half-made").exists()


def test_a_changed_lock_brings_the_environment_up_to_date_in_place(checkout: Path) -> None:
    run(checkout, os.environ["PATH"])
    (checkout / ".venv" / "kept").touch()
    (checkout / "requirements.lock").write_text("# another\n")
    _, progress = run(checkout, os.environ["PATH"])
    assert "Installing 0 packages" in progress
    assert (checkout / ".venv" / "kept").exists()


def test_two_starts_at_once_and_a_killed_one_do_no_harm(checkout: Path) -> None:
    command = [sys.executable, str(checkout / "tools" / "setup.py"), "run"]
    quiet = subprocess.DEVNULL
    killed = subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True)
    deadline_s = time.monotonic() + 30
    while not (checkout / ".venv").exists():
        assert time.monotonic() < deadline_s
        time.sleep(0.001)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()

    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate()[0] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert "".join(told).count("Installing") == 1


def test_a_lock_that_cannot_be_installed_leaves_no_marker(checkout: Path) -> None:
    (checkout / "requirements.lock").write_text("paydesk-has-no-such-hash==1\n")
    done = make(checkout, os.environ["PATH"], "run", f"PYTHON={sys.executable}")
    assert done.returncode != 0
    assert "Set-up failed" in done.stderr
    assert not (checkout / MARKER).exists()


def test_without_a_browser_the_tests_fail_and_say_what_to_install(
    checkout: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    done = subprocess.run(
        [sys.executable, str(checkout / "tools" / "setup.py"), "test"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(bare)},
    )
    assert done.returncode == 1
    assert "need Chromium and none was found. Please install" in done.stderr


def test_without_a_python_new_enough_make_says_so(checkout: Path) -> None:
    done = make(checkout, os.environ["PATH"], "run", "PYTHON=")
    assert done.returncode != 0
    assert "needs Python 3.11 or later" in done.stderr


def test_make_alone_prints_help(checkout: Path) -> None:
    assert "make run FRESH=1" in make(checkout, os.environ["PATH"]).stdout
