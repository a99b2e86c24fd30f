"""Channels and products on the screen; and an order's calls to suppliers as a text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations
from typing import Any, Final

from aiogram.types import InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.kernel.tariff import format_tariff
from core.parties.suppliers import Call
from core.reports.exports import CallLog
from core.supply.notices import (
    ChannelAdded,
    ChannelChanged,
    ChannelDropped,
    ChannelQuestionNotice,
    ChannelSetNotice,
    ChannelTurned,
    ChannelWaits,
    ProductAdded,
    ProductNamed,
    ProductTurned,
)
from handlers.channels.buttons import Action, AnswerChannel, MakeProduct, OnChannel, TurnChannels
from handlers.kit.forms import StepQuestion, step_buttons
from handlers.kit.screen import View, button, keyboard
from handlers.kit.vocabulary import word
from handlers.kit.whys import why_words
from texts import instant, translator

_IN_A_ROW: Final = 4
_RULE: Final = "─" * 40
# What can be done with a channel, by its state.
_MOVES: Final[dict[str, tuple[Action, ...]]] = {
    "on": ("off", "archive"),
    "off": ("on", "archive"),
    "archived": ("restore",),
}


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """What a list shows of a channel. pause: empty | until (it rests) | trying (the next order
    tries it). paused_until: shown by the clock of its supplier's zone. sold: codes of products."""

    channel_no: str
    name: str
    supplier_no: str
    supplier_state: str
    state: str
    pause: str
    paused_until: datetime | None
    zone: str
    currency: str
    amount_list: tuple[int, ...]
    amount_min: int | None
    amount_max: int | None
    hours: str
    day_limit_minor: int | None
    day_limit_count: int | None
    used_minor: int
    used_count: int
    weight: int
    priority: int
    sold: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChannelsNotice(Notice):
    """A page of the channels: of one supplier, of one product, or those archived. count: of all
    pages. archived_count: of those that are left out or shown alone."""

    page: int
    pages: int
    count: int
    archived: bool
    archived_count: int
    supplier_no: str
    product_code: str
    lines: tuple[ChannelLine, ...]


@dataclass(frozen=True, slots=True)
class ChannelNotice(Notice):
    """A channel in full. cost: as a person writes a tariff. same: somebody wanted it as it is
    already. may_change: whoever sees it may change it."""

    channel: ChannelLine
    supplier_name: str
    supplier_code: str
    cost: str
    paused_why: str
    same: bool
    may_change: bool


@dataclass(frozen=True, slots=True)
class Seller:
    """A channel of a product, by its number."""

    no: str
    on: bool


@dataclass(frozen=True, slots=True)
class ProductLine:
    """A product. own: the merchant has channels of its own for it. not_open: to the merchant."""

    code: str
    name_zh: str
    name_en: str
    state: str
    own: bool
    not_open: bool
    channels: tuple[Seller, ...]


@dataclass(frozen=True, slots=True)
class ProductsNotice(Notice):
    """What is sold over which channels: to everybody, or to one merchant. same: somebody wanted it
    as it is already. archived: those that are, alone. archived_count: of those that are left out
    or shown alone. may_make: whoever asked may make products, and in this chat."""

    merchant_no: str
    merchant_name: str
    same: bool
    lines: tuple[ProductLine, ...]
    archived: bool = False
    archived_count: int = 0
    may_make: bool = False


