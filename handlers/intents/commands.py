"""Every command: its name, how it is read, and its other forms. A new one is a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from handlers.intents import readers
from handlers.intents.model import (
    BindMerchant,
    BindOps,
    BindSupplier,
    Complete,
    Help,
    ShowBalance,
    ShowBill,
    ShowInfo,
    ShowPrepaid,
    ShowRates,
    ShowStatistics,
    Unbind,
    Uncomplete,
)
from handlers.intents.readers import Reader, about, bare, dated, day_cut, numbered, reasoned
from handlers.intents.words import MERCHANTS, SUPPLIERS, latin, latin_or_money, nothing
from handlers.tariffs import read_cost, read_rate, read_rerate


@dataclass(frozen=True, slots=True)
class Command:
    """A command: `/name words`, or one of its forms, followed by nothing or by its words.

    takes: whether a word that is no day may follow a form; what else follows makes it talk.
    one_line: further lines are refused; otherwise they are more words of the command.
    """

    name: str
    read: Reader
    forms: tuple[str, ...] = ()
    takes: Callable[[str], bool] = latin
    one_line: bool = False


_TABLE: Final = (
    Command("bind", numbered(BindMerchant, MERCHANTS), ("绑定商户",)),
    Command("bind_supplier", numbered(BindSupplier, SUPPLIERS), ("绑定供应商",)),
    Command("bind_ops", bare(BindOps()), ("绑定管理群",)),
    Command("unbind", bare(Unbind()), ("解绑",)),
    Command("info", bare(ShowInfo()), ("群信息",), takes=nothing),
    Command("prepay", readers.prepay, one_line=True),
    Command("adjust", readers.adjust, ("调账",), takes=latin_or_money),
    Command("usdt", readers.usdt, ("设置汇率",), takes=latin_or_money),
    Command("credit", readers.credit, ("授信",), takes=latin_or_money),
    Command("order", readers.order, ("查单",)),
    Command("bill", dated(ShowBill), ("今日账单", "昨日账单", "本月账单", "上月账单", "账单")),
    Command("prepaid", dated(ShowPrepaid), ("预付历史", "预付明细")),
    Command("export", readers.export, ("导出", "图表")),
    Command("complete", reasoned(Complete), ("补单",)),
    Command("uncomplete", reasoned(Uncomplete), ("撤销补单",)),
    Command("discrepancies", readers.discrepancies, ("差异单",)),
    Command("balance", about(ShowBalance, MERCHANTS), ("查询余额",)),
    Command("rates", about(ShowRates, MERCHANTS), ("产品费率",)),
    Command("rate", read_rate, ("设置费率",)),
    Command("rerate", read_rerate, ("重算费率",)),
    Command("cost", read_cost, ("设置成本",)),
    Command("volume", about(partial(ShowStatistics, "volume")), ("今日跑量",)),
    Command("success", about(partial(ShowStatistics, "success")), ("成功率",)),
    Command("stats", about(partial(ShowStatistics, "stats")), ("实时统计",)),
    Command("daycut", day_cut("time"), ("日切",)),
    Command("timezone", day_cut("zone"), ("时区",)),
    Command("lang", readers.language),
    Command("help", bare(Help()), ("帮助", "?"), takes=nothing),
    Command("start", bare(Help())),
)

BY_NAME: Final = {command.name: command for command in _TABLE}
BY_FORM: Final = {form: command for command in _TABLE for form in command.forms}

# command -> its other forms
COMMANDS: Final = {command.name: command.forms for command in _TABLE}

# The first word that a form says by itself.
IMPLIED: Final = {
    "今日账单": "今日",
    "昨日账单": "昨日",
    "本月账单": "本月",
    "上月账单": "上月",
    "图表": "图表",
}
