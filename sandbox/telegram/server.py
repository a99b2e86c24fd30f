"""Puts one sandbox on its two listeners."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from sandbox.process import (
    check_loopback,
    config_pages,
    config_port,
    config_text,
    config_token,
    listening,
)
from sandbox.telegram.api import BotApi
from sandbox.telegram.control import control_app
from sandbox.telegram.page import Page, config_tries
from sandbox.telegram.sandbox import open_sandbox
from sandbox.telegram.updates import Delivery, DeliverySettings

MAX_REQUEST_BYTES = 80 * 1024 * 1024


@asynccontextmanager
async def start(
    config: dict[str, Any],
    now: Callable[[], float] = time.time,
    delivery: DeliverySettings | None = None,
) -> AsyncIterator[dict[str, str]]:
    """Run a sandbox Telegram while entered; yields its api, page and control URLs.

    The configuration is described in docs/sandbox.md. `ConfigError` for a bad one, `OSError`
    when a port or the home is taken.
    """
    host = check_loopback(config_text(config, "host"))
    page_token = config_token(config, "page_token")
    control_token = config_token(config, "control_token")
    pages = config_pages(config)
    port, control_port = config_port(config, "port"), config_port(config, "control_port")
    sandbox = open_sandbox(config, now)
    try:
        public = web.Application(client_max_size=MAX_REQUEST_BYTES)
        BotApi(sandbox).add_routes(public.router)
        Page(sandbox, page_token, pages, config_tries(config)).add_to(public)
        control = control_app(sandbox, control_token)
        async with (
            Delivery(sandbox, delivery or DeliverySettings()).running(),
            listening(public, host, port) as api_url,
            listening(control, host, control_port) as control_url,
        ):
            yield {
                "api": api_url,
                "page": f"{api_url}/{page_token}/",
                "control": f"{control_url}/{control_token}",
            }
    finally:
        sandbox.world.close()
