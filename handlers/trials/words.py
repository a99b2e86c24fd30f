"""Test orders, as people say them: `测试下单 M1001 alipay_qr 1.00 C01`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from handlers.kit.commands import Command
from handlers.kit.grammar import MERCHANTS, is_holder_no
from handlers.kit.intents import Changing
from texts.amounts import fold

_PRODUCT: Final = re.compile(r"[a-z][a-z0-9_]{1,31}", re.ASCII)
_CHANNEL_NO: Final = re.compile(r"C[0-9]{2,9}", re.ASCII)
_MODES: Final = {"test": "test", "测试": "test", "live": "live", "正式": "live"}
_LEAST_WORDS: Final = 3


@dataclass(frozen=True, slots=True)
class BeginTrial(Changing):
    """Make a test order, step by step."""


@dataclass(frozen=True, slots=True)
class MakeTrial(Changing):
    """Make a test order. amount: as typed. channel_no: empty for routing's choice. mode: of the
    app, live or test; empty for the one that fits."""

    merchant_no: str
    product_code: str
    amount: str
    channel_no: str = ""
    mode: str = ""


def read_trial(words: Sequence[str]) -> BeginTrial | MakeTrial | None:
    """What follows the command; None where it is not written so."""
    if not words:
        return BeginTrial()
    folded = [fold(word) for word in words]
    mode = _MODES.get(folded[-1].lower(), "")
    if mode:
        folded.pop()
    channel_no = ""
    if folded and _CHANNEL_NO.fullmatch(folded[-1].upper()):
        channel_no = folded.pop().upper()
    if len(folded) < _LEAST_WORDS or not is_holder_no(folded[0], MERCHANTS):
        return None
    merchant_no, product_code = folded[0].upper(), folded[1].lower()
    if not _PRODUCT.fullmatch(product_code):
        return None
    return MakeTrial(merchant_no, product_code, " ".join(folded[2:]), channel_no, mode)


COMMANDS: Final = (
    Command(
        "test_order",
        {BeginTrial: "test_order", MakeTrial: "test_order"},
        read_trial,
        forms=("测试下单",),
        what="Make a test order",
        usage=(
            "测试下单",
            "测试下单 M1001 alipay_qr 1.00 C01",
            "/test_order M1001 alipay_qr 1.00",
            "/test_order M1001 alipay_qr 1.00 C01 live",
        ),
        answer=(
            "alone: asks for merchant, app, product, channel and amount by buttons. Makes the order"
            " through every layer; its card follows it, with the pay link as a QR code and what the"
            " supplier was told and answered. One of a live app is real, and asked about first"
        ),
        place="private",
    ),
)
