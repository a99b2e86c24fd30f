"""Channels, products and who sells what, as people say it: `通道 C01 权重 3`. Pure.

Amounts, hours and rates stay text until a handler knows the channel's currency; `read_terms`
reads them then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from core.kernel.errors import Refusal
from core.kernel.money import EXPONENTS, parse_money
from core.supply.catalogue import ProductMove
from core.supply.channels import FAULTS, read_hours
from handlers.kit.commands import Command
from handlers.kit.intents import Changing, Reading
from texts.amounts import doubtful, fold, read_amount

Field = Literal[
    "amount", "hours", "daylimit", "daycount", "weight", "priority", "name", "code"
]  # fmt: skip
Move = Literal["on", "off", "archive", "restore", "resume"]

AMOUNTS_EXAMPLE: Final = "100-50000 · 100,200,500"
_PRODUCT: Final = re.compile(r"[a-z][a-z0-9_]{1,31}", re.ASCII)
_MERCHANT_NO: Final = re.compile(r"M[0-9]{1,11}", re.ASCII)
_SUPPLIER_NO: Final = re.compile(r"S[0-9]{2,9}", re.ASCII)
_CHANNEL_NO: Final = re.compile(r"C[0-9]{1,11}", re.ASCII)
_RANGE: Final = re.compile(r"(.*?)(?:[-~–—～]|至|到)(.*)")
_COUNT: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_SHOWN_CHARS: Final = 40
_PIECES_IN_DOUBT: Final = 2
_ADD_WORDS: Final = 6  # at least: supplier, code, name, rate, amounts, product

_FIELDS: Final[dict[str, Field]] = {
    "amount": "amount", "amounts": "amount", "金额": "amount",
    "hours": "hours", "时段": "hours", "时间": "hours",
    "daylimit": "daylimit", "日限额": "daylimit",
    "daycount": "daycount", "日笔数": "daycount",
    "weight": "weight", "权重": "weight",
    "priority": "priority", "优先级": "priority",
    "name": "name", "名称": "name",
    "code": "code", "编码": "code",
}  # fmt: skip
_MOVES: Final[dict[str, Move]] = {
    "on": "on", "开": "on", "开启": "on", "启用": "on",
    "off": "off", "关": "off", "关闭": "off", "停用": "off",
    "archive": "archive", "归档": "archive", "回收": "archive",
    "restore": "restore", "还原": "restore",
    "resume": "resume", "恢复": "resume",
}  # fmt: skip
_ARCHIVED: Final = frozenset({"archived", "已归档", "回收站"})
_DEFAULT: Final = frozenset({"default", "默认"})
_TEST: Final = frozenset({"test", "测试"})
_NONE: Final = frozenset({"off", "any", "none", "all", "关", "关闭", "不限", "全天"})


@dataclass(frozen=True, slots=True)
class ShowChannels(Reading):
    """The channels, of one supplier, of one product, or all; or those that are archived."""

    supplier_no: str | None = None
    product_code: str | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class ShowChannel(Reading):
    """One channel in full."""

    channel_no: str


@dataclass(frozen=True, slots=True)
class ChangeChannel(Changing):
    """Set one of a channel's terms. text: its value, as typed."""

    channel_no: str
    field: Field
    text: str


@dataclass(frozen=True, slots=True)
class TurnChannel(Changing):
    """Switch a channel on or off, archive or restore it, end its pause."""

    channel_no: str
    move: Move


@dataclass(frozen=True, slots=True)
class AddChannel(Changing):
    """A new channel. tariff, amounts: as typed."""

    supplier_no: str
    supplier_code: str
    name: str
    tariff: str
    amounts: str
    product_code: str


@dataclass(frozen=True, slots=True)
class ShowProducts(Reading):
    """The products with their channels; of a merchant: those that it goes by. archived: those that
    are archived, for everybody."""

    merchant_no: str | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class BeginProduct(Changing):
    """Make a product, step by step."""


@dataclass(frozen=True, slots=True)
class AddProduct(Changing):
    """A new product, with what it is called."""

    product_code: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class NameProduct(Changing):
    """Call a product something else."""

    product_code: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class ArchiveProduct(Changing):
    """Archive or restore a product, for everybody."""

    product_code: str
    move: ProductMove


