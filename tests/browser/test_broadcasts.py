"""A picture is sent to the bot in private and goes to every merchant, on the page of the chat."""

from __future__ import annotations

import re

from playwright.async_api import FilePayload, Page, expect

from tests.browser.test_merchants import enter, say, told
from tests.demo import DemoDesk
from tests.sandbox.telegram.room import png

WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def test_a_picture_goes_to_every_merchant(page: Page, desk: DemoDesk) -> None:
    size = page.viewport_size
    assert size is not None
    words = f"收款账户变更 {size['width']}"
    await enter(page, desk, "admin", desk.user("admin"))
    slip = FilePayload(name="账户.png", mimeType="image/png", buffer=png(360, 240))
    await page.get_by_test_id("attach").set_input_files(slip)
    await say(page, words)
    picture = told(page, words)
    await expect(picture.locator("img")).to_be_visible(timeout=20_000)
    await picture.hover()
    await picture.get_by_role("button", name="回复").click()
    await say(page, "/broadcast")
    card = told(page, "📣", words)
    await expect(card).to_contain_text("待发送", timeout=20_000)
    await card.get_by_test_id("button").filter(has_text="商户").click()
    await expect(card).to_contain_text("商户群", timeout=20_000)
    await expect(card.get_by_test_id("button").filter(has_text="发送到")).to_be_visible()
    assert await page.evaluate(WIDE) <= 0
    await card.get_by_test_id("button").filter(has_text="发送到").click()
    await expect(card).to_contain_text("已完成", timeout=20_000)
    await expect(card).to_contain_text("100%")
    await card.get_by_test_id("button").filter(has_text="各群结果").click()
    result = told(page, re.compile(r"📋 B\d+"))
    await expect(result).to_contain_text("✅", timeout=20_000)
    await result.get_by_test_id("button").filter(has_text="导出文件").click()
    await expect(told(page, re.compile(r"B\d+\.csv"))).to_be_visible(timeout=20_000)
    assert await page.evaluate(WIDE) <= 0
    await enter(page, desk, "admin", desk.chat("merchant"))
    there = told(page, words)
    await expect(there.locator("img")).to_be_visible(timeout=20_000)
