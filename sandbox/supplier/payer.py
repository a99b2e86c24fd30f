"""The page a payer sees: the order, what to do with it, and how it went. Works without scripts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlencode

import jinja2
from aiohttp import web

from sandbox.process import is_loopback_host
from sandbox.supplier.callbacks import Courier
from sandbox.supplier.config import Config
from sandbox.supplier.money import yuan
from sandbox.supplier.orders import DEFAULT_DELAY_S, Orders, Outcome, PayRefused
from sandbox.supplier.refunds import Refunds
from sandbox.supplier.rows import Order
from sandbox.supplier.texts import choose_language, method_name

MAX_LISTED = 20
BEIJING = timezone(timedelta(hours=8))
HERE = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€"}
REHEARSALS = (
    Outcome.LESS,
    Outcome.MORE,
    Outcome.TWICE,
    Outcome.FAIL,
    Outcome.DELAY,
    Outcome.LOSE_CALLBACK,
)


class PayerPage:
    """`GET /pay/{trade_no}` shows the order or its result; a POST with `outcome` pays it.

    `GET /` lists the newest payments, on this machine only: their numbers lead to their pages.
    """

    def __init__(self, config: Config, orders: Orders, refunds: Refunds, courier: Courier) -> None:
        self._config = config
        self._orders = orders
        self._refunds = refunds
        self._courier = courier
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/", self._list),
            web.get("/pay/{trade_no}", self._show),
            web.post("/pay/{trade_no}", self._pay),
            web.static("/static", HERE / "static"),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        if not _is_here(request):
            return self._page(request, None)
        texts = _texts(request)
        values: dict[str, object] = {
            "t": texts,
            "institutions": sorted({a.institution for a in self._config.accounts.values()}),
            "payments": [
                {
                    "trade_no": order.trade_no,
                    "subject": order.subject,
                    "amount": self._money(order.amount_fen),
                    "status": order.status,
                    "at": _clock(order.created_at),
                }
                for order in self._orders.listed()[:MAX_LISTED]
            ],
            "lang_query": _lang_query(texts),
        }
        return self._rendered(request, "list.html", values, status=200)

    async def _show(self, request: web.Request) -> web.Response:
        return self._page(request, self._orders.find(request.match_info["trade_no"]))

    async def _pay(self, request: web.Request) -> web.Response:
        order = self._orders.find(request.match_info["trade_no"])
        form = await request.post()
        try:
            outcome = Outcome(str(form.get("outcome")))
        except ValueError:
            raise web.HTTPBadRequest(text="unknown outcome") from None
        if order is None:
            return self._page(request, None)
        try:
            self._orders.pay(order, outcome)
        except PayRefused:
            # Pressed twice, or too late: the page below says what the order is now.
            return self._page(request, self._orders.find(order.trade_no), status=409)
        self._courier.wake()
        asked = request.query.get("lang")
        query = "?" + urlencode({"lang": asked}) if asked else ""
        raise web.HTTPSeeOther(f"/pay/{order.trade_no}{query}")

    def refused(self, request: web.Request, message: str) -> web.Response:
        """What a payer sees whose order the supplier refuses to open."""
        values: dict[str, object] = {"t": _texts(request), "message": message}
        return self._rendered(request, "refused.html", values, status=400)

    def _page(
        self, request: web.Request, order: Order | None, *, status: int = 200
    ) -> web.Response:
        texts = _texts(request)
        values: dict[str, object] = {"t": texts, "order": order}
        name, status = "not_found.html", status if order else 404
        if order is not None:
            account = self._config.accounts.get(order.mch_id)
            name = "pay.html" if order.status == "WAIT" else "result.html"
            values |= {
                "institution": account.institution if account else "",
                "payee": order.merchant_name or (account.name if account else order.mch_id),
                "method": method_name(order.pay_type, texts),
                "amount": self._money(order.amount_fen),
                "paid_amount": self._money(order.paid_fen),
                "valid_until": _clock(order.expires_at),
                "paid_at": _clock(order.paid_at),
                "outcome": order.outcome if order.status != "CLOSED" else "closed",
                "rehearsals": [str(outcome) for outcome in REHEARSALS],
                "delay_s": f"{DEFAULT_DELAY_S:g}",
                "refunds": [
                    (self._money(refund.amount_fen), refund.status)
                    for refund in self._refunds.listed(order.trade_no)
                ],
                "lang_query": _lang_query(texts),
            }
        return self._rendered(request, name, values, status=status)

    def _rendered(
        self, request: web.Request, name: str, values: dict[str, object], *, status: int
    ) -> web.Response:
        # The neighbours' addresses hold tokens: no other name of this machine is told them.
        pages = dict(self._config.pages) if _is_here(request) else {}
        if name == "list.html":
            pages.pop("supplier", None)
        html = self._templates.get_template(name).render(values, pages=pages)
        return web.Response(text=html, content_type="text/html", status=status, headers=HEADERS)

    def _money(self, fen: int) -> str:
        currency = self._config.currency
        return f"{SYMBOLS.get(currency, currency + ' ')}{yuan(fen)}"


def _is_here(request: web.Request) -> bool:
    return is_loopback_host(request.headers.get("Host", ""))


def _lang_query(texts: dict[str, str]) -> str:
    return f"?lang={texts['html_lang'][:2]}"


def _texts(request: web.Request) -> dict[str, str]:
    accepted = request.headers.get("Accept-Language", "")
    return choose_language(request.query.get("lang", ""), accepted)


def _clock(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
