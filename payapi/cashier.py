"""The cashier: the page on which a payer pays one order. It works without scripts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import segno
from aiohttp import web
from markupsafe import Markup

from core.connectors import Connector, Pay, opens_app
from core.delivery.outbox import News
from core.kernel.errors import Refusal
from core.kernel.ids import read_number
from core.parties.merchants import Merchant
from core.runtime import Runtime
from core.trade.orders import Order, ShownOrder
from payapi.pages import language, page, static
from payapi.requests import RUNTIME

_QUIET_ZONE: Final = 2
_PAID: Final = ("paid", "late")
_NEWS_OF_MONEY: Final[tuple[News, ...]] = ("order.paid", "order.paid_late")
_WEB: Final = ("http", "https")
_NO_STORE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class _Standing:
    """One order as its payer may see it.

    state: how it stands, `Order.standing`. told: how news of its payment stands at the shop, as
    `Notifications.state_of` says it; `none` as well while nothing is paid.
    """

    shown: ShownOrder
    merchant: Merchant
    state: str
    told: str

    @property
    def order(self) -> Order:
        return self.shown.order


@dataclass(frozen=True, slots=True)
class _Form:
    """What the payer's browser posts to the supplier. hosts: where the document lets payers be
    sent; none means anywhere."""

    action: str
    fields: dict[str, str]
    hosts: tuple[str, ...]

    @property
    def posts_to(self) -> str:
        """Where it may lead, as a browser is told: also where the supplier leads on from there."""
        parts = urlsplit(self.action)
        others = [f"https://{host}" for host in self.hosts] or ["https:"]
        return " ".join([f"{parts.scheme}://{parts.netloc}", *others])


async def show(request: web.Request) -> web.StreamResponse:
    """The page of one order; its number is the secret that leads here."""
    runtime = request.app[RUNTIME]
    standing = await _find(runtime, request.match_info["order_no"])
    order, shown = standing.order, standing.shown
    pay = shown.pay if standing.state == "pending" else None
    products = (await runtime.supply.market.now()).products
    product = products.get(order.terms.product_code) if order.terms else None
    lang = language(request)
    name = (product.name_zh if lang == "zh" else product.name_en) if product else ""
    now = runtime.system.clock.now()
    connector = await _connector(runtime, shown) if pay else None
    form = _form(pay, connector)
    link = _link(pay, connector)
    facts: dict[str, Any] = {
        "order": order,
        "merchant": standing.merchant,
        "state": standing.state,
        "told": standing.told,
        "product": name,
        "link": link,
        "in_app": bool(link) and not _is_web(link),
        "qr": _qr(pay),
        "form": form,
        "pay": pay,
        "demo": runtime.system.demo or order.mode == "test",
        "left_s": max(0, int((order.expires_at - now).total_seconds())),
        "zone": standing.merchant.day_cut.zone,
        "other_lang": "en" if lang == "zh" else "zh",
    }
    return page(request, "cashier.html", facts, posts_to=form.posts_to if form else "'none'")


async def status(request: web.Request) -> web.StreamResponse:
    """{"state", "told"} for the page's script, which looks again when one of them is another."""
    standing = await _find(request.app[RUNTIME], request.match_info["order_no"])
    facts = {"state": standing.state, "told": standing.told}
    return web.json_response(facts, headers=_NO_STORE)


def refuse(request: web.Request, refusal: Refusal) -> web.StreamResponse:
    """A page in the cashier's style that says what is wrong, without details."""
    if refusal.kind.type in ("not_found", "invalid_request"):
        found = "page_not_found" if refusal.code != "method_not_allowed" else refusal.code
        code = 405 if found == "method_not_allowed" else 404
    else:
        code = 503 if refusal.code == "unavailable" else 500
    lang = language(request)
    facts = {"code": code, "other_lang": "en" if lang == "zh" else "zh"}
    return page(request, "sorry.html", facts, status=code)


async def _find(runtime: Runtime, order_no: str) -> _Standing:
    """Refusals: order_not_found."""
    not_found, facts = Refusal("order_not_found", number=order_no[:40]), read_number(order_no)
    if facts is None or facts.what != "order":
        raise not_found
    merchant = (await runtime.supply.market.now()).merchant_by_tag(facts.merchant_tag)
    if merchant is None:
        raise not_found
    shown = await runtime.trade.shown.find(merchant.id, order_no, facts)
    if shown is None:
        raise not_found
    state = _state(runtime, shown.order)
    return _Standing(shown, merchant, state, await _told(runtime, shown.order, state))


def _state(runtime: Runtime, order: Order) -> str:
    if order.state in ("created", "pending") and order.expires_at <= runtime.system.clock.now():
        return "expired"  # a moment before the timetable says so
    return order.standing


async def _told(runtime: Runtime, order: Order, state: str) -> str:
    if state not in _PAID:
        return "none"
    return await runtime.trade.notifications.state_of(order.merchant_id, order.id, _NEWS_OF_MONEY)


async def _connector(runtime: Runtime, shown: ShownOrder) -> Connector | None:
    """What read how the order is paid."""
    document_id = shown.document_id
    return await runtime.supply.market.connector(document_id) if document_id else None


def _link(pay: Pay | None, connector: Connector | None) -> str:
    """The supplier's address, where it is one a browser may follow or opens an app that the
    document names."""
    if pay is None or connector is None or pay.kind != "url":
        return ""
    followed = _is_web(pay.value) or opens_app(pay.value, connector.apps)
    return pay.value if followed else ""


def _is_web(address: str) -> bool:
    """Whether a browser follows it. What stands behind an app's scheme need not be a URL."""
    return address.partition(":")[0].lower() in _WEB


def _form(pay: Pay | None, connector: Connector | None) -> _Form | None:
    if pay is None or connector is None or pay.kind != "form":
        return None
    form = json.loads(pay.value)
    return _Form(form["action"], form["fields"], connector.hosts)


def _qr(pay: Pay | None) -> Markup | None:
    if pay is None or pay.kind != "qr":
        return None
    try:
        code = segno.make(pay.value, error="m", micro=False)
    except segno.DataOverflowError:
        return None
    svg = code.svg_inline(border=_QUIET_ZONE, omitsize=True, svgclass="qr-code", lineclass=None)
    # Drawn by the library from modules alone: nothing of the supplier's text is in it.
    return Markup(svg)  # noqa: S704


ROUTES: Final[list[web.RouteDef]] = [
    web.get("/{order_no}", show),
    web.get("/{order_no}/status", status, allow_head=False),
    web.get("/static/{name}", static),
]
