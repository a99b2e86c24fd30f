"""What a stranger does with the demo in a browser, at phone and at desk width."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.demo import DemoDesk


async def open_group(page: Page, desk: DemoDesk) -> None:
    await page.goto(desk.ready["telegram"]["page"])
    for group in desk.ready["groups"]:
        await expect(page.get_by_test_id("chat-list")).to_contain_text(group["title"])
    chat_id = desk.chat("merchant")
    await page.locator(f'[data-testid="chat-item"][data-chat-id="{chat_id}"]').click()
    await expect(page.get_by_test_id("composer")).to_be_visible()


async def say(page: Page, text: str) -> None:
    await page.get_by_test_id("composer").fill(text)
    await page.get_by_test_id("send").click()


async def no_sideways_scrolling(page: Page) -> None:
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(wide) <= 0


async def test_groups_a_look_up_and_a_button(page: Page, desk: DemoDesk) -> None:
    created = await desk.create(amount=8888)
    order_no = created.body["order_no"]
    await open_group(page, desk)
    await no_sideways_scrolling(page)
    await say(page, order_no)
    card = page.get_by_test_id("message").filter(has_text=order_no).filter(has_text="88.88").last
    await expect(card).to_be_visible()
    await desk.pay(created.body["pay"]["value"], "lose_callback")
    # The card's first button asks the supplier, which knows of the payment.
    await card.get_by_test_id("button").first.click()
    await expect(card).to_contain_text("已支付", timeout=20_000)
    await no_sideways_scrolling(page)


async def test_a_prepayment_shows_its_receipt_and_moves_the_bill(
    page: Page, desk: DemoDesk
) -> None:
    await open_group(page, desk)
    await say(page, "+2500 浏览器")
    receipt = page.get_by_test_id("message").filter(has_text="2,500.00").last
    await expect(receipt).to_be_visible(timeout=20_000)
    await expect(receipt.get_by_test_id("button").first).to_be_visible()


async def test_the_payer_pays_and_sees_that_it_worked(page: Page, desk: DemoDesk) -> None:
    created = await desk.create(amount=3000)
    await page.goto(created.body["cashier_url"])
    await expect(page.locator("body")).to_contain_text("30.00")
    await no_sideways_scrolling(page)
    await page.locator('a[href*="/pay/"]').first.click()
    await page.get_by_test_id("pay").click()
    await expect(page.get_by_test_id("result")).to_be_visible()
    await desk.until_status(created.body["order_no"], "paid")
    await page.goto(created.body["cashier_url"])
    await expect(page.locator("body")).to_contain_text(re.compile("支付成功|已支付"))


async def test_the_shop_creates_an_order_and_receives_its_notification(
    page: Page, desk: DemoDesk
) -> None:
    await page.goto(desk.ready["shop"]["page"])
    await page.get_by_test_id("shop-create").click()
    cashier = page.get_by_test_id("shop-cashier").first
    await expect(cashier).to_be_visible()
    await no_sideways_scrolling(page)
    url = await cashier.get_attribute("href")
    paid = await desk.pay(str(url))
    assert paid.status == 200, paid.body
    await expect(page.get_by_test_id("shop-notification").first).to_contain_text(
        "order.paid", timeout=20_000
    )


async def test_the_api_page_is_readable(page: Page, desk: DemoDesk) -> None:
    await page.goto(desk.ready["desk"] + "/docs/api")
    await expect(page.locator("body")).to_contain_text("/v1/orders")
    await no_sideways_scrolling(page)
