"""A merchant is let in by two people on the page of the chat."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from tests.demo import DemoDesk

ANSWERS = ("云茶", "CNY", "Asia/Shanghai", "06:00", "Cloud Tea Ltd", "91310000MA1K", "茶叶",
           "https://tea.example", "Mei")  # fmt: skip

PHONE_PX = 600


async def enter(page: Page, desk: DemoDesk, role: str, chat_id: int) -> None:
    """Speak as the person with this role, in a chat."""
    await page.goto(desk.ready["telegram"]["page"])
    await page.get_by_test_id("speak-as").select_option(str(desk.user(role)))
    await page.locator(f'[data-testid="chat-item"][data-chat-id="{chat_id}"]').click()
    await expect(page.get_by_test_id("composer")).to_be_visible(timeout=20_000)


async def say(page: Page, text: str) -> None:
    await page.get_by_test_id("composer").fill(text)
    await page.get_by_test_id("send").click()


def told(page: Page, *texts: str | re.Pattern[str]) -> Locator:
    """The last message that says all of this."""
    found = page.get_by_test_id("message")
    for text in texts:
        found = found.filter(has_text=text)
    return found.last


async def test_a_merchant_is_opened_and_passes_its_review(page: Page, desk: DemoDesk) -> None:
    # Each size has a private chat of its own: what was asked there before stays there.
    size = page.viewport_size
    assert size is not None
    opens, reviews = ("admin", "owner") if size["width"] > PHONE_PX else ("owner", "admin")
    own_chat = desk.user(opens)
    await enter(page, desk, opens, own_chat)
    await say(page, "商户 新增")
    asked = told(page, "1/10")
    await expect(asked).to_be_visible(timeout=20_000)
    number = re.search(r"M[0-9]+", await asked.inner_text())
    assert number is not None
    await asked.get_by_test_id("button").first.click()
    for place, answer in enumerate(ANSWERS, start=2):
        await expect(told(page, number[0], f"{place}/10")).to_be_visible(timeout=20_000)
        await say(page, answer)
    card = told(page, number[0], "未审核")
    await expect(card).to_be_visible(timeout=20_000)
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(wide) <= 0
    await card.get_by_test_id("button").filter(has_text="提交审核").click()
    await enter(page, desk, reviews, desk.chat("ops"))
    review = told(page, number[0], "审核")
    await expect(review).to_be_visible(timeout=20_000)
    await review.get_by_test_id("button").first.click()
    await expect(told(page, number[0], "已通过审核")).to_be_visible(timeout=20_000)
    await enter(page, desk, opens, own_chat)
    await say(page, f"/merchant {number[0]}")
    await expect(told(page, number[0], "已审核")).to_be_visible(timeout=20_000)
