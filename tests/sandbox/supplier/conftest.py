from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from sandbox.supplier.app import start
from tests.sandbox.supplier.peer import Platform, Receiver, config
from tests.sandbox.supplier.tongues import accounts, supplier_pem


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


@pytest.fixture
async def desk(tmp_path: Path, receiver: Receiver) -> AsyncIterator[Platform]:
    """A supplier with an account in each dialect, and a way to its control."""
    (tmp_path / "supplier_key.pem").write_bytes(supplier_pem())
    settings = config(tmp_path, accounts=accounts(fee_ppm=6_000))
    async with start(settings) as ready, aiohttp.ClientSession() as http:
        yield Platform(http, ready, receiver.url)
