"""`python -m bot connector`, as people use it: no desk, no database, and every fault in a line."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.__main__ import main
from core.connectors import check, json_schema, load

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "connectors"
PAGE = (ROOT / "docs/connectors.md").read_text(encoding="utf-8")
# ```yaml lantern_pay.yaml is a file, or the next part of one; ```console is what is typed and said.
FENCE = re.compile(r"```(\w+)(?: (\S+))?\n(.*?)```", re.DOTALL)
MD5 = LIBRARY / "generic_md5_form.yaml"
NOTICE = (
    "mch_id=00002352&out_trade_no=B2A0001Q5R7T9V2X4Z6K&trade_no=S20260102000017&amount=12.34"
    "&status=1&sign=7AB323EDA192EDFAAE3F4CE2EF5E76C0"
)


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


class Command:
    """The command, as the parser and the entry take it, in a folder."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str | Path) -> Done:
        code = main(["connector", *map(str, words)])
        out, err = self._capsys.readouterr()
        return Done(code, out, err)


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    monkeypatch.chdir(tmp_path)
    return Command(capsys)


def test_it_needs_no_settings(tmp_path: Path) -> None:
    """In a process of its own, with nothing in its environment and nowhere in particular."""
    done = subprocess.run(
        [sys.executable, "-m", "bot", "connector", "schema"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json_schema()


def test_the_tutorial_runs_as_it_is_written(run: Command, tmp_path: Path) -> None:
    commands = 0
    for language, name, body in FENCE.findall(PAGE):
        if name:
            with (tmp_path / name).open("a", encoding="utf-8") as file:
                file.write(body)
        elif language == "console":
            typed, _, said = body.partition("\n")
            words = shlex.split(typed.removeprefix("$ python -m bot connector "))
            done = run(*words)
            assert done.stdout == said, typed
            assert done.stderr == ""
            wrong = "wrong.yaml" in typed or "notice.txt" in typed
            assert done.returncode == (1 if wrong else 0)
            commands += 1
    assert commands == 5


def test_the_document_of_the_tutorial_keeps_its_word() -> None:
    parts = [body for _, name, body in FENCE.findall(PAGE) if name == "lantern_pay.yaml"]
    connector = load("".join(parts))
    assert check(connector) == []
    assert connector.operations == {"create", "query", "callback"}
    assert len([line for line in parts[0].splitlines() if line.strip()]) <= 30


def test_a_fixture_that_fails_is_told_with_its_line(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "document.yaml"
    path.write_text(MD5.read_text().replace("gives: pending", "gives: paid", 1))
    done = run("check", path)
    assert done.returncode == 1
    assert re.match(rf"{path}:\d+: .*gives pending, not paid", done.stdout)
    assert "1 failure; " in done.stdout


def test_a_document_without_callbacks_is_not_good(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "document.yaml"
    path.write_text(
        "connector: sample\nname: Sample\ncredentials: [key]\nanswers: { ok: { code: 0 } }\n"
        "create: { path: /c, reads: { attempt_no: none }, pay: { url: url } }\n"
    )
    done = run("check", path)
    assert (done.returncode, done.stderr) == (1, "")
    assert "callback: nothing" in done.stdout


@pytest.mark.parametrize("verb", ["check", "explain"])
@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (None, 2, "No such file"),
        (b"", 1, "an empty document"),
        (b"\xff\xfe", 2, "not UTF-8"),
        (b"a: [", 1, "indented with spaces"),
        (b"\0" * 2_000_000, 2, "larger than"),
        (b"connector: a\n" * 3, 1, "a second time"),
    ],
)
def test_what_is_no_document_is_told(
    run: Command, tmp_path: Path, verb: str, content: bytes | None, code: int, said: str
) -> None:
    path = tmp_path / "document.yaml"
    if content is not None:
        path.write_bytes(content)
    done = run(verb, path)
    assert done.returncode == code
    assert said in (done.stderr if code == 2 else done.stdout)
    assert "Traceback" not in done.stderr


def test_a_folder_is_no_document(run: Command, tmp_path: Path) -> None:
    done = run("check", tmp_path)
    assert done.returncode == 2
    assert "Is a directory" in done.stderr


def test_a_good_callback_is_read_step_by_step(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "notice.txt"
    path.write_text(NOTICE + "\n")
    done = run("dry-run", MD5, "callback", "--callback", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "WRONG" not in done.stdout
    assert "gives: paid\n  attempt_no" in done.stdout


def test_nothing_that_a_terminal_obeys_is_printed(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "notice.txt"
    path.write_text(NOTICE + "&note=%1B%5B2J%07")
    done = run("dry-run", MD5, "callback", "--callback", path)
    assert done.returncode == 1
    assert "\x1b" not in done.stdout
    assert r"note=\x1b[2J\x07" in done.stdout


def test_real_credentials_are_used_and_never_shown(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "real.json"
    path.write_text('{"base_url": "https://pay.example", "mch_id": "7", "key": "opensesame"}')
    done = run("dry-run", MD5, "create", "--credentials", path, "--way", "wx", "--at", "now")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^  mch_id +7$", done.stdout, re.MULTILINE)
    assert "opensesame" not in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["close"], "“close” is not offered here; offered are"),
        (["callback"], "callback needs --callback FILE"),
        (["create", "--callback", "x"], "--callback goes with the operation callback"),
        (["create", "--answer", "nowhere.txt"], "nowhere.txt: No such file"),
        (["create", "--amount", "five"], "amount"),
        (["create", "--set", "subject"], "write it like --set upstream_no=S2026"),
        (["create", "--set", "amout=5"], "did you mean “amount”"),
        (["create", "--at", "noon"], "--at noon: now, or an instant"),
        (["create", "--at", "2026-01-02T03:04:05"], "now, or an instant"),
        (["create", "--credentials", str(MD5)], "no JSON"),
        (["create", "--credentials", "list.json"], "one table of texts"),
        (["create", "--credentials", "empty.json"], "the credentials lack base_url"),
    ],
)
def test_what_cannot_be_tried_is_told(
    run: Command, tmp_path: Path, words: list[str], said: str
) -> None:
    (tmp_path / "list.json").write_text('{"key": 5}')
    (tmp_path / "empty.json").write_text("{}")
    done = run("dry-run", MD5, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_document_of_the_library_is_good_and_explained(run: Command, path: Path) -> None:
    checked, explained = run("check", path), run("explain", path)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert (explained.returncode, explained.stderr) == (0, "")
    assert "To think about:" in explained.stdout
