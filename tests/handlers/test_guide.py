"""The operator's guide says what the parser understands and what the roles may do."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.people.people import RIGHTS, ROLES
from handlers.commands import COMMANDS, parse
from handlers.guide import fill_guide
from handlers.kit.intents import Intent
from handlers.money.words import Advances
from handlers.orders.words import LookUp

GUIDE = (Path(__file__).parents[2] / "docs/bot.md").read_text(encoding="utf-8")


def test_roles_and_rights_are_those_of_the_desk() -> None:
    rows = [line for line in GUIDE.splitlines() if line.startswith("|")]
    roles = [
        f"| {role} | {' '.join(f'`{right}`' for right in sorted(rights))} |"
        for role, rights in ROLES.items()
    ]
    assert rows[rows.index("| role | rights |") + 2 :][: len(roles)] == roles
    rights = [f"| `{right}` | {meaning} |" for right, meaning in RIGHTS.items()]
    assert rows[rows.index("| right | lets a person |") + 2 :] == rights


def test_the_table_of_commands_is_made_of_their_rows() -> None:
    assert fill_guide(GUIDE) == GUIDE, "write it with: python tools/references.py"
    for command in COMMANDS.by_name.values():
        assert command.twin_of or (command.usage and command.answer and command.what), command.name
        for word in command.forms:
            assert f"`{word}" in GUIDE, word


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("+5.00", Advances), ("/prepay 13800138000", Advances), ("+13,800,138,000", Advances),
        ("＋１０００", Advances), ("+100usdt/7.2", Advances), ("查单", LookUp),
    ],
)  # fmt: skip
def test_what_the_guide_promises_is_understood(text: str, kind: type[Intent]) -> None:
    assert isinstance(parse(text), kind)
