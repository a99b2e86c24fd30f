"""No engine runs here: the image's promises are read from its recipe."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def read_instructions() -> list[tuple[str, str]]:
    """(instruction, arguments), in order, continued lines joined, comments left out."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [
        (words[0], words[1]) for line in joined.splitlines() if (words := line.split(" ", 1))[1:]
    ]


INSTRUCTIONS = read_instructions()
LAST_FROM = max(i for i, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM")
FINAL = INSTRUCTIONS[LAST_FROM + 1 :]


def final(name: str) -> list[str]:
    return [arguments for found, arguments in FINAL if found == name]


def test_bases_are_pinned_and_come_from_the_default_place() -> None:
    bases = [arguments.split()[0] for name, arguments in INSTRUCTIONS if name == "FROM"]
    assert len(bases) >= 2
    for base in bases:
        assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", base), base


def test_the_desk_is_nobody_special() -> None:
    users = final("USER")
    assert users
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", users[-1])
    after_user = [name for name, _ in FINAL[[n for n, _ in FINAL].index("USER") :]]
    assert not {"RUN", "COPY", "ADD"} & set(after_user)


def test_it_starts_stops_and_is_watched_as_documented() -> None:
    assert json.loads(final("ENTRYPOINT")[-1]) == ["python", "-m", "bot"]
    assert json.loads(final("CMD")[-1]) == ["run"]
    assert final("STOPSIGNAL") == ["SIGTERM"]
    command = json.loads(final("HEALTHCHECK")[-1].split("CMD ", 1)[1])
    compile(command[-1], "healthcheck", "exec")
    assert "/healthz" in command[-1]


def test_packages_are_checked_against_their_hashes() -> None:
    installs = [text for name, text in INSTRUCTIONS if name == "RUN" and "pip install" in text]
    assert installs
    for install in installs:
        assert "--require-hashes" in install
        assert "://" not in install


def test_every_room_of_the_desk_is_in_the_image_but_no_sandbox_and_no_bench() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rooms = set(project["tool"]["importlinter"]["root_packages"]) - {"bench", "sandbox"}
    copied = {source.split("/")[0] for source in final("COPY") if not source.startswith("--from")}
    assert rooms | {"connectors", "locales"} == copied
    let_through = {
        line[1:].rstrip("/")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    assert let_through == copied | {"requirements.lock"}


def test_no_secret_is_baked_in() -> None:
    for name, arguments in INSTRUCTIONS:
        if name in {"ENV", "ARG"}:
            assert not re.search(r"TOKEN|KEY|PASSWORD|SECRET", arguments), arguments
