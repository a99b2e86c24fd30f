"""What anybody known may ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handlers.kit.commands import Command, about, bare
from handlers.kit.dialogues import Cancel
from handlers.kit.grammar import nothing
from handlers.kit.intents import Reading


@dataclass(frozen=True, slots=True)
class ShowBalance(Reading):
    merchant_no: str | None = None


@dataclass(frozen=True, slots=True)
class Help(Reading):
    pass


COMMANDS: Final = (
    Command(
        "balance",
        {ShowBalance: "read_money"},
        about(ShowBalance),
        forms=("查询余额",),
        what="The prepaid balance",
        usage=("查询余额", "查询余额 M1001", "/balance"),
        answer=(
            "how the merchant stands now; in an ops group, all merchants with what they sold today,"
            " the most urgent first; in a supplier's group, what it owes"
        ),
    ),
    Command(
        "cancel",
        {},
        bare(Cancel()),
        forms=("取消",),
        takes=nothing,
        what="Stop the present dialogue",
        usage=("取消", "/cancel"),
        place="private",
        answer="in private: ends what is asked step by step",
    ),
    Command(
        "help",
        {},
        bare(Help()),
        forms=("帮助", "?"),
        takes=nothing,
        what="What you can do here",
        usage=("帮助", "?", "/help"),
        answer="what *you* may do *here*; in a group only you see it",
    ),
)
