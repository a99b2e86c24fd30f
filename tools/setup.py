#!/usr/bin/env python3
"""Set-up and the everyday commands, with nothing but Python's own library.

    setup.py run [options of `python -m bot demo`]    the demo desk
    setup.py test [options of pytest]                 quality checks, and every test
    setup.py night [options of pytest]                every test at length, the benches, all faults
    setup.py check                                    quality checks only
    setup.py bench [options of bench]                 measure a desk beside a bare handler
    setup.py faults [options of bench.faults]         break what is around a desk, and measure
    setup.py lock [--upgrade]                         write the locks from pyproject.toml

`.venv` is made when it is missing, half made, or no longer what a lock says: with uv when there
is one, else with pip, which first fetches the pinned uv because that is many times faster. Every
package is checked against the hash in its lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
# Written last: without it an environment counts as half made and is thrown away.
MARKER = VENV / "paydesk-setup.json"
RUNTIME, DEV, UV = (ROOT / f"requirements{kind}.lock" for kind in ("", "-dev", "-uv"))
HEARTBEAT_S = 10
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_BROWSER = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
# What measures a desk: verb and module.
MEASURES = {"bench": "bench", "faults": "bench.faults"}
BEGUN_S = time.monotonic()


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - older ones get as far as this line
        found = ".".join(map(str, sys.version_info[:3]))
        sys.exit(f"Paydesk needs Python 3.11 or later; {sys.executable} is {found}.")
    verb, *options = sys.argv[1:] or ["help"]
    os.chdir(ROOT)
    if verb == "run":
        make_environment(RUNTIME)
        os.execv(PYTHON, [str(PYTHON), "-m", "bot", "demo", *options])
    if verb in MEASURES:
        make_environment(RUNTIME)
        os.execv(PYTHON, [str(PYTHON), "-m", MEASURES[verb], *options])
    if verb in ("test", "night"):
        os.environ["PAYDESK_CHROMIUM"] = find_browser() or install_browser()
        make_environment(DEV)
        return test(options) if verb == "test" else night(options)
    if verb == "check":
        make_environment(DEV)
        return report(start_checks())
    if verb == "lock":
        return write_locks(options)
    sys.exit(__doc__)


def say(text: str) -> None:
    print(f"[{time.monotonic() - BEGUN_S:5.1f} s] {text}", flush=True)


# The environment


def make_environment(lock: Path) -> None:
    """Makes `.venv` hold what `lock` pins. The development lock holds the runtime's too."""
    with (ROOT / ".venv.lock").open("w") as turn:
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up is at work here; waiting for it.")
            fcntl.flock(turn, fcntl.LOCK_EX)
        made = json.loads(MARKER.read_text()) if MARKER.exists() else {}
        if made in (describe(lock), describe(DEV)):
            return
        # A complete one is only brought up to date: a desk may be running from it.
        complete = bool(made) and made["python"] == describe(lock)["python"] and PYTHON.exists()
        MARKER.unlink(missing_ok=True)
        try:
            install(lock, anew=not complete)
        except subprocess.CalledProcessError as error:
            sys.exit(f"Set-up failed ({error}); its words are above. Run the command again.")
        MARKER.write_text(json.dumps(describe(lock)))
        say("The environment is ready.")


def describe(lock: Path) -> dict[str, str]:
    return {
        "lock": hashlib.sha256(lock.read_bytes()).hexdigest(),
        "python": f"{sys.version} {sys.base_prefix} for {VENV}",
    }


def install(lock: Path, *, anew: bool) -> None:
    count = sum("==" in line for line in lock.read_text().splitlines())
    say(f"Installing {count} packages into .venv")
    if anew:
        shutil.rmtree(VENV, ignore_errors=True)
    if uv := find_uv():
        if anew:
            patiently(uv, "venv", "--quiet", "--python", sys.executable, str(VENV))
        locks = [str(lock)]
    else:
        if anew:
            make_plain_venv()
        patiently(*pip_install(UV), check=False)
        uv = find_uv(VENV / "bin" / "uv")
        locks = [str(lock), str(UV)]
    if uv:
        sync = ("pip", "sync", "--quiet", "--require-hashes", "--python", str(PYTHON))
        patiently(uv, *sync, *locks)
    else:
        patiently(*pip_install(lock))


def make_plain_venv() -> None:
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False)
    if made.returncode != 0:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(
            f"{sys.executable} cannot make a virtual environment. On Debian and Ubuntu: "
            f"apt-get install python{version}-venv. Or install uv. Then run the command again."
        )


def pip_install(lock: Path) -> list[str]:
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes"]
    return [str(PYTHON), "-m", "pip", "install", *options, "-r", str(lock)]


def find_uv(path: Path | None = None) -> str | None:
    uv = shutil.which(path or "uv")
    # A name on PATH may be a shim with nothing behind it: it must answer.
    if uv and subprocess.run([uv, "--version"], capture_output=True, check=False).returncode == 0:
        return uv
    return None


