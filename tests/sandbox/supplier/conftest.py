from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from sandbox.supplier.app import start
from tests.sandbox.supplier.peer import Platform, Receiver, config


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver().running() as running:
        yield running


@pytest.fixture
async def platform(tmp_path: Path, receiver: Receiver) -> AsyncIterator[Platform]:
    """A running supplier, seen from the platform that uses it."""
    pay_types = [
        {"code": "alipay_qr"},
        {"code": "wechat_qr", "open": False},
        {"code": "bank_web", "min": "10.00", "max": "20.00"},
    ]
    async with (
        start(config(tmp_path, pay_types=pay_types)) as ready,
        aiohttp.ClientSession() as http,
    ):
        yield Platform(http, ready, receiver.url)
