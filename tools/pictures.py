"""Takes the pictures of the documents: `python -m tools.pictures READY.json`.

READY.json is the ready file of a demo that has just started, see `--ready-file` of `bot demo`.
Chromium is the system's, or the one that PAYDESK_CHROMIUM names.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Locator, Page, async_playwright, expect

IMAGES: Final = Path(__file__).resolve().parent.parent / "docs" / "images"
_WAIT_MS: Final = 60_000
_WIDE: Final = (1280, 860)
_PHONE: Final = (390, 844)
_PAYER: Final = (390, 640)
_OPERATOR, _FINANCE = "operator", "finance"


async def take(ready: dict[str, Any], browser: Browser) -> None:
    """All of them, in the order of README's tour."""
    page = await _page(browser, _WIDE, "light")
    chat_id = ready["merchants"][0]["chat_id"]
    await _enter(page, ready, _OPERATOR, chat_id)
    await _try(page, "+1000", "预付余额")
    await page.screenshot(path=IMAGES / "chat.png")

    phone = await _page(browser, _PHONE, "dark")
    ops = next(group["chat_id"] for group in ready["groups"] if group["kind"] == "ops")
    await _enter(phone, ready, _FINANCE, ops)
    await _try(phone, "差异单", "挂账")
    await phone.screenshot(path=IMAGES / "ops.png")

    payer = await _page(browser, _PAYER, "light")
    await payer.goto(ready["cashier"])
    await expect(payer.locator("body")).to_contain_text("66.00", timeout=_WAIT_MS)
    await payer.screenshot(path=IMAGES / "payer.png")


async def _page(browser: Browser, size: tuple[int, int], scheme: Any) -> Page:
    width, height = size
    context = await browser.new_context(
        viewport={"width": width, "height": height}, locale="zh-CN", color_scheme=scheme
    )
    return await context.new_page()


async def _enter(page: Page, ready: dict[str, Any], role: str, chat_id: int) -> None:
    """Speak as the person with this role, in a chat."""
    user = next(user for user in ready["users"] if user["role"] == role)
    await page.goto(ready["telegram"]["page"])
    await page.get_by_test_id("speak-as").select_option(str(user["id"]))
    await page.goto(f"{ready['telegram']['page']}#chat={chat_id}")
    await expect(page.get_by_test_id("composer")).to_be_visible(timeout=_WAIT_MS)


async def _try(page: Page, text: str, answer: str) -> None:
    """Write one of the words to try, send it, and wait for what it is answered with."""
    before = await page.get_by_test_id("message").count()
    chip: Locator = page.get_by_test_id("try").filter(has_text=text).first
    await chip.click()
    await chip.click()
    answers = page.get_by_test_id("message").filter(has_text=answer)
    await expect(page.get_by_test_id("message").nth(before + 1)).to_be_visible(timeout=_WAIT_MS)
    await expect(answers.last).to_be_visible(timeout=_WAIT_MS)
    # Where it came from is seen as well, and no animation is caught half-way.
    await page.emulate_media(reduced_motion="reduce")


async def _main(ready: dict[str, Any]) -> None:
    found = os.environ.get("PAYDESK_CHROMIUM") or shutil.which("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        await take(ready, browser)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(_main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