@dataclass(frozen=True, slots=True)
class ProductQuestion(StepQuestion):
    """A question of what a new product is. code: as far as it was told."""

    code: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """A channel that would take an order. share: of the orders, in percent, among channels of the
    same priority; alone: it is the only one of them."""

    channel_no: str
    name: str
    supplier_no: str
    priority: int
    share: int
    alone: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A channel that would not, and why: as in `core.supply.channels.Reason`."""

    channel_no: str
    name: str
    code: str
    facts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Why(Notice):
    """Which channels would take an order of so much, and why the others would not. own, not_open:
    as in `ProductLine`."""

    product_code: str
    product_off: bool
    merchant_no: str
    merchant_name: str
    own: bool
    not_open: bool
    mode: str
    minor: int
    currency: str
    ranked: tuple[Ranked, ...]
    lines: tuple[LeftOut, ...]


def _list_buttons(listed: ChannelsNotice, _: NullTranslations) -> InlineKeyboardMarkup | None:
    """A button for each channel, and the pages before and after."""
    opens = [button(line.channel_no, OnChannel(line.channel_no, "open")) for line in listed.lines]
    whose = (listed.supplier_no or None, listed.product_code or None, listed.archived)
    turns = [
        button(arrow, TurnChannels(to, *whose))
        for arrow, to in (("◀", listed.page - 1), ("▶", listed.page + 1))
        if 1 <= to <= listed.pages
    ]
    rows = [tuple(opens[i : i + _IN_A_ROW]) for i in range(0, len(opens), _IN_A_ROW)]
    return keyboard(*rows, tuple(turns))


def _channel_buttons(
    shown: ChannelNotice, translate: NullTranslations
) -> InlineKeyboardMarkup | None:
    """What whoever asked may do with the channel now."""
    if not shown.may_change:
        return None
    labels = {
        "on": translate.gettext("▶️ Switch on"),
        "off": translate.gettext("⏹ Switch off"),
        "resume": translate.gettext("⏩ Resume now"),
        "archive": translate.gettext("🗄 Archive"),
        "restore": translate.gettext("♻️ Restore"),
    }
    channel = shown.channel
    moves = _MOVES[channel.state]
    if channel.pause:
        moves = ("resume", *moves)
    return keyboard(
        tuple(button(labels[move], OnChannel(channel.channel_no, move)) for move in moves)
    )


def _product_buttons(
    shown: ProductsNotice, translate: NullTranslations
) -> InlineKeyboardMarkup | None:
    """To make another one."""
    make = button(translate.gettext("➕ New product"), MakeProduct())
    return keyboard((make,) if shown.may_make else ())


def _question_buttons(
    asked: ChannelQuestionNotice, translate: NullTranslations
) -> InlineKeyboardMarkup | None:
    """Whether to add the channel."""
    yes, no = (AnswerChannel(asked.approval_id, answer) for answer in (True, False))
    return keyboard(
        (
            button(translate.gettext("✅ Add it"), yes, style="success"),
            button(translate.pgettext("desk", "Cancel"), no),
        )
    )


def _cost(said: ChannelQuestionNotice | ChannelWaits | ChannelAdded, _: str) -> dict[str, str]:
    return {"cost": format_tariff(said.new.cost, said.new.currency)}


VIEWS: Final[tuple[View[Any], ...]] = (
    View(ChannelNotice, buttons=_channel_buttons),
    View(ChannelsNotice, buttons=_list_buttons),
    View(ChannelQuestionNotice, buttons=_question_buttons, adds=_cost),
    View(ChannelWaits, adds=_cost),
    View(ChannelAdded, adds=_cost),
    View(ChannelDropped),
    View(ChannelChanged),
    View(ChannelTurned),
    View(ChannelSetNotice),
    View(ProductTurned),
    View(ProductAdded),
    View(ProductNamed),
    View(ProductQuestion, buttons=step_buttons),
    View(ProductsNotice, buttons=_product_buttons, shortens="lines"),
    View(Why, shortens="lines"),
)


def call_log(log: CallLog, language: str) -> str:
    """Every call about an order, in full, as plain text."""
    named = translator(language).pgettext
    title = f"{named('desk', 'Order')} {log.order_no} · {log.zone}"
    return "\n\n".join([title, *(_call(call, log.zone, language) for call in log.calls)]) + "\n"


def _call(call: Call, zone: str, language: str) -> str:
    named = translator(language).pgettext
    outcome = word("outcome", call.outcome, language)
    status = f" · HTTP {call.status}" if call.status is not None else ""
    operation = word("operation", call.operation, language)
    took = translator(language).gettext("%(took)s ms") % {"took": call.took_ms}
    head = [
        _RULE,
        f"{instant(call.at, zone)} · {operation} · {took} · {outcome}{status}",
        f"{named('desk', 'Attempt')} {call.attempt_no}",
    ]
    if call.why:
        head.append(why_words(call.why, language))
    parts = (
        (named("desk", "Request"), f"{call.method} {call.url}", call.request_headers,
         call.request_body),
        (named("desk", "Signed string"), call.signed),
        (named("desk", "Answer"), call.answer_headers, call.answer_body),
    )  # fmt: skip
    for label, *texts in parts:
        said = "\n".join(text for text in texts if text)
        if said:
            head += ["", f"[{label}]", said]
    return "\n".join(head)
