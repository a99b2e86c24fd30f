"""Every command: its name, the rights it takes, how it is read, and its other forms. A new one is
a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from handlers.intents import readers
from handlers.intents.model import (
    Adjust,
    Advances,
    AdvancesFault,
    BindMerchant,
    BindOps,
    BindSupplier,
    Complete,
    Export,
    Help,
    LookUp,
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
)
from handlers.intents.readers import (
    Reader,
    about,
    bare,
    dated,
    day_cut,
    figures,
    numbered,
    reasoned,
)
from handlers.intents.words import (
    MERCHANTS,
    SUPPLIERS,
    latin,
    latin_or_money,
    latin_or_test,
    nothing,
)
from handlers.numbers import begins_number
from handlers.routes import (
    AddChannel,
    AskWhy,
    ChangeChannel,
    ChangeProduct,
    ShowChannel,
    ShowChannels,
    ShowProducts,
    TurnChannel,
    is_route,
    read_channels,
    read_new_channel,
    read_products,
    read_why,
)
from handlers.supplier_words import (
    BeginSupplier,
    Cancel,
    ChangeSupplier,
    DecideDocument,
    ShowDocuments,
    ShowSuppliers,
    may_follow,
    read_documents,
    read_suppliers,
)
from handlers.tariffs import Rerate, SetCost, SetRate, read_cost, read_rate, read_rerate


@dataclass(frozen=True, slots=True)
class Command:
    """A command: `/name words`, or one of its forms, followed by nothing or by its words.

    rights: what it takes to have what it may mean carried out; nothing for what anybody known may
    say. takes: whether a word that is no day may follow a form; what else follows makes it talk.
    one_line: further lines are refused; otherwise they are more words of the command.
    """

    name: str
    rights: Mapping[type, str]
    read: Reader
    forms: tuple[str, ...] = ()
    takes: Callable[[str], bool] = latin
    one_line: bool = False


_READ: Final = "read_money"
_CHANNELS: Final[dict[type, str]] = {
    ShowChannels: "see_channel", ShowChannel: "see_channel",
    ChangeChannel: "channels", TurnChannel: "channels",
}  # fmt: skip
_PRODUCTS: Final[dict[type, str]] = {ShowProducts: "see_channel", ChangeProduct: "channels"}
_DOCUMENTS: Final[dict[type, str]] = {
    ShowDocuments: "documents", DecideDocument: "approve_document",
}  # fmt: skip
_SUPPLIERS: Final[dict[type, str]] = dict.fromkeys(
    (ShowSuppliers, BeginSupplier, ChangeSupplier), "suppliers"
)
_TABLE: Final = (
    Command("bind", {BindMerchant: "bind"}, numbered(BindMerchant, MERCHANTS), ("绑定商户",)),
    Command(
        "bind_supplier", {BindSupplier: "bind"}, numbered(BindSupplier, SUPPLIERS), ("绑定供应商",)
    ),
    Command("bind_ops", {BindOps: "bind_ops"}, bare(BindOps()), ("绑定管理群",)),
    Command("unbind", {Unbind: "bind"}, readers.one_or_all, ("解绑",)),
    Command("info", {ShowInfo: "look_up"}, bare(ShowInfo()), ("群信息",), takes=nothing),
    Command(
        "prepay", {Advances: "prepay", AdvancesFault: "prepay"}, readers.prepay, one_line=True
    ),
    Command("adjust", {Adjust: "adjust"}, readers.adjust, ("调账",), takes=latin_or_money),
    Command(
        "usdt", {SetUsdtRate: "set_rate", ShowUsdtRate: _READ}, readers.usdt, ("设置汇率",),
        takes=latin_or_money,
    ),
    Command(
        "credit", {SetCredit: "set_credit", ShowCredit: _READ}, readers.credit, ("授信",),
        takes=latin_or_money,
    ),
    Command("order", {LookUp: "look_up"}, readers.order, ("查单",), takes=begins_number),
    Command(
        "bill", {ShowBill: _READ}, readers.bill,
        ("今日账单", "昨日账单", "本月账单", "上月账单", "账单"),
    ),
    Command("prepaid", {ShowPrepaid: _READ}, dated(ShowPrepaid), ("预付历史", "预付明细")),
    Command("export", {Export: _READ}, readers.export, ("导出", "图表")),
    Command(
        "complete", {Complete: "complete"}, reasoned(Complete), ("补单",), takes=begins_number
    ),
    Command(
        "uncomplete", {Uncomplete: "uncomplete"}, reasoned(Uncomplete), ("撤销补单",),
        takes=begins_number,
    ),
    Command(
        "discrepancies", {ShowDiscrepancies: "resolve"}, readers.discrepancies, ("差异单",),
        takes=latin_or_test,
    ),
    Command("balance", {ShowBalance: _READ}, about(ShowBalance), ("查询余额",)),
    Command("rates", {ShowRates: _READ}, about(ShowRates), ("产品费率",)),
    Command("rate", {SetRate: "price"}, read_rate, ("设置费率",)),
    Command("rerate", {Rerate: "price"}, read_rerate, ("重算费率",)),
    Command("cost", {SetCost: "price"}, read_cost, ("设置成本",)),
    Command("channels", _CHANNELS, read_channels, ("通道",), takes=is_route),
    Command("channel", _CHANNELS, read_channels),
    Command("channel_add", {AddChannel: "channels"}, read_new_channel, ("添加通道",)),
    Command("products", _PRODUCTS, read_products, ("产品",)),
    Command("product", _PRODUCTS, read_products),
    Command("why", {AskWhy: "see_channel"}, read_why, ("路由",)),
    Command("volume", {ShowStatistics: _READ}, figures("volume"), ("今日跑量",)),
    Command("success", {ShowStatistics: _READ}, figures("success"), ("成功率",)),
    Command("stats", {ShowStatistics: _READ}, figures("stats"), ("实时统计",)),
    Command("daycut", {SetDayCut: "day_cut"}, day_cut("time"), ("日切",)),
    Command("timezone", {SetDayCut: "day_cut"}, day_cut("zone"), ("时区",)),
    Command("documents", _DOCUMENTS, read_documents, ("对接映射",)),
    Command("document", _DOCUMENTS, read_documents),
    Command("suppliers", _SUPPLIERS, read_suppliers, ("供应商",), takes=may_follow),
    Command("supplier", _SUPPLIERS, read_suppliers),
    Command("cancel", {}, bare(Cancel()), ("取消",), takes=nothing),
    Command("lang", {SetLanguage: "bind"}, readers.language),
    Command("help", {}, bare(Help()), ("帮助", "?"), takes=nothing),
    Command("start", {}, bare(Help())),
)  # fmt: skip

BY_NAME: Final = {command.name: command for command in _TABLE}
BY_FORM: Final = {form: command for command in _TABLE for form in command.forms}

# command -> its other forms
COMMANDS: Final = {command.name: command.forms for command in _TABLE}
# what is meant -> the right it takes; in a supplier's group, `payin` instead of `prepay`
RIGHT_OF: Final = {kind: right for command in _TABLE for kind, right in command.rights.items()}
# command -> the rights of what it may mean; one of them is enough to be told how it is written
RIGHTS_OF_COMMAND: Final = {
    command.name: tuple(dict.fromkeys(command.rights.values())) for command in _TABLE
}

# The first word that a form says by itself.
IMPLIED: Final = {
    "今日账单": "今日",
    "昨日账单": "昨日",
    "本月账单": "本月",
    "上月账单": "上月",
    "图表": "图表",
}
