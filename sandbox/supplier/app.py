"""Builds the supplier from its configuration and runs its two listeners and its courier."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from sandbox.process import listening, loopback_host_only, token_in_path
from sandbox.supplier.callbacks import Courier
from sandbox.supplier.config import read_config
from sandbox.supplier.control import Control
from sandbox.supplier.faults import Faults
from sandbox.supplier.gateway import MAX_BODY_BYTES, Gateway
from sandbox.supplier.orders import Orders
from sandbox.supplier.payer import PayerPage
from sandbox.supplier.store import Store


@asynccontextmanager
async def start(config: dict[str, Any]) -> AsyncIterator[dict[str, str]]:
    """Run the supplier and yield its ready line: `{"base", "control"}`, both URLs."""
    settings = read_config(config)
    store = Store(settings.home)
    try:
        orders = Orders(store, settings.expires_in_s, time.time)
        faults = Faults()
        courier = Courier(settings, store, faults, time.time)
        bases: list[str] = []

        def base() -> str:
            return bases[0]

        gateway = Gateway(settings, store, orders, faults, time.time, base)
        payer = PayerPage(settings, orders, courier)
        control = Control(settings, store, orders, faults, courier, time.time, base)
        public = web.Application(client_max_size=MAX_BODY_BYTES)
        public.add_routes([*gateway.routes(), *payer.routes()])
        guarded = web.Application(
            middlewares=[token_in_path(settings.control_token), loopback_host_only()],
            client_max_size=MAX_BODY_BYTES,
        )
        guarded.add_routes(control.routes())
        async with (
            courier.running(),
            control.running(),
            listening(public, settings.host, settings.port) as public_base,
        ):
            bases.append(public_base)
            async with listening(guarded, settings.host, settings.control_port) as control_base:
                yield {"base": public_base, "control": f"{control_base}/{settings.control_token}"}
    finally:
        store.close()
