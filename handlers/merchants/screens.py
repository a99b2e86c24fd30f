"""Merchants and their apps on the screen, and the questions of private dialogues about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations
from typing import Any, Final
from uuid import UUID

from aiogram.types import InlineKeyboardMarkup

from core.accounts.onboarding import KeysReady, MerchantAmended, MerchantReviewed
from core.delivery.outbox import Notice
from core.parties.merchants import AppKeys
from handlers.groups.buttons import LinkGroup
from handlers.kit.forms import StepQuestion, step_buttons
from handlers.kit.screen import Screen, View, button, cancel_button, fill, in_rows, keyboard
from handlers.kit.secrets import SHOWN_S
from handlers.kit.vocabulary import WORDS
from handlers.merchants.buttons import (
    MerchantAction,
    OnApp,
    OnMerchant,
    OpenMerchant,
    TakeKeys,
    TurnMerchants,
    TurnProduct,
)

_Keyboard = InlineKeyboardMarkup | None
FIELDS: Final[tuple[MerchantAction, ...]] = (
    "name", "legal_name", "licence_no", "category", "site", "contact",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MerchantLine:
    """What a list shows of a merchant."""

    merchant_id: UUID
    merchant_no: str
    name: str
    state: str
    reviewed: bool


@dataclass(frozen=True, slots=True)
class MerchantsNotice(Notice):
    """A page of the merchants. total: of all pages. words, state: what was looked for."""

    page: int
    pages: int
    total: int
    words: str
    state: str
    lines: tuple[MerchantLine, ...]


@dataclass(frozen=True, slots=True)
class AppLine:
    """What a merchant's card shows of an app. place: from 1, as typed commands name it."""

    app_id: UUID
    place: int
    name: str
    mode: str
    key_id: str
    state: str


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A product of a merchant. state: on | off. tariff: as core writes it; empty while off."""

    code: str
    state: str
    tariff: str


@dataclass(frozen=True, slots=True)
class MerchantNotice(Notice):
    """A merchant in full. cut: '06:00'. contact: empty in a group. balance_minor: what is owed to
    it; negative: prepayment that remains, as far as advanced_minor goes. line_minor: None where
    orders are never stopped. lacking: what its review still needs, by name."""

    merchant_id: UUID
    merchant_no: str
    name: str
    state: str
    currency: str
    zone: str
    cut: str
    legal_name: str
    licence_no: str
    category: str
    site: str
    contact: str
    reviewed: bool
    reviewed_at: datetime | None
    reviewed_by_name: str
    changed: bool
    lacking: tuple[str, ...]
    balance_minor: int
    advanced_minor: int
    line_minor: int | None
    products: tuple[SoldLine, ...]
    apps: tuple[AppLine, ...]
    groups: tuple[str, ...]
    private: bool


@dataclass(frozen=True, slots=True)
class MerchantProducts(Notice):
    """What a merchant may buy, each of which can be switched."""

    merchant_id: UUID
    merchant_no: str
    name: str
    lines: tuple[SoldLine, ...]


@dataclass(frozen=True, slots=True)
class AppNotice(Notice):
    """An app in full, without a secret. used_at: when its key called last; None where it never
    did. old_until: until when the keys before count; None where there are none."""

    app_id: UUID
    merchant_id: UUID
    merchant_no: str
    merchant_name: str
    place: int
    name: str
    mode: str
    key_id: str
    state: str
    created_at: datetime
    used_at: datetime | None
    notify_url: str
    ip_allow: tuple[str, ...]
    calls_per_s: int
    old_until: datetime | None
    zone: str


@dataclass(frozen=True, slots=True)
class PingNotice(Notice):
    """What came of a test ping. status: of the answer; None where there was none, and `why` says
    why not. body: how the answer begins."""

    app_id: UUID
    merchant_no: str
    app_name: str
    url: str
    status: int | None
    heard: bool
    took_ms: int
    why: str
    body: str


@dataclass(frozen=True, slots=True)
class MerchantQuestion(StepQuestion):
    """A question in private. app_name: of the app that it is about."""

    merchant_no: str
    app_name: str = ""


@dataclass(frozen=True, slots=True)
class ProveKeys(Notice):
    """Asks for a code or the completion password, before new keys are made. key_id: empty for a
    new app. shown_s: so long will they stand."""

    merchant_no: str
    merchant_name: str
    app_name: str
    key_id: str
    dialogue_id: str
    shown_s: int


def keys_screen(keys: AppKeys, merchant_no: str, name: str, language: str, zone: str) -> Screen:
    """The new keys. They never enter the outbox, so it is no notice."""
    facts = {
        "merchant_no": merchant_no, "name": name, "key_id": keys.key_id, "secret": keys.secret,
        "notify_secret": keys.notify_secret, "old_until": keys.old_until, "zone": zone,
        "seconds": SHOWN_S,
    }  # fmt: skip
    return Screen(fill("app_keys", facts, language))


def _list_buttons(listed: MerchantsNotice, translate: NullTranslations) -> _Keyboard:
    """Each merchant, the pages before and after, and a new one."""
    numbers = [
        button(line.merchant_no, OnMerchant(line.merchant_id, "open")) for line in listed.lines
    ]
    page, pages = listed.page, listed.pages
    turns = [
        button(arrow, TurnMerchants(to, listed.words, listed.state))
        for arrow, to in (("◀", page - 1), ("▶", page + 1))
        if 1 <= to <= pages
    ]
    opening = button(translate.gettext("➕ Open a merchant"), OpenMerchant())
    return keyboard(*in_rows(numbers, 4), tuple(turns), (opening,))


def _merchant_buttons(shown: MerchantNotice, translate: NullTranslations) -> _Keyboard:
    """What can be done with a merchant now."""
    merchant_id = shown.merchant_id
    apps = [button(f"🔑 #{one.place} {one.name}", OnApp(one.app_id, "open")) for one in shown.apps]
    if shown.state == "archived":
        resume = button(
            translate.gettext("▶️ Resume"), OnMerchant(merchant_id, "resume"), style="success"
        )
        return keyboard((resume,), *in_rows(apps, 2))
    moves = [
        button(translate.gettext("⏸ Suspend"), OnMerchant(merchant_id, "suspend"), style="danger")
        if shown.state == "open"
        else button(
            translate.gettext("▶️ Resume"), OnMerchant(merchant_id, "resume"), style="success"
        )
    ]
    if shown.state == "suspended":
        moves.append(
            button(
                translate.gettext("🗄 Archive"), OnMerchant(merchant_id, "archive"), style="danger"
            )
        )
    if not shown.lacking and (not shown.reviewed or shown.changed):
        moves.append(
            button(translate.gettext("📋 Ask for the review"), OnMerchant(merchant_id, "review"))
        )
    new = [button(translate.gettext("➕ Test app"), OnMerchant(merchant_id, "test"))]
    if shown.reviewed:
        new.append(button(translate.gettext("➕ Live app"), OnMerchant(merchant_id, "live")))
    products = button(
        translate.gettext("📦 Products and rates"), OnMerchant(merchant_id, "products")
    )
    words = WORDS["merchant_field"]
    fields = [
        button(
            f"✏️ {translate.pgettext('merchant_field', words[name])}", OnMerchant(merchant_id, name)
        )
        for name in FIELDS
    ]
    link = button(translate.gettext("🔗 A group"), LinkGroup(shown.merchant_no))
    return keyboard(
        tuple(moves), *in_rows(apps, 2), tuple(new), (products, link), *in_rows(fields, 3)
    )


def _products_buttons(shown: MerchantProducts, _: NullTranslations) -> _Keyboard:
    """Each product that was opened to it, switched by a press."""
    turns = [
        button(
            f"{'🟢' if line.state == 'on' else '⚪'} {line.code}",
            TurnProduct(shown.merchant_id, line.code, "off" if line.state == "on" else "on"),
        )
        for line in shown.lines
    ]
    back = button(f"◀ {shown.merchant_no}", OnMerchant(shown.merchant_id, "open"))
    return keyboard(*in_rows(turns, 2), (back,))


def _app_buttons(shown: AppNotice, translate: NullTranslations) -> _Keyboard:
    """What can be done with an app now."""
    app_id = shown.app_id
    back = button(f"◀ {shown.merchant_no}", OnMerchant(shown.merchant_id, "open"))
    if shown.state != "open":
        return keyboard((back,))
    rotate = button(translate.gettext("🔁 New keys"), OnApp(app_id, "rotate"), style="danger")
    end = button(
        translate.gettext("⏹ End the old keys now"), OnApp(app_id, "end_old"), style="danger"
    )
    url = button(translate.gettext("✏️ Notify URL"), OnApp(app_id, "notify_url"))
    ping = button(translate.gettext("📡 Test ping"), OnApp(app_id, "ping"))
    ip = button(translate.gettext("✏️ IP list"), OnApp(app_id, "ip"))
    limit = button(translate.gettext("✏️ Calls per second"), OnApp(app_id, "limit"))
    revoke = button(translate.gettext("🗑 Revoke"), OnApp(app_id, "revoke"), style="danger")
    return keyboard(
        (rotate,),
        (end,) if shown.old_until is not None else (),
        (url, ping) if shown.notify_url else (url,),
        (ip, limit),
        (revoke, back),
    )


def _ping_buttons(shown: PingNotice, translate: NullTranslations) -> _Keyboard:
    again = button(translate.gettext("📡 Test ping"), OnApp(shown.app_id, "ping"))
    back = button(f"◀ {shown.app_name}", OnApp(shown.app_id, "open"))
    return keyboard((again, back))


def _prove_buttons(asked: ProveKeys, translate: NullTranslations) -> _Keyboard:
    return keyboard((cancel_button(asked.dialogue_id, translate),))


def _ready_buttons(told: KeysReady, translate: NullTranslations) -> _Keyboard:
    take = button(translate.gettext("🔑 Show the new keys"), TakeKeys(told.approval_id))
    return keyboard((take,))


VIEWS: Final[tuple[View[Any], ...]] = (
    View(MerchantAmended),
    View(MerchantReviewed),
    View(KeysReady, buttons=_ready_buttons),
    View(MerchantsNotice, buttons=_list_buttons),
    View(MerchantNotice, buttons=_merchant_buttons),
    View(MerchantProducts, buttons=_products_buttons),
    View(AppNotice, buttons=_app_buttons),
    View(PingNotice, buttons=_ping_buttons),
    View(MerchantQuestion, buttons=step_buttons),
    View(ProveKeys, buttons=_prove_buttons),
)