@dataclass(frozen=True, slots=True)
class ChangeProduct(Changing):
    """A channel more or less for a product, a merchant's own channels given up (follow), or the
    product switched. merchant_no: for it alone."""

    product_code: str
    verb: Literal["add", "remove", "follow", "on", "off"]
    channel_no: str = ""
    merchant_no: str | None = None


@dataclass(frozen=True, slots=True)
class AskWhy(Reading):
    """Which channels would take an order now. amount: as typed. merchant_no: None
    for the product's own channels. test: a test order."""

    product_code: str
    amount: str
    merchant_no: str | None = None
    test: bool = False


Routes = (
    ShowChannels | ShowChannel | ChangeChannel | TurnChannel | AddChannel | ShowProducts
    | ChangeProduct | NameProduct | ArchiveProduct | AskWhy
)  # fmt: skip


def read_channels(words: Sequence[str]) -> Routes | None:
    """What follows the command; None where it is not written so."""
    folded = [fold(word) for word in words]
    if folded and _CHANNEL_NO.fullmatch(folded[0].upper()):
        return _one_channel(folded[0].upper(), words[1:])
    supplier_no, product_code, archived = None, None, False
    for word in folded:
        if supplier_no is None and _SUPPLIER_NO.fullmatch(word.upper()):
            supplier_no = word.upper()
        elif not archived and word.lower() in _ARCHIVED:
            archived = True
        elif product_code is None and not _is_no(word) and _PRODUCT.fullmatch(word.lower()):
            product_code = word.lower()
        else:
            return None
    return ShowChannels(supplier_no, product_code, archived)


def _is_no(word: str) -> bool:
    """Whether it is a supplier's, merchant's or channel's number, which might be a product's code
    as well."""
    return any(no.fullmatch(word.upper()) for no in (_SUPPLIER_NO, _MERCHANT_NO, _CHANNEL_NO))


def _one_channel(channel_no: str, words: Sequence[str]) -> Routes | None:
    if not words:
        return ShowChannel(channel_no)
    verb = fold(words[0]).lower()
    if len(words) == 1:
        move = _MOVES.get(verb)
        return TurnChannel(channel_no, move) if move else None
    field = _FIELDS.get(verb)
    return ChangeChannel(channel_no, field, " ".join(words[1:])) if field else None


def read_new_channel(words: Sequence[str]) -> AddChannel | None:
    """What follows the command; None where it is not written so. A name may have spaces."""
    if len(words) < _ADD_WORDS:
        return None
    supplier_no, product_code = fold(words[0]).upper(), fold(words[-1]).lower()
    if not _SUPPLIER_NO.fullmatch(supplier_no) or not _PRODUCT.fullmatch(product_code):
        return None
    return AddChannel(
        supplier_no, fold(words[1]), " ".join(words[2:-3]), fold(words[-3]), fold(words[-2]),
        product_code,
    )  # fmt: skip


def read_new_product(words: Sequence[str]) -> AddProduct | BeginProduct | None:
    """What follows the command; None where it is not written so. A name may have spaces."""
    if not words:
        return BeginProduct()
    names = read_names(" ".join(words[1:]))
    return AddProduct(fold(words[0]).lower(), *names) if names else None


def read_names(text: str) -> tuple[str, str] | None:
    """`支付宝扫码 | Alipay QR`: what it is called in Chinese and in English."""
    zh, bar, en = text.replace("｜", "|").partition("|")
    names = " ".join(zh.split()), " ".join(en.split())
    return names if bar and all(names) else None


def read_products(words: Sequence[str]) -> Routes | None:
    """What follows the command; None where it is not written so. A sign may touch what follows:
    `+C01`, `=default`."""
    folded = [fold(word) for word in words]
    merchant_no, folded = _merchant(folded)
    if not folded:
        return ShowProducts(merchant_no)
    product_code = folded[0].lower()
    said = "".join(folded[1:])
    if product_code in _ARCHIVED and not said and merchant_no is None:
        return ShowProducts(archived=True)
    if not _PRODUCT.fullmatch(product_code) or not said:
        return None
    if merchant_no is None and _FIELDS.get(folded[1].lower()) == "name":
        names = read_names(" ".join(words[2:]))
        return NameProduct(product_code, *names) if names else None
    sign, rest = said[0], said[1:]
    if sign in "+-" and _CHANNEL_NO.fullmatch(rest.upper()):
        verb: Literal["add", "remove"] = "add" if sign == "+" else "remove"
        return ChangeProduct(product_code, verb, rest.upper(), merchant_no)
    if sign == "=" and rest.lower() in _DEFAULT:
        return ChangeProduct(product_code, "follow", "", merchant_no) if merchant_no else None
    match _MOVES.get(said.lower()):
        case "on" | "off" as state:
            return ChangeProduct(product_code, state, "", merchant_no)
        case "archive" | "restore" as move if merchant_no is None:
            return ArchiveProduct(product_code, move)
    return None


