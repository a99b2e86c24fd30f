"""`.env.example` is the documented list of settings: it and the typed one say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dotenv import dotenv_values

from core.system.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / ".env.example"
# name -> the file that reads it, for what is no setting of the desk
DEPLOYMENT = {
    "DESK_PORT": "deploy/compose.yaml",
    "OWNER_DB_PASSWORD": "deploy/compose.yaml",
    "DESK_DB_PASSWORD": "deploy/compose.yaml",
    "PAYDESK_POSTGRES_BIN": "bot/production.py",
}
COMPOSE_VARIABLE = re.compile(r"\$\{([A-Z_]+)[:}]")


def comments() -> dict[str, list[str]]:
    """name -> the comment lines right above it."""
    found: dict[str, list[str]] = {}
    block: list[str] = []
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            block.append(line.removeprefix("# "))
            continue
        name, equals, _ = line.partition("=")
        if equals:
            found[name] = block
        block = []
    return found


def test_the_two_lists_have_the_same_names() -> None:
    settings = {name.upper() for name in Settings.model_fields}
    assert dotenv_values(EXAMPLE).keys() == settings | DEPLOYMENT.keys()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described_as_the_code_does(name: str) -> None:
    assert Settings.model_fields[name].description in comments()[name.upper()]


def test_the_example_holds_the_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    assert load_settings(_env_file=EXAMPLE) == load_settings()


@pytest.mark.parametrize(("name", "reader"), DEPLOYMENT.items())
def test_what_is_for_deployment_only_is_read_somewhere(name: str, reader: str) -> None:
    assert name not in {field.upper() for field in Settings.model_fields}
    assert name in (ROOT / reader).read_text(encoding="utf-8")
    assert comments()[name]


def test_every_variable_of_the_composition_is_listed() -> None:
    compose = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    assert set(COMPOSE_VARIABLE.findall(compose)) <= dotenv_values(EXAMPLE).keys()
