"""What anybody may ask, as it is shown."""

from __future__ import annotations

from typing import Final, get_args

from core.delivery.outbox import Notice
from core.people.people import RIGHTS
from core.reports.balances import MerchantStands
from handlers.commands import COMMANDS
from handlers.desk.screens import (
    Balance,
    Balances,
    HelpNotice,
    NearCommand,
    NoCommandNotice,
    SupplierBalance,
    UsageNotice,
)
from handlers.kit.dialogues import DialogueEnded
from handlers.money.money_lines import Why
from handlers.topics import TOPICS
from tests.handlers.written import AT, HOSTILE

WHYS: Final = ("", *get_args(Why), "phone")
NEAR: Final = (NearCommand("/rates", "rates"), NearCommand("rates", "rates"))

EXAMPLES: Final[tuple[Notice, ...]] = (
    *(
        Balance("M1", HOSTILE, "CNY", minor, advanced_minor=500, unpaid=1, at=AT, zone="UTC")
        for minor in (-100, 0, 100)
    ),
    Balances("CNY", (), AT, "UTC"),
    Balances(
        "CNY",
        tuple(
            MerchantStands("M1001", HOSTILE, balance, advanced, paid=3, amount_minor=9_000)
            for balance, advanced in ((-1_900, 10_000), (-9_000, 10_000), (500, 0), (0, 0))
        ),
        AT,
        "Asia/Shanghai",
    ),
    *(
        SupplierBalance("S01", HOSTILE, "CNY", owed, 1, 9_000, 500, AT, "UTC")
        for owed in (-100, 0, 100)
    ),
    *(
        HelpNotice(HOSTILE, kind, rights, tuple(topic.name for topic in TOPICS))
        for rights in ((), ("look_up", "read_money"), tuple(sorted(RIGHTS)))
        for kind in ("private", "merchant", "supplier", "ops", "unbound")
    ),
    NoCommandNotice(HOSTILE, (), slash=True),
    NoCommandNotice(HOSTILE, (NearCommand("今日账单", "bill"),), slash=True),
    NoCommandNotice(HOSTILE, NEAR, slash=False),
    *(
        UsageNotice(command.name, command.usage, command.reason, command.hint, HOSTILE, why)
        for command in COMMANDS.by_name.values()
        if command.usage
        for why in WHYS
    ),
    DialogueEnded(ended=True),
    DialogueEnded(ended=False),
)
LARGEST: Final[tuple[Notice, ...]] = (
    Balances(
        "CNY",
        (MerchantStands("M123456789", HOSTILE, -(10**12), 10**12, 10**6, 10**12),) * 300,
        AT,
        "Asia/Shanghai",
    ),
)
