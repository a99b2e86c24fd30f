"""A real browser on a real demo desk."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.demo import DemoDesk

_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str:
    """The system's Chromium: `make test` finds or installs it and says where it is."""
    found = os.environ.get("PAYDESK_CHROMIUM") or next(
        filter(None, map(shutil.which, _NAMES)), None
    )
    if found is None:
        pytest.fail("no Chromium: run the tests with `make test`, which installs it or says how")
    return found


@pytest.fixture(scope="package")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DemoDesk]:
    started = await DemoDesk(tmp_path_factory.mktemp("browser") / "home").start()
    yield started
    assert await started.stop() == 0


@pytest.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium(), args=_FLAGS)
        yield started
        await started.close()


@pytest.fixture(params=[390, 1280], ids=["phone", "desk"])
async def page(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """A page of phone and of desk width that fails the test on any error of its scripts."""
    context = await browser.new_context(
        viewport={"width": request.param, "height": 844}, locale="zh-CN"
    )
    opened = await context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    await context.close()
    assert errors == []