def read_why(words: Sequence[str]) -> AskWhy | None:
    """What follows the command; None where it is not written so."""
    merchant_no, folded = _merchant([fold(word) for word in words])
    test = bool(folded) and folded[-1].lower() in _TEST
    match folded[:-1] if test else folded:
        case [product_code, _, *_] as words if _PRODUCT.fullmatch(product_code.lower()):
            return AskWhy(product_code.lower(), " ".join(words[1:]), merchant_no, test)
    return None


def _merchant(words: list[str]) -> tuple[str | None, list[str]]:
    if words and _MERCHANT_NO.fullmatch(words[0].upper()):
        return words[0].upper(), words[1:]
    return None, words


# ── what was typed, once the currency is known ──────────────────────────────────────────────────
def read_terms(field: Field, text: str, currency: str) -> dict[str, Any]:
    """The fields of a channel's terms that a change sets, in smallest units.

    Refusals: amount_invalid, hours_invalid, channel_invalid, time_invalid.
    """
    folded = fold(text).strip()
    none = folded.lower() in _NONE
    match field:
        case "amount":
            return read_amounts(text, currency)
        case "hours":
            return {"hours": None if none else read_hours(folded)}
        case "daylimit":
            return {"day_limit_minor": None if none else minor(folded, currency)}
        case "daycount":
            return {"day_limit_count": None if none else _count(folded, "limit")}
        case "weight":
            return {"weight": _count(folded, "weight")}
        case "priority":
            return {"priority": _count(folded, "priority")}
        case "name":
            return {"name": text.strip()}
        case "code":
            return {"supplier_code": folded}


def read_amounts(text: str, currency: str) -> dict[str, Any]:
    """A range (`100-50000`, `100-`, `-50000`), a list (`100,200,500`), or a word for any.

    In a list a comma or a blank stands between amounts; only in a range do they group thousands.
    Refusals: amount_invalid, currency_other, amount_doubtful.
    """
    folded = fold(text).strip()
    blank: dict[str, Any] = {"amount_list": (), "amount_min": None, "amount_max": None}
    if folded.lower() in _NONE:
        return blank
    ends = _RANGE.fullmatch(folded)
    if ends is not None and (ends[1].strip() or ends[2].strip()):
        _check_scales(folded, ends[1].strip(), ends[2].strip())
        least, most = (
            minor(end.strip(), currency, AMOUNTS_EXAMPLE) if end.strip() else None
            for end in (ends[1], ends[2])
        )
        return blank | {"amount_min": least, "amount_max": most}
    whole = read_amount(folded)
    if whole is not None and not whole.grouped:  # also one with a gap in it: 5 万
        return blank | {"amount_list": (minor(folded, currency, AMOUNTS_EXAMPLE),)}
    pieces = [piece for piece in re.split(r"[,、/\s]+", folded) if piece]
    if not pieces:
        raise _no_amount(text, currency, AMOUNTS_EXAMPLE)
    if whole is not None and len(pieces) <= _PIECES_IN_DOUBT:  # 1,500: two amounts, or one
        raise doubtful(folded, "、".join(pieces), "".join(pieces))
    listed = tuple(minor(piece, currency, AMOUNTS_EXAMPLE) for piece in pieces)
    return blank | {"amount_list": listed}


def _check_scales(text: str, least: str, most: str) -> None:
    """`1-5万` may begin at 1 or at 1万. Refusals: amount_doubtful."""
    first, last = read_amount(least), read_amount(most)
    if first is None or last is None or first.scale > 1 or last.scale == 1:
        return
    larger = first.units * last.scale
    if larger <= last.units:
        raise doubtful(text, *(f"{n:f}-{last.units:f}" for n in (first.units, larger)))


