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
from uuid import uuid4

import pytest

ROOT = Path(__file__).resolve().parents[2]
MARKER = Path(".venv/paydesk-setup.json")
ECHO = "import json, os, sys; print(json.dumps([os.getcwd(), sys.prefix, sys.argv[1:]]))\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return checked_out(tmp_path)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with its environment, for one test after another: it is made again at need."""
    place = checked_out(tmp_path_factory.mktemp("made"))
    run(place, os.environ["PATH"])
    return place


def checked_out(folder: Path) -> Path:
    place = folder / "a checkout"
    (place / "tools").mkdir(parents=True)
    (place / "bot").mkdir()
    (place / "bot" / "__main__.py").write_text(ECHO)
    for name in ("Makefile", "tools/setup.py"):
        shutil.copy(ROOT / name, place / name)
    for kind in ("", "-dev", "-uv"):
        (place / f"requirements{kind}.lock").write_text("# nothing\n")
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


@pytest.mark.parametrize(
    ("target", "name", "words"),
    [("faults", "bench.faults", []), ("bench", "bench", []), ("bench-quick", "bench", ["--quick"])],
)
def test_a_desk_is_measured_in_the_environment_of_the_desk(
    made: Path, target: str, name: str, words: list[str]
) -> None:
    module(made, name, ECHO)
    python, asked = f"PYTHON={sys.executable}", "ARGS=kills --json 'a file'"
    done = make(made, os.environ["PATH"], target, python, asked)
    said = json.loads(done.stdout.splitlines()[-1])
    assert said == [str(made), str(made / ".venv"), [*words, "kills", "--json", "a file"]]


def module(checkout: Path, name: str, text: str) -> None:
    """What `python -m NAME` does there."""
    place = checkout / name.replace(".", "/")
    place.mkdir(parents=True, exist_ok=True)
    (place / "__main__.py").write_text(text)


BENCHES = ["bench", "bench.engine", "bench.bills", "bench.faults"]
CALLED = """\
import json, os, sys
seen = os.environ.get("PAYDESK_NIGHT"), os.environ.get("PYTHONDONTWRITEBYTECODE")
print(json.dumps([NAME, sys.argv[1:], *seen]))
"""


@pytest.mark.parametrize(
    ("verb", "failing", "called"),
    [
        ("test", "", ["pytest"]),
        ("test", "ruff", []),
        ("test", "mypy", ["pytest"]),
        ("night", "", ["pytest", *BENCHES]),
    ],
)
def test_checks_come_before_the_tests_and_types_beside_them(
    made: Path, verb: str, failing: str, called: list[str]
) -> None:
    for name in ("pytest", *BENCHES):
        module(made, name, CALLED.replace("NAME", repr(name)))
    for tool in ("ruff", "lint-imports", "mypy", "chromium"):
        program = made / ".venv" / "bin" / tool
        program.write_text(f"#!/bin/sh\necho {tool} has spoken\nexit {int(tool == failing)}\n")
        program.chmod(0o755)
    path = f"{made / '.venv' / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, str(made / "tools" / "setup.py"), verb, "-k", "orders"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == int(failing != ""), done.stdout + done.stderr
    assert (f"{failing} has spoken" in done.stdout) == (failing != "")
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('["')]
    assert [name for name, *_ in told] == called
    for name, options, night, uncompiled in told:
        assert (options[-2:] == ["-k", "orders"]) == (name == "pytest")
        assert (night, uncompiled) == ("1" if verb == "night" else None, None)


def test_a_half_made_environment_is_thrown_away(made: Path) -> None:
    (made / MARKER).unlink()
    (made / ".venv" / "half-made").touch()
    run(made, os.environ["PATH"])
    assert not (made / ".venv" / "half-made").exists()


def test_a_changed_lock_brings_the_environment_up_to_date_in_place(made: Path) -> None:
    (made / ".venv" / "kept").touch()
    for kind in ("", "-dev"):
        (made / f"requirements{kind}.lock").write_text(f"# another: {uuid4()}\n")
    _, progress = run(made, os.environ["PATH"])
    assert "Installing 0 packages" in progress
    assert (made / ".venv" / "kept").exists()


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
