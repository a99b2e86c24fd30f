"""Builds the supplier from its configuration and runs its two listeners and its courier."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from sandbox.process import listening, loopback_host_only, token_in_path
from sandbox.supplier.callbacks import Courier
from sandbox.supplier.config import Config, DialectName, read_config
from sandbox.supplier.control import Control
from sandbox.supplier.dialects import dialects_of
from sandbox.supplier.faults import Faults
from sandbox.supplier.gateway import MAX_BODY_BYTES, Gateway
from sandbox.supplier.keys import KeyPair
from sandbox.supplier.operations import Operations
from sandbox.supplier.orders import Orders
from sandbox.supplier.payer import PayerPage
from sandbox.supplier.refunds import Refunds
from sandbox.supplier.store import Store


@asynccontextmanager
async def start(config: dict[str, Any]) -> AsyncIterator[dict[str, str]]:
    """Run the supplier and yield its ready line: `{"base", "control"}`, both URLs, and the
    supplier's `public_key` (PEM) where an account speaks rsa."""
    settings = read_config(config)
    store = Store(settings.home)
    try:
        keys = _keys(settings)
        dialects = dialects_of(settings, keys)
        orders = Orders(store, settings.expires_in_s, time.time)
        refunds = Refunds(store, time.time)
        faults = Faults()
        courier = Courier(settings, store, faults, dialects, time.time)
        bases: list[str] = []

        def base() -> str:
            return bases[0]

        payer = PayerPage(settings, orders, refunds, courier)
        operations = Operations(settings, store, orders, refunds, base)
        gateway = Gateway(settings, store, operations, faults, dialects, payer.refused, time.time)
        control = Control(settings, store, orders, refunds, faults, courier, time.time, base)
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
                ready = {"base": public_base, "control": f"{control_base}/{settings.control_token}"}
                yield {**ready, "public_key": keys.public_pem} if keys else ready
    finally:
        store.close()


def _keys(settings: Config) -> KeyPair | None:
    """The supplier's own keys, which only the dialect rsa has a use for."""
    spoken = {account.dialect for account in settings.accounts.values()}
    return KeyPair(settings.home) if DialectName.RSA in spoken else None