def patiently(*argv: str, check: bool = True) -> None:
    """Runs `argv` and says now and then that it still works."""
    process = subprocess.Popen(argv)
    while process.returncode is None:
        try:
            process.wait(timeout=HEARTBEAT_S)
        except subprocess.TimeoutExpired:
            say("  … still at it")
    if check and process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, Path(argv[0]).name)


# The browser of the browser tests


def find_browser() -> str | None:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or (str(MAC_BROWSER) if MAC_BROWSER.exists() else None)


def install_browser() -> str:
    command = "apt-get install --yes --no-install-recommends chromium fonts-noto-cjk"
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        say("Installing Chromium and a Chinese font for the browser tests")
        os.environ["DEBIAN_FRONTEND"] = "noninteractive"
        patiently(apt, "update", "-qq", check=False)
        patiently(apt, "-qq", *command.split()[1:], check=False)
        if browser := find_browser():
            return browser
    advice = f"as root: {command}" if apt else "install Chromium or Google Chrome"
    sys.exit(f"The browser tests need Chromium and none was found. Please {advice}; then again.")


# Checks and tests


# The longest comes last, and goes on beside the tests.
CHECKS = {
    "format": ("ruff", "format", "--check", "--quiet", "--diff", "."),
    "lint": ("ruff", "check", "--quiet", "."),
    "contracts": ("lint-imports",),
    "types": ("mypy", "--no-error-summary"),
}
# What a night takes longer for than a day: (what, options of python).
NIGHT = (
    ("the benches beside a bare handler", ("-m", "bench")),
    ("the engine's bench", ("-m", "bench.engine")),
    ("the bench of bills", ("-m", "bench.bills")),
    ("every fault", ("-m", "bench.faults")),
)
NIGHT_TEST_S = 3600


def start_checks() -> dict[str, subprocess.Popen[str]]:
    """All of them at once: none waits for another, and one run shows all there is to mend."""
    say(f"Checking {', '.join(CHECKS)}")
    return {
        name: subprocess.Popen(
            [str(VENV / "bin" / tool), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, (tool, *arguments) in CHECKS.items()
    }


def report(checks: dict[str, subprocess.Popen[str]]) -> int:
    """Waits for checks, and shows what those say that failed."""
    failed = []
    for name, check in checks.items():
        said, _ = check.communicate()
        if check.returncode != 0:
            print(said)
            failed.append(name)
    say(f"Not in order: {', '.join(failed)}" if failed else f"In order: {', '.join(checks)}.")
    return 1 if failed else 0


def test(options: list[str]) -> int:
    """Types take as long as many tests, on one processor: they are checked beside the tests."""
    checks = start_checks()
    types = {"types": checks.pop("types")}
    if report(checks) != 0:
        report(types)
        return 1
    code = run_tests(options)
    return report(types) or code


def run_tests(options: list[str]) -> int:
    # They start hundreds of processes, each of which would compile everything anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    workers = str(2 * max(1, min(4, os.cpu_count() or 2)) + 1)
    say(f"Testing with {workers} workers")
    command = [str(PYTHON), "-m", "pytest", "-n", workers, *options]
    code = subprocess.run(command, check=False).returncode
    say("All tests passed." if code == 0 else "The tests failed.")
    return code


def night(options: list[str]) -> int:
    """All of it, even where some of it fails."""
    os.environ["PAYDESK_NIGHT"] = "1"
    failed = ["the tests"] if run_tests([f"--timeout={NIGHT_TEST_S}", *options]) else []
    for what, arguments in NIGHT:
        say(f"Running {what}")
        if subprocess.run([str(PYTHON), *arguments], check=False).returncode != 0:
            failed.append(what)
    say(f"Failed: {', '.join(failed)}" if failed else "A good night.")
    return 1 if failed else 0


# The locks


def write_locks(options: list[str]) -> int:
    import tomllib  # here, because a Python too old to have it must get its message first

    uv = find_uv() or find_uv(VENV / "bin" / "uv")
    if uv is None:
        sys.exit("Writing locks needs uv: install it, then run the command again.")
    compile_ = [uv, "pip", "compile", "--quiet", "--universal", "--python-version=3.11"]
    compile_ += ["--no-header", "--no-annotate", "--generate-hashes"]
    compile_ += ["--no-emit-index-url", "--no-emit-find-links", *options]
    uv_version = subprocess.run(
        [uv, "--version"], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = project["project"]["dependencies"]
    for lock, wanted, constraints in (
        (RUNTIME, runtime, []),
        (DEV, runtime + project["dependency-groups"]["dev"], ["--constraint", str(RUNTIME)]),
        (UV, [f"uv=={uv_version}"], []),
    ):
        # uv keeps the versions it finds in the file it writes, unless asked to upgrade.
        draft = lock.with_suffix(".new")
        if lock.exists():
            shutil.copy(lock, draft)
        command = [*compile_, *constraints, "--output-file", str(draft), "-"]
        done = subprocess.run(command, input="\n".join(wanted), text=True, check=False)
        if done.returncode != 0:
            return done.returncode
        if any(word in draft.read_text() for word in ("://", "--index", "--find", "@ ")):
            sys.exit(f"{draft} names where packages were fetched from; it was not taken.")
        draft.replace(lock)
        say(f"Wrote {lock.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
