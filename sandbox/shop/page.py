"""The shop's pages: sell, watch the call and the notifications; and where a payer comes back to."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlencode

import jinja2
from aiohttp import web

from sandbox.shop.config import Config, Merchant
from sandbox.shop.seller import Seller
from sandbox.shop.store import Order, Store
from sandbox.shop.texts import choose_language

HERE = Path(__file__).parent
BEIJING = timezone(timedelta(hours=8))
MAX_SUBJECT_CHARS = 100
DEFAULT_AMOUNT = "128.00"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # The address of the page holds its token: it must not travel to the cashier.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
PAID_TYPES = ("order.paid", "order.paid_late", "order.completed")
DISPUTED = "order.disputed"  # it was marked paid by mistake

_AMOUNT = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,2}))?")


class ShopPage:
    """`private_routes` exist behind the page's token, `public_routes` for payers."""

    def __init__(self, config: Config, store: Store, seller: Seller) -> None:
        self._config = config
        self._store = store
        self._seller = seller
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"yuan": _yuan, "clock": _clock}

    def private_routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._show),
            web.post("/orders", self._create),
            web.get("/timeline", self._timeline),
        ]

    def public_routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/return/{merchant_no}/{merchant_order_no}", self._come_back),
            web.static("/static", HERE / "static"),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        asked = request.query.get("order", "")
        orders = self._store.orders()
        order = self._store.order(asked) if asked else (orders[0] if orders else None)
        chosen = request.query.get("merchant") or (order.merchant_no if order else "")
        return self._shop(request, self._merchant(chosen), order)

    async def _create(self, request: web.Request) -> web.Response:
        form = {name: str(value).strip() for name, value in (await request.post()).items()}
        merchant = self._merchant(form.get("merchant", ""))
        texts = _texts(request)
        amount_minor = _read_amount(form.get("amount", ""))
        subject = form.get("subject", "")
        products = {product.code: product for product in merchant.products}
        product = products.get(form.get("product", ""), merchant.products[0])
        if not amount_minor:
            return self._shop(request, merchant, None, error=texts["bad_amount"], form=form)
        if not 1 <= len(subject) <= MAX_SUBJECT_CHARS:
            return self._shop(request, merchant, None, error=texts["bad_subject"], form=form)
        order = await self._seller.create(
            merchant,
            product,
            amount_minor,
            subject,
            own_base=f"http://{request.host}",
            client_ip=request.remote or "127.0.0.1",
        )
        query = {"order": order.merchant_order_no, **_lang(request)}
        raise web.HTTPSeeOther(f"/{self._config.page_token}/?{urlencode(query)}#order")

    async def _timeline(self, request: web.Request) -> web.Response:
        """The part of the page that changes by itself."""
        values = {"order": self._store.order(request.query.get("order", "")), **self._live(request)}
        return self._html("timeline.html", values)

    async def _come_back(self, request: web.Request) -> web.Response:
        order = self._store.order(request.match_info["merchant_order_no"])
        if order is None or order.merchant_no != request.match_info["merchant_no"]:
            return web.Response(status=404)
        values = {
            "t": _texts(request),
            "order": order,
            "paid": self._state(order) == "paid",
            "merchant": self._merchant(order.merchant_no),
            "shop": f"/{self._config.page_token}/?{urlencode({'order': order.merchant_order_no})}",
        }
        return self._html("return.html", values)

    def _shop(
        self,
        request: web.Request,
        merchant: Merchant,
        order: Order | None,
        *,
        error: str = "",
        form: dict[str, str] | None = None,
    ) -> web.Response:
        texts = _texts(request)
        values = {
            "merchants": list(self._config.merchants.values()),
            "merchant": merchant,
            "order": order,
            "orders": self._store.orders()[:8],
            "error": error,
            "form": {"amount": DEFAULT_AMOUNT, "subject": texts["subject_value"], **(form or {})},
            "home": f"/{self._config.page_token}/",
            "tail": urlencode(_lang(request)),
            **self._live(request),
        }
        return self._html("shop.html", values, status=400 if error else 200)

    def _live(self, request: web.Request) -> dict[str, object]:
        return {
            "t": _texts(request),
            "notifications": self._store.notifications(),
            "state": self._state,
        }

    def _state(self, order: Order) -> str:
        """sent, refused, accepted, paid or ended: as far as the shop may believe."""
        told = self._store.told(order.merchant_order_no)
        money = [kind for kind in told if kind in PAID_TYPES or kind == DISPUTED]
        if money and money[-1] != DISPUTED:
            return "paid"
        if any(kind.startswith("order.") for kind in told):
            return "ended"
        if order.status is None:
            return "sent"
        return "accepted" if order.status < 300 else "refused"

    def _merchant(self, merchant_no: str) -> Merchant:
        merchants = self._config.merchants
        return merchants.get(merchant_no) or next(iter(merchants.values()))

    def _html(self, name: str, values: dict[str, object], status: int = 200) -> web.Response:
        pages = {name: url for name, url in self._config.pages.items() if name != "shop"}
        html = self._templates.get_template(name).render(values, pages=pages)
        return web.Response(text=html, content_type="text/html", status=status, headers=HEADERS)


def _texts(request: web.Request) -> dict[str, str]:
    return choose_language(
        request.query.get("lang", ""), request.headers.get("Accept-Language", "")
    )


def _lang(request: web.Request) -> dict[str, str]:
    """The query part that keeps a language that was chosen by hand."""
    asked = request.query.get("lang", "")
    return {"lang": asked} if asked in ("zh", "en") else {}


def _read_amount(text: str) -> int | None:
    """Minor units of `128`, `128.5` or `128.50`; None for anything else."""
    match = _AMOUNT.fullmatch(text)
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")) if match else None


def _yuan(minor: int) -> str:
    return f"¥{minor // 100:,}.{minor % 100:02d}"


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone(BEIJING).strftime("%H:%M:%S")
