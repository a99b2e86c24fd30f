"""The first page of a desk: what answers here, where it is described, and what is around a demo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from payapi.pages import language, page
from payapi.requests import RUNTIME

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Keys:
    """What a merchant's engineer needs to try a demo's API."""

    merchant_no: str
    name: str
    key_id: str
    secret: str
    notify_secret: str
    products: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What is around a demo desk. All but the keys are addresses of pages.

    cashier: the page of an order that is there to be paid. ready, metrics: of the admin listener.
    """

    chat: str
    shop: str
    supplier: str
    cashier: str
    ready: str
    metrics: str
    keys: tuple[Keys, ...]


NEIGHBOURS: Final = web.AppKey("neighbours", Neighbours)


async def show(request: web.Request) -> web.StreamResponse:
    """The page. A demo's addresses hold tokens: they are shown to its own machine's name only."""
    runtime = request.app[RUNTIME]
    lang = language(request)
    facts: dict[str, Any] = {
        "url": runtime.system.public_url,
        "demo": runtime.system.demo,
        "neighbours": request.app.get(NEIGHBOURS) if _is_here(request) else None,
        "other_lang": "en" if lang == "zh" else "zh",
    }
    return page(request, "home.html", facts)


def _is_here(request: web.Request) -> bool:
    """Whether the browser was led here by a name of this machine, not by one that somebody else
    pointed at it."""
    try:
        return urlsplit(f"//{request.host}").hostname in _LOOPBACK
    except ValueError:
        return False
