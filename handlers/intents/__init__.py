"""The one parser: what a person wrote -> what they want, or None where it is chatter.

Pure: text in, dataclasses out. A new command is its dataclass in `model`, its line (with the
right it takes) in `commands` and its reader in `readers`.
"""

from __future__ import annotations

from handlers.intents.commands import COMMANDS, RIGHT_OF, RIGHTS_OF_COMMAND
from handlers.intents.model import (
    CHANGING,
    READING,
    Adjust,
    Advances,
    AdvancesFault,
    BindMerchant,
    BindOps,
    BindSupplier,
    Complete,
    Export,
    Help,
    Intent,
    LookUp,
    Near,
    NoCommand,
    SetCredit,
    SetDayCut,
    SetLanguage,
    SetUsdtRate,
    ShowBalance,
    ShowBill,
    ShowCredit,
    ShowDiscrepancies,
    ShowInfo,
    ShowPrepaid,
    ShowRates,
    ShowStatistics,
    ShowUsdtRate,
    Unbind,
    Uncomplete,
    Usage,
)
from handlers.intents.nearby import read_nearby
from handlers.intents.parser import addressee_of, parse

__all__ = [
    "CHANGING",
    "COMMANDS",
    "READING",
    "RIGHTS_OF_COMMAND",
    "RIGHT_OF",
    "Adjust",
    "Advances",
    "AdvancesFault",
    "BindMerchant",
    "BindOps",
    "BindSupplier",
    "Complete",
    "Export",
    "Help",
    "Intent",
    "LookUp",
    "Near",
    "NoCommand",
    "SetCredit",
    "SetDayCut",
    "SetLanguage",
    "SetUsdtRate",
    "ShowBalance",
    "ShowBill",
    "ShowCredit",
    "ShowDiscrepancies",
    "ShowInfo",
    "ShowPrepaid",
    "ShowRates",
    "ShowStatistics",
    "ShowUsdtRate",
    "Unbind",
    "Uncomplete",
    "Usage",
    "addressee_of",
    "parse",
    "read_nearby",
]
