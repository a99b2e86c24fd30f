"""What people may want, as facts: one dataclass for each intent.

Amounts stay as they were typed, exactly, until a handler knows the merchant's currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, get_args

from core.kernel.amounts import Typed
from handlers.advances import AdvanceLine, PhoneLike, Unreadable
from handlers.days import NoSuchDay, Span
from handlers.numbers import NumberWord
from handlers.routes import (
    AddChannel,
    AskWhy,
    ChangeChannel,
    ChangeProduct,
    ShowChannel,
    ShowChannels,
    ShowProducts,
    TurnChannel,
)
from handlers.supplier_words import (
    BeginSupplier,
    Cancel,
    ChangeSupplier,
    DecideDocument,
    ShowDocuments,
    ShowSuppliers,
)
from handlers.tariffs import Rerate, SetCost, SetRate

ExportKind = Literal["chart", "excel", "csv"]
ExportTable = Literal["orders", "prepayments", "days"]
Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Advances:
    """Prepayments, one per line; `+` advances, `-` takes back.

    explicit: said with a command, so that everybody gets an answer, a refusal included.
    """

    lines: tuple[AdvanceLine, ...]
    explicit: bool = False


@dataclass(frozen=True, slots=True)
class AdvancesFault:
    """Meant as prepayments, but a line cannot be read: nothing is booked.

    sure: False where it may be chatter; then only a holder of the right hears of it.
    """

    fault: Unreadable | PhoneLike
    sure: bool = False


@dataclass(frozen=True, slots=True)
class Adjust:
    """Correct what a merchant is owed: + in its favour. The line's remark is the reason, which
    may be empty: core refuses that with an example."""

    line: AdvanceLine


@dataclass(frozen=True, slots=True)
class ShowUsdtRate:
    pass


@dataclass(frozen=True, slots=True)
class SetUsdtRate:
    """What one USDT is worth in this group."""

    rate: Decimal


@dataclass(frozen=True, slots=True)
class ShowCredit:
    merchant_no: str | None = None


@dataclass(frozen=True, slots=True)
class SetCredit:
    """A merchant's credit line. amount: None switches it off."""

    amount: Typed | None
    merchant_no: str | None = None


@dataclass(frozen=True, slots=True)
class BindMerchant:
    merchant_no: str


@dataclass(frozen=True, slots=True)
class BindSupplier:
    supplier_no: str


@dataclass(frozen=True, slots=True)
class BindOps:
    pass


@dataclass(frozen=True, slots=True)
class Unbind:
    """number: of the merchant or supplier that is taken off; None for all that is bound."""

    number: str | None = None


@dataclass(frozen=True, slots=True)
class ShowInfo:
    pass


@dataclass(frozen=True, slots=True)
class LookUp:
    """Orders by number. talk: nobody asked by a command, so only orders that exist are shown.

    No words: they are in the message this one replies to.
    """

    words: tuple[NumberWord, ...]
    talk: bool = False


@dataclass(frozen=True, slots=True)
class ShowBill:
    """The bill of business days. number: of a merchant or a supplier; None: what the chat is
    bound to, or the platform. currency: a code, for the platform has several; None: the usual."""

    days: Span | NoSuchDay
    number: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class ShowPrepaid:
    """The prepayments of business days, or what a supplier paid in. number: as in `ShowBill`."""

    days: Span | NoSuchDay
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """A picture or a file of business days. bom: whether a CSV says that it is UTF-8; None: as
    the chat's language needs it. number, currency: as in `ShowBill`."""

    what: ExportKind
    days: Span | NoSuchDay
    table: ExportTable = "orders"
    bom: bool | None = None
    number: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class ShowStatistics:
    """Figures of today and of the last seven days. number, currency: as in `ShowBill`."""

    what: Literal["volume", "success", "stats"]
    number: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class SetDayCut:
    """When business days begin: a time of the day, or a time zone. text: as written."""

    what: Literal["time", "zone"]
    text: str
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Complete:
    """Complete an order by hand. reason may be empty: core refuses that with an example."""

    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class Uncomplete:
    """Reverse a wrong completion. reason may be empty, as in `Complete`."""

    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class ShowDiscrepancies:
    """Money of no settled order. test: of test orders."""

    merchant_no: str | None = None
    test: bool = False


@dataclass(frozen=True, slots=True)
class ShowBalance:
    merchant_no: str | None = None


@dataclass(frozen=True, slots=True)
class ShowRates:
    merchant_no: str | None = None


@dataclass(frozen=True, slots=True)
class SetLanguage:
    language: Language


@dataclass(frozen=True, slots=True)
class Help:
    pass


@dataclass(frozen=True, slots=True)
class Usage:
    """A known command that cannot be carried out as written. command: a key of `COMMANDS`.

    fault: what is wrong with its amount, where that is known.
    """

    command: str
    fault: Unreadable | None = None


@dataclass(frozen=True, slots=True)
class Near:
    """A command that was probably meant. command: a key of `COMMANDS`. written: its form."""

    command: str
    written: str


@dataclass(frozen=True, slots=True)
class NoCommand:
    """Something that is no command. near: what was probably meant, the nearest first. slash:
    said as a command, so that it is answered; else near is not empty."""

    text: str
    near: tuple[Near, ...]
    slash: bool = False


Intent = (
    Advances | AdvancesFault | Adjust | ShowUsdtRate | SetUsdtRate | ShowCredit | SetCredit
    | BindMerchant | BindSupplier | BindOps | Unbind | ShowInfo | LookUp
    | ShowBill | ShowPrepaid | Export | ShowStatistics | SetDayCut | Complete | Uncomplete
    | ShowDiscrepancies | ShowBalance | ShowRates | SetRate | SetCost | Rerate
    | ShowChannels | ShowChannel | ChangeChannel | TurnChannel | AddChannel
    | ShowProducts | ChangeProduct | AskWhy
    | ShowDocuments | DecideDocument | ShowSuppliers | BeginSupplier | ChangeSupplier | Cancel
    | SetLanguage | Help | Usage | NoCommand
)  # fmt: skip

# What only looks: it may also be said by forwarding somebody else's words, or by editing one's own.
READING: Final = (
    ShowUsdtRate, ShowCredit, ShowInfo, LookUp, ShowBill, ShowPrepaid, Export, ShowStatistics,
    ShowDiscrepancies, ShowBalance, ShowRates, ShowChannels, ShowChannel, ShowProducts,
    AskWhy, ShowDocuments, ShowSuppliers, Help,
)  # fmt: skip

# What changes something: carried out late by itself, it would surprise whoever had given it up.
# The rest answers a mistake or, like Cancel, is about a dialogue that knows its own turn.
CHANGING: Final = tuple(
    kind for kind in get_args(Intent)
    if kind not in (*READING, AdvancesFault, Cancel, Usage, NoCommand)
)  # fmt: skip
