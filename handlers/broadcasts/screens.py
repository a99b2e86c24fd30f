"""A broadcast on the screen: its card, the list of all, and whom it is for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations
from typing import Any, Final
from uuid import UUID

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.people.broadcasts import BroadcastView, Counts
from handlers.broadcasts.buttons import (
    AimAtSegment,
    BroadcastAction,
    OnBroadcast,
    PickTarget,
    TurnBroadcasts,
    TurnResults,
    TurnTargets,
)
from handlers.groups.buttons import mark_of
from handlers.kit.forms import StepQuestion, step_buttons
from handlers.kit.screen import BAR_BLOCKS, Screen, View, button, clip, fill, in_rows, keyboard
from texts import translator

MAX_SEGMENTS_SHOWN: Final = 12
_TITLE_CHARS: Final = 24
_Keyboard = InlineKeyboardMarkup | None


@dataclass(frozen=True, slots=True)
class BroadcastLine:
    """A broadcast in the list. no: as in B12. words: what it says, in short."""

    id: UUID
    no: int
    state: str
    task: str
    words: str
    sent: int
    failed: int
    total: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class BroadcastsNotice(Notice):
    """A page of all broadcasts. zone: of its times."""

    page: int
    pages: int
    total: int
    lines: tuple[BroadcastLine, ...]
    zone: str


@dataclass(frozen=True, slots=True)
class TargetLine:
    """A chat that may be picked. no: as in G3."""

    no: int
    title: str
    picked: bool


@dataclass(frozen=True, slots=True)
class BroadcastTargets(Notice):
    """Which chats a broadcast is for. picked: how many are. segments: that it may be for
    instead."""

    broadcast_id: UUID
    no: int
    search: str
    page: int
    pages: int
    picked: int
    lines: tuple[TargetLine, ...]
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResultLine:
    """What became of a broadcast in a chat; see `core.people.broadcasts.Result`."""

    no: int
    title: str
    state: str
    fault: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class BroadcastResults(Notice):
    """What became of it in each chat, a page of that. total: chats. zone: of its times."""

    broadcast_id: UUID
    no: int
    page: int
    pages: int
    total: int
    lines: tuple[ResultLine, ...]
    zone: str


@dataclass(frozen=True, slots=True)
class BroadcastResultFile(Notice):
    """Likewise, what stands under the file with all of them."""

    no: int
    total: int


@dataclass(frozen=True, slots=True)
class BroadcastWithdrawal(Notice):
    """Whether a broadcast is taken back; or it is being taken back (sure). chats: in which it
    stands."""

    broadcast_id: UUID
    no: int
    chats: int
    sure: bool = False


@dataclass(frozen=True, slots=True)
class BroadcastQuestion(StepQuestion):
    """When a broadcast is sent, or which chats are looked for; the step says which."""

    no: int
    zone: str = ""


def render_broadcast(view: BroadcastView, zone: str, language: str) -> Screen:
    """The card as it stands. zone: of its times."""
    counts = view.counts
    facts = {
        "broadcast": view.broadcast,
        "plan": view.plan,
        "counts": counts,
        "next_at": view.next_at,
        "failures": view.failures,
        "bar": progress_bar(counts),
        "percent": _percent(counts),
        "zone": zone,
    }
    buttons = _card_buttons(view, translator(language))
    return Screen(fill("broadcast", facts, language), keyboard=buttons)


def progress_bar(counts: Counts) -> str:
    """How much of it is done, in ten blocks."""
    full = _percent(counts) * BAR_BLOCKS // 100
    return "🟩" * full + "⬜" * (BAR_BLOCKS - full)


def _percent(counts: Counts) -> int:
    return (counts.total - counts.left) * 100 // counts.total if counts.total else 0


def _card_buttons(view: BroadcastView, translate: NullTranslations) -> _Keyboard:
    broadcast, counts = view.broadcast, view.counts

    def to(text: str, action: BroadcastAction, style: str | None = None) -> InlineKeyboardButton:
        return button(text, OnBroadcast(broadcast.id, action), style=style)

    results = to(translate.gettext("📋 Result per chat"), "results")
    match broadcast.state:
        case "draft":
            pin = (
                to(translate.gettext("📌 Do not pin"), "unpin")
                if broadcast.pin
                else to(translate.gettext("📌 Pin it"), "pin")
            )
            when = (
                to(translate.gettext("⏰ At a time"), "time")
                if broadcast.starts_at is None
                else to(translate.gettext("⏱ At once"), "now")
            )
            whom = (
                to(translate.pgettext("broadcast", "All"), "all"),
                to(translate.gettext("Merchants"), "merchants"),
                to(translate.gettext("Suppliers"), "suppliers"),
                to(translate.gettext("Pick…"), "pick"),
            )
            send = translate.gettext("📣 Send to %(count)s") % {
                "count": view.plan.total if view.plan else 0
            }
            last = (to(send, "send", "danger"), to(translate.gettext("Do not send"), "drop"))
            test = to(translate.gettext("👤 Test: to me alone"), "test")
            return keyboard(whom, (pin, when), (test,), last)
        case "running":
            return keyboard((to(translate.gettext("⏹ Stop"), "stop", "danger"), results))
        case "stopped" | "done":
            retry = counts.failed + counts.stopped
            again = translate.gettext("🔁 Retry %(count)s") % {"count": retry}
            back = to(translate.gettext("🗑 Take it back"), "withdraw", "danger")
            first = (to(again, "retry"),) if retry else ()
            return keyboard((*first, results), (back,) if counts.sent else ())
        case _:
            return None


def _list_buttons(listed: BroadcastsNotice, _: NullTranslations) -> _Keyboard:
    """Each of them, and the pages before and after."""
    each = [button(f"B{line.no}", OnBroadcast(line.id, "open")) for line in listed.lines]
    turns = [
        button(arrow, TurnBroadcasts(to))
        for arrow, to in (("◀", listed.page - 1), ("▶", listed.page + 1))
        if 1 <= to <= listed.pages
    ]
    return keyboard(*in_rows(each, 4), tuple(turns))


def _result_buttons(shown: BroadcastResults, translate: NullTranslations) -> _Keyboard:
    """The pages before and after, and all as a file."""
    turns = [
        button(arrow, TurnResults(shown.broadcast_id, to))
        for arrow, to in (("◀", shown.page - 1), ("▶", shown.page + 1))
        if 1 <= to <= shown.pages
    ]
    whole = button(translate.gettext("📄 As a file"), OnBroadcast(shown.broadcast_id, "file"))
    return keyboard(tuple(turns), (whole,))


def _target_buttons(shown: BroadcastTargets, translate: NullTranslations) -> _Keyboard:
    """Each chat, picked or not; the pages; segments; and a search."""
    each = [
        button(
            f"{'✅' if line.picked else '⬜'} {clip(line.title or f'G{line.no}', _TITLE_CHARS)}",
            PickTarget(shown.broadcast_id, line.no, shown.page, shown.search),
        )
        for line in shown.lines
    ]
    turns = [
        button(arrow, TurnTargets(shown.broadcast_id, to, shown.search))
        for arrow, to in (("◀", shown.page - 1), ("▶", shown.page + 1))
        if 1 <= to <= shown.pages
    ]
    segments = [
        button(f"🏷 {clip(name, _TITLE_CHARS)}", AimAtSegment(shown.broadcast_id, mark_of(name)))
        for name in shown.segments[:MAX_SEGMENTS_SHOWN]
    ]
    search = button(translate.gettext("🔎 Search"), OnBroadcast(shown.broadcast_id, "search"))
    every = button(translate.gettext("Show all"), TurnTargets(shown.broadcast_id, 1))
    last = (search, every) if shown.search else (search,)
    return keyboard(*in_rows(each, 2), tuple(turns), *in_rows(segments, 3), last)


def _sure_buttons(asked: BroadcastWithdrawal, translate: NullTranslations) -> _Keyboard:
    if asked.sure:
        return None
    sure = OnBroadcast(asked.broadcast_id, "sure")
    return keyboard((button(translate.gettext("🗑 Take it back"), sure, style="danger"),))


VIEWS: Final[tuple[View[Any], ...]] = (
    View(BroadcastsNotice, buttons=_list_buttons),
    View(BroadcastTargets, buttons=_target_buttons),
    View(BroadcastResults, buttons=_result_buttons),
    View(BroadcastResultFile),
    View(BroadcastWithdrawal, buttons=_sure_buttons),
    View(BroadcastQuestion, buttons=step_buttons),
)
