"""Help, how a command is written, what was probably meant, and how a merchant stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.delivery.outbox import Notice
from core.people.actors import Actor
from core.reports.balances import MerchantStands
from handlers.kit.commands import Command
from handlers.kit.dialogues import DialogueEnded
from handlers.kit.screen import View, in_language


@dataclass(frozen=True, slots=True)
class HelpNotice(Notice):
    """What a person may do in a chat. kind: of the group, or `private`. topics: in their order."""

    name: str
    kind: str
    rights: tuple[str, ...]
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UsageNotice(Notice):
    """How a command is written; the fields are those of the command and of its fault. command: its
    name."""

    command: str
    usage: tuple[str, ...]
    reason: str
    hint: str
    text: str
    why: str


def usage_of(command: Command, actor: Actor, text: str = "", why: str = "") -> UsageNotice:
    """How a command is written where the actor speaks. text, why: what is wrong, where that is
    known."""
    suppliers = command.suppliers_usage if actor.in_suppliers_group else ()
    usage = suppliers or command.usage
    return UsageNotice(command.name, usage, command.reason, command.hint, text, why)


@dataclass(frozen=True, slots=True)
class NearCommand:
    """A command that was probably meant, by its name. form: how it is written."""

    form: str
    name: str


@dataclass(frozen=True, slots=True)
class NoCommandNotice(Notice):
    """What was said is no command. slash: it was said as one."""

    text: str
    near: tuple[NearCommand, ...]
    slash: bool


@dataclass(frozen=True, slots=True)
class Balance(Notice):
    """How a merchant stands. advanced_minor: what it prepaid. unpaid: orders that wait."""

    merchant_no: str
    merchant_name: str
    currency: str
    balance_minor: int
    advanced_minor: int
    unpaid: int
    at: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class Balances(Notice):
    """How all merchants of a currency stand, the most urgent first."""

    currency: str
    lines: tuple[MerchantStands, ...]
    at: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class SupplierBalance(Notice):
    """How a supplier stands: owed_minor is what it owes us. paid, amount_minor, paid_in_minor: of
    its business day."""

    supplier_no: str
    supplier_name: str
    currency: str
    owed_minor: int
    paid: int
    amount_minor: int
    paid_in_minor: int
    at: datetime
    zone: str


def _in_language(notice: UsageNotice, language: str) -> dict[str, Any]:
    return {"usage": in_language(notice.usage, language)}


VIEWS: Final[tuple[View[Any], ...]] = (
    View(Balances, shortens="lines"),
    View(SupplierBalance),
    View(HelpNotice),
    View(UsageNotice, adds=_in_language),
    View(NoCommandNotice),
    View(Balance),
    View(DialogueEnded),
)
