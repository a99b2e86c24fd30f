"""Builds the shop from its configuration and serves its page and its receiver."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from sandbox.process import listening, loopback_host_only, token_in_path
from sandbox.shop.config import read_config
from sandbox.shop.page import ShopPage
from sandbox.shop.receiver import MAX_BODY_BYTES, Receiver
from sandbox.shop.seller import Seller
from sandbox.shop.store import Store


@asynccontextmanager
async def start(config: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """Run the shop and yield its ready line: `{"page": URL, "notify": {merchant_no: URL}}`."""
    settings = read_config(config)
    store = Store(settings.home)
    try:
        seller = Seller(store, settings.api_base)
        page = ShopPage(settings, store, seller)
        app = web.Application(middlewares=[loopback_host_only()], client_max_size=MAX_BODY_BYTES)
        app.add_routes([*Receiver(settings, store).routes(), *page.public_routes()])
        private = web.Application(middlewares=[token_in_path(settings.page_token)])
        private.add_routes(page.private_routes())
        app.add_subapp(f"/{settings.page_token}", private)
        async with seller.running(), listening(app, settings.host, settings.port) as base:
            yield {
                "page": f"{base}/{settings.page_token}/",
                "notify": {
                    merchant_no: f"{base}/notify/{merchant_no}"
                    for merchant_no in settings.merchants
                },
            }
    finally:
        store.close()
