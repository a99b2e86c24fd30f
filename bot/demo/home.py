"""The folder a demo lives in: what it keeps there, and what a demo refuses."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

from bot.embedded import EmbeddedPostgres, EmbeddedValkey

KEPT_FILE: Final = "demo.json"
# There once the demo has its world and its past: a first start that ended sooner is begun anew.
SEEDED_FILE: Final = "seeded"
_REFUSED: Final = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "BOT_TOKEN")
_LOCK_FILE: Final = "desk.lock"


class DemoRefused(Exception):
    """The demo was asked for something a demo never does."""


def refuse_production_settings() -> None:
    """A demo takes no real token and no database of somebody's. Raises DemoRefused."""
    given = _given()
    found = [name for name in _REFUSED if given.get(name)]
    if found:
        raise DemoRefused(
            f"the demo takes no {', '.join(found)}: it has a database, a Telegram and suppliers "
            "of its own. Unset it for the demo, or start a production desk: python -m bot run"
        )


def default_home() -> Path:
    """PAYDESK_HOME, or `var` in the working folder: as every other command has it."""
    return Path(_given().get("PAYDESK_HOME") or "var")


def demo_master_key(home: Path) -> str | None:
    """The master key of the demo that lives in `home`, for commands that look into it."""
    path = home / KEPT_FILE
    if not path.exists():
        return None
    return str(json.loads(path.read_text(encoding="utf-8"))["master_key"])


def half_made(home: Path) -> bool:
    """Whether a first start ended before the demo had its world."""
    return (home / KEPT_FILE).exists() and not (home / SEEDED_FILE).exists()


async def forget(home: Path) -> None:
    """Forget a demo. What is not a demo's home is never emptied. Raises DemoRefused."""
    found = {entry.name for entry in home.iterdir()} - {_LOCK_FILE}
    if found and KEPT_FILE not in found:
        raise DemoRefused(f"{home} is not the home of a demo; it is not emptied")
    await EmbeddedPostgres(home).stop()
    await EmbeddedValkey(home).stop()
    for entry in home.iterdir():
        if entry.name == _LOCK_FILE:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, and for the owner's eyes only from the first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    draft.replace(path)


def _given() -> dict[str, str | None]:
    return {**dotenv_values(".env"), **os.environ}