def minor(text: str, currency: str, example: str = "") -> int:
    """An amount in smallest units: `50000`, `5万`, `1,234.5`. Refusals: amount_invalid,
    currency_other, amount_doubtful."""
    amount = read_amount(text)
    if amount is None:
        raise _no_amount(text, currency, example)
    units = amount.units_in(currency)
    try:
        return parse_money(format(units, "f"), currency).minor
    except Refusal:
        raise _no_amount(text, currency, example) from None


def _no_amount(text: str, currency: str, example: str) -> Refusal:
    example = example or ("50000" if EXPONENTS[currency] == 0 else "50000.00")
    return Refusal(
        "amount_invalid", text=text[:_SHOWN_CHARS] or "…", currency=currency, example=example
    )


def _count(text: str, fault: str) -> int:
    if not _COUNT.fullmatch(text):
        raise Refusal("channel_invalid", channel_fault=FAULTS[fault], text=text[:_SHOWN_CHARS])
    return int(text)


# The words after these commands begin like a code or a number, or ask for what is archived.
def is_route(word: str) -> bool:
    """Whether a (folded) word may follow a Chinese form: else it is talk."""
    return word in _ARCHIVED or (word.isascii() and word[0].isalnum())


_CHANNELS: Final[dict[type, str]] = {
    ShowChannels: "see_channel", ShowChannel: "see_channel",
    ChangeChannel: "channels", TurnChannel: "channels",
}  # fmt: skip
_PRODUCTS: Final[dict[type, str]] = {
    ShowProducts: "see_channel", ChangeProduct: "channels",
    NameProduct: "products", ArchiveProduct: "products",
}  # fmt: skip


COMMANDS: Final = (
    Command(
        "channels",
        _CHANNELS,
        read_channels,
        forms=("通道",),
        takes=is_route,
        what="Channels",
        usage=(
            "通道",
            "通道 S01",
            "通道 C01",
            "通道 C01 开",
            "通道 C01 金额 100-50000",
            "通道 C01 时段 09:00-23:00",
            "/channels archived",
            "/channel C01 hours 09:00-23:00",
        ),
        answer=(
            "the channels by pages of eight: state, amounts, hours, today's use, weight, "
            "priority, products; see below"
        ),
    ),
    Command("channel", _CHANNELS, read_channels, twin_of="channels"),
    Command(
        "channel_add",
        {AddChannel: "channels"},
        read_new_channel,
        forms=("添加通道",),
        what="Add a channel",
        usage=(
            "添加通道 S01 alipay_qr 支付宝扫码 0.65% 100-50000 alipay_qr",
            "/channel_add S01 alipay_qr Alipay QR 0.65% 100,200,500 alipay_qr",
        ),
        answer=(
            "shows the new channel (supplier, its code, name, cost, amounts, product) and asks you"
        ),
    ),
    Command(
        "products",
        _PRODUCTS,
        read_products,
        forms=("产品",),
        takes=is_route,
        what="Products and their channels",
        usage=(
            "产品",
            "产品 M1001",
            "产品 alipay_qr + C01",
            "/product alipay_qr - C01",
            "/product M1001 alipay_qr = default",
            "/product alipay_qr off",
            "产品 alipay_qr 名称 支付宝扫码 | Alipay QR",
            "/product alipay_qr archive",
        ),
        answer="the products with their channels, or those that a merchant's orders go by",
    ),
    Command("product", _PRODUCTS, read_products, twin_of="products"),
    Command(
        "product_add",
        {AddProduct: "products", BeginProduct: "products"},
        read_new_product,
        forms=("添加产品",),
        what="Make a product",
        usage=(
            "添加产品",
            "添加产品 alipay_qr 支付宝扫码 | Alipay QR",
            "/product_add",
            "/product_add alipay_qr 支付宝扫码 | Alipay QR",
        ),
        answer="makes the product, switched on; alone: asks step by step, in private",
    ),
    Command(
        "why",
        {AskWhy: "see_channel"},
        read_why,
        forms=("路由",),
        what="Which channels would take an order",
        usage=("路由 M1001 alipay_qr 100", "/why alipay_qr 100", "/why M1001 alipay_qr 100 test"),
        answer="which channels would take such an order now, and why not the others",
    ),
)
