"""A demo's home: emptied only where it is one; secrets for nobody else's eyes."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from bot.demo import DemoRefused, default_home, demo_master_key, run_demo
from bot.demo.home import (
    KEPT_FILE,
    SEEDED_FILE,
    forget,
    half_made,
    refuse_production_settings,
    write_private,
)
from bot.demo.inside import Demo

_PRODUCTION = {
    "DATABASE_URL": "postgresql://desk:hidden-word@db/paydesk",
    "DATABASE_OWNER_URL": "postgresql://owner:hidden-word@db/paydesk",
    "REDIS_URL": "redis://:hidden-word@redis/0",
    "BOT_TOKEN": "123456789:hidden-word-AAAAAAAAAAAAAAAAAAAAAAAA",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder and none of the desk's settings in the environment."""
    for name in (*_PRODUCTION, "PAYDESK_HOME"):
        monkeypatch.delenv(name, raising=False)
    place = tmp_path / "working folder"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("name", _PRODUCTION)
@pytest.mark.parametrize("where", ["environment", ".env"])
async def test_a_demo_refuses_each_production_setting(
    name: str, where: str, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if where == ".env":
        (folder / ".env").write_text(f"{name}={_PRODUCTION[name]}\n", encoding="utf-8")
    else:
        monkeypatch.setenv(name, _PRODUCTION[name])
    home = tmp_path / "home"
    with pytest.raises(DemoRefused, match=name) as error:
        await run_demo(home, port=0, fresh=True, ready_file=None)
    assert "hidden-word" not in str(error.value)
    assert not home.exists(), "nothing was begun"


def test_all_that_is_wrong_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in _PRODUCTION.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(DemoRefused) as error:
        refuse_production_settings()
    assert all(name in str(error.value) for name in _PRODUCTION)


def test_an_empty_setting_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_TOKEN", "")
    (folder / ".env").write_text("DATABASE_URL=\nPAYDESK_OWNER_IDS=1\n", encoding="utf-8")
    refuse_production_settings()
    # The environment wins over the file, as for every other command.
    (folder / ".env").write_text(f"BOT_TOKEN={_PRODUCTION['BOT_TOKEN']}\n", encoding="utf-8")
    refuse_production_settings()


def test_the_home_is_where_every_other_command_looks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert default_home() == Path("var")
    (folder / ".env").write_text("PAYDESK_HOME=/srv/from-file\n", encoding="utf-8")
    assert default_home() == Path("/srv/from-file")
    monkeypatch.setenv("PAYDESK_HOME", "/srv/from-environment")
    assert default_home() == Path("/srv/from-environment")


async def test_what_is_not_a_demos_home_is_never_emptied(tmp_path: Path) -> None:
    production = tmp_path / "production"
    (production / "postgres").mkdir(parents=True)
    (production / "postgres" / "data").write_text("money", encoding="utf-8")
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.txt").write_text("years", encoding="utf-8")
    for home in (production, tmp_path / "papers"):
        with pytest.raises(DemoRefused, match="not the home of a demo"):
            await forget(home)
        with pytest.raises(DemoRefused, match="not the home of a demo"):
            await run_demo(home, port=0, fresh=True, ready_file=None)
    assert (production / "postgres" / "data").read_text(encoding="utf-8") == "money"
    assert (tmp_path / "papers" / "thesis.txt").read_text(encoding="utf-8") == "years"


async def test_a_demos_home_is_emptied_but_for_its_lock(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("kept", encoding="utf-8")
    (home / "log").mkdir(parents=True)
    (home / "desk.lock").touch()
    (home / "linked").symlink_to(elsewhere)
    write_private(home / KEPT_FILE, "{}")
    await forget(home)
    assert [entry.name for entry in home.iterdir()] == ["desk.lock"]
    assert (elsewhere / "kept").exists(), "a link is taken away, not what it leads to"
    await forget(home)


def test_a_first_start_that_ended_too_soon_is_known_by_what_it_left(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert not half_made(home), "nobody has started it"
    Demo(home, "127.0.0.1", 20_000, empty=False)
    assert half_made(home)
    write_private(home / SEEDED_FILE, "")
    assert not half_made(home)


def test_a_demos_secrets_are_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert demo_master_key(home) is None
    old = os.umask(0)
    try:
        Demo(home, "127.0.0.1", 20_000, empty=True)
    finally:
        os.umask(old)
    kept = home / KEPT_FILE
    assert mode(kept) == 0o600
    first = kept.read_text(encoding="utf-8")
    Demo(home, "127.0.0.1", 20_000, empty=True)
    assert kept.read_text(encoding="utf-8") == first
    assert demo_master_key(home) == json.loads(first)["master_key"]
    Demo(tmp_path / "other", "127.0.0.1", 20_000, empty=True)
    assert demo_master_key(tmp_path / "other") != demo_master_key(home)


def test_a_ready_file_is_private_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ready.json"
    path.parent.mkdir()
    path.write_text("old, and readable by everybody", encoding="utf-8")
    path.chmod(0o644)
    write_private(path, '{"ready": true}')
    assert mode(path) == 0o600
    assert json.loads(path.read_text(encoding="utf-8")) == {"ready": True}
    assert list(path.parent.iterdir()) == [path], "no draft is left"
