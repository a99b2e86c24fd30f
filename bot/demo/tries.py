"""Words to try in the demo's chats: what each person may say there, from the command table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from bot.world import DemoGroup, User
from core.people.people import ROLES, STAFF_ROLES
from core.reports.balances import RIGHT as ALL_RIGHT
from handlers.commands import COMMANDS, parse
from handlers.kit.commands import Command
from handlers.kit.intents import Usage
from handlers.kit.screen import holds_chinese

PRIVATE: Final = "private"
MOST: Final = 16
# What a stranger tries first; then in the table's order.
_FIRST: Final = (
    "bill", "prepay", "balance", "stats", "volume", "success", "prepaid", "discrepancies",
    "channels", "approvals", "alarms", "status", "rates", "merchants", "test_order", "completions",
    "export", "calc", "docs", "help", "info",
)  # fmt: skip
# Everybody of the demo who could ask to be let speak is let already.
_NOBODYS: Final = frozenset({"apply"})
# Of whomever a group is bound to.
_OF_SOMEBODY: Final = frozenset({"orders"})
# Of a merchant, never of a supplier; and never of all merchants together.
_OF_A_MERCHANT: Final = frozenset({"credit", "discrepancies", "docs"})
_OF_ONE: Final = frozenset({"credit", "docs", "prepaid", "prepay", "rates"})
_ONE: Final = "M1001"
# What it takes to be told of all merchants together.
_OF_ALL: Final = {
    "bill": "read_platform", "export": "read_platform", "orders": "read_statistics"
}  # fmt: skip
# What staff says among itself: others read along in their groups.
_AMONG_STAFF: Final = frozenset(
    {
        "approve_document", "broadcast", "channels", "documents", "list_groups", "merchants",
        "people", "products", "see_channel", "settings", "suppliers", "test_order", "watch",
    }
)  # fmt: skip
_IN_NOBODYS: Final = frozenset({"bind", "bind_ops", "look_up", ""})
_HOLE: Final = re.compile(r"…|\{\}")
_NUMBER: Final = re.compile(r"\b[MS]\d+\b")
Try = dict[str, str]


def tries(users: Sequence[User], groups: Sequence[DemoGroup]) -> dict[str, dict[str, list[Try]]]:
    """By chat (its id, or `private` of any person with the bot), by role: words, and what each is
    for. A role that may say nothing in a chat is not there."""
    roles = {user.role: user.language for user in users}
    found = {}
    for group in groups:
        here = {
            role: list(_in_group(role, group))[:MOST]
            for role in roles
            if any(user.role == role and user.id in group.members for user in users)
        }
        found[str(group.chat_id)] = {role: words for role, words in here.items() if words}
    found[PRIVATE] = {
        role: list(_in_private(role, language))[:MOST]
        for role, language in roles.items()
        if role in STAFF_ROLES
    }
    return found


def _in_group(role: str, group: DemoGroup) -> Iterator[Try]:
    for command in _commands():
        if command.place == "private":
            continue
        if group.kind == "supplier" and command.name in _OF_A_MERCHANT:
            continue
        if group.kind == "unbound" and command.name in _OF_SOMEBODY:
            continue
        written = command.suppliers_usage if group.kind == "supplier" else ()
        numbered = group.kind == "ops" and _needs_number(command, role)
        for text in _usable(command, written or command.usage, group.language, numbered=numbered):
            text = _NUMBER.sub(group.bound, text) if group.bound else text
            right = _right(text, group.kind)
            if right is None or not _may(role, right, group.kind):
                continue
            yield _try(text, command, group.language)
            break


def _in_private(role: str, language: str) -> Iterator[Try]:
    for command in _commands():
        if command.place == "groups":
            continue
        numbered = _needs_number(command, role)
        for text in _usable(command, command.usage, language, numbered=numbered):
            right = _right(text, PRIVATE)
            if right is not None and (not right or right in ROLES[role]):
                yield _try(text, command, language)
                break


def _commands() -> list[Command]:
    every = [
        command
        for command in COMMANDS.by_name.values()
        if not command.twin_of and command.name not in _NOBODYS
    ]
    first = {name: place for place, name in enumerate(_FIRST)}
    return sorted(every, key=lambda command: first.get(command.name, len(first)))


def _needs_number(command: Command, role: str) -> bool:
    """Whether this person, where staff is among itself, says whose it is."""
    if command.name in _OF_ONE:
        return True
    if command.name in _OF_ALL:
        return _OF_ALL[command.name] not in ROLES[role]
    return "read_money" in command.rights.values() and ALL_RIGHT not in ROLES[role]


def _usable(command: Command, usage: Sequence[str], language: str, *, numbered: bool) -> list[str]:
    """Examples that can be sent as they are, the best for a chat first: in its language, and where
    it is to be said whose it is, with a number."""
    whole = [text for text in usage if not _HOLE.search(text)]
    if whole and language != "zh":
        whole.insert(0, f"/{command.name}")
    if numbered:
        whole += [f"{text} {_ONE}" for text in whole if not _NUMBER.search(text)]

    def rank(text: str) -> tuple[bool, bool]:
        others = holds_chinese(text) != (language == "zh") and text[0] not in "+="
        return numbered and not _NUMBER.search(text), others

    return sorted(whole, key=rank)


def _right(text: str, kind: str) -> str | None:
    """What it takes to say this; None where the text is no command by itself."""
    intent = parse(text)
    if intent is None or isinstance(intent, Usage):
        return None
    right = COMMANDS.rights.get(type(intent), "")
    return "payin" if right == "prepay" and kind == "supplier" else right


def _may(role: str, right: str, kind: str) -> bool:
    if right and right not in ROLES[role]:
        return False
    if kind == "unbound":
        return right in _IN_NOBODYS
    return kind == "ops" or right not in _AMONG_STAFF


def _try(text: str, command: Command, language: str) -> Try:
    return {"text": text, "what": COMMANDS.words(command.name, language)}
