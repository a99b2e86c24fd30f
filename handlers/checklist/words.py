"""The first word that anybody says to a bot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.reports.checklist import Name
from handlers.groups.words import read_link
from handlers.kit.commands import Command
from handlers.kit.intents import Reading
from handlers.people.words import read_join


@dataclass(frozen=True, slots=True)
class Start(Reading):
    """Where one begins: an owner with the steps that open a desk, all others with what they may
    do."""


# A link to the bot may carry a word.
COMMANDS: Final = (
    Command(
        "start", {}, lambda words: read_join(words) or read_link(words) or Start(), twin_of="help"
    ),
)

# What is typed for a step, spoken and with a slash.
TYPED: Final[dict[Name, tuple[tuple[str, str], ...]]] = {
    "ops_group": (("绑定管理群", "/bind_ops"),),
    "colleagues": (("添加人员 负责人", "/hire owner"), ("运营人员", "/people")),
    "factor": (("二次验证", "/factor"),),
    "product": (
        (
            "添加产品 alipay_qr 支付宝扫码 | Alipay QR",
            "/product_add alipay_qr 支付宝扫码 | Alipay QR",
        ),
    ),
    "supplier": (("供应商 新增", "/supplier new"), ("对接映射", "/documents")),
    "channel": (
        (
            "添加通道 S01 alipay_qr 支付宝扫码 0.65% 100-50000 alipay_qr",
            "/channel_add S01 alipay_qr QR 0.65% 100-50000 alipay_qr",
        ),
    ),
    "merchant": (
        ("商户 新增", "/merchants new"),
        ("设置费率 M1001 alipay_qr 1.2%", "/rate M1001 alipay_qr 1.2%"),
    ),
    "group": (("绑定商户 M1001", "/bind M1001"),),
    "test_order": (("测试下单", "/test_order"),),
}
