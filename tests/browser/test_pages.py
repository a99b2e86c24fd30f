"""What a stranger does with the demo in a browser, at phone and at desk width."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from playwright.async_api import Page, expect

from tests.demo import DemoDesk


async def open_group(page: Page, desk: DemoDesk) -> None:
    await page.goto(desk.ready["telegram"]["page"])
    for group in desk.ready["groups"]:
        await expect(page.get_by_test_id("chat-list")).to_contain_text(group["title"])
    chat_id = desk.chat("merchant")
    await page.locator(f'[data-testid="chat-item"][data-chat-id="{chat_id}"]').click()
    await expect(page.get_by_test_id("composer")).to_be_visible(timeout=20_000)


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


async def test_words_to_try_are_written_by_one_tap_and_sent_by_another(
    page: Page, desk: DemoDesk
) -> None:
    await open_group(page, desk)
    await no_sideways_scrolling(page)
    balance = page.get_by_test_id("try").filter(has_text="查询余额")
    await balance.click()
    await expect(page.get_by_test_id("composer")).to_have_value("查询余额")
    await balance.click()
    await expect(page.get_by_test_id("composer")).to_have_value("")
    answer = page.get_by_test_id("message").filter(has_text="预付余额").last
    await expect(answer).to_be_visible(timeout=20_000)
    # Whoever may say nothing has nothing to try.
    await page.get_by_test_id("speak-as").select_option(str(desk.user("merchant_staff")))
    await expect(page.get_by_test_id("try").filter(has_text="+1000")).to_have_count(0)
    await expect(page.get_by_test_id("try").filter(has_text="查询余额")).to_be_visible()


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


# Of each text on the page: how it stands out from the nearest ground that is not see-through.
FAINT = """() => {
  const channel = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const read = (css) => (css.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const [r, g, b, a = 1] = read(getComputedStyle(at).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  let seen = 0;
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !node.checkVisibility()) continue;
    seen += 1;
    const [one, two] = [light(read(getComputedStyle(node).color)), light(ground(node))];
    const contrast = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (contrast < 4.5) faint.push(`${texts.currentNode.data.trim()} ${contrast.toFixed(2)}`);
  }
  return { seen, faint };
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_are_legible_by_day_and_by_night(
    page: Page, desk: DemoDesk, scheme: Literal["light", "dark"]
) -> None:
    await page.emulate_media(color_scheme=scheme)
    await page.goto(desk.ready["shop"]["page"])
    await page.get_by_test_id("shop-create").click()
    await expect(page.get_by_test_id("shop-order-no")).to_be_visible()
    addresses = [
        page.url, f"{desk.ready['desk']}/", f"{desk.ready['desk']}/docs/api",
        desk.ready["supplier"]["page"], desk.ready["cashier"],
    ]  # fmt: skip
    for address in addresses:
        await page.goto(address)
        found = await page.evaluate(FAINT)
        assert found["seen"] > 5
        assert found["faint"] == [], address
        await no_sideways_scrolling(page)
        # What scrolls can be reached with the keyboard.
        assert await page.locator("pre:not([tabindex])").count() == 0
    await page.evaluate("document.querySelector('.subject').style.color = 'rgb(128 128 128)'")
    await page.evaluate("document.querySelector('.subject').style.background = 'rgb(96 96 96)'")
    assert len((await page.evaluate(FAINT))["faint"]) == 1  # the measure finds what is faint


async def test_the_first_page_leads_around_the_demo_and_back(page: Page, desk: DemoDesk) -> None:
    home = f"{desk.ready['desk']}/"
    await page.goto(home)
    await expect(page.locator("h1")).to_have_text("支付台")
    await no_sideways_scrolling(page)
    await page.locator("#shop").click()
    await expect(page.get_by_test_id("shop-create")).to_be_visible()
    await page.get_by_test_id("page-supplier").click()
    await expect(page.locator("#payments")).to_be_visible()
    await page.get_by_test_id("page-docs").click()
    await expect(page.locator("body")).to_contain_text("/v1/orders")
    await page.go_back()
    await page.get_by_test_id("page-chat").click()
    await expect(page.get_by_test_id("chat-list")).to_be_visible()
    await no_sideways_scrolling(page)
    await page.goto(desk.ready["telegram"]["page"])
    await page.get_by_test_id("page-desk").click()
    await page.wait_for_url(home)
    await page.locator("summary").first.click()
    await expect(page.get_by_text(desk.merchant()["key_id"])).to_be_visible()
    await no_sideways_scrolling(page)
    await page.locator("#cashier").click()
    await page.locator("a.demo").click()
    await page.wait_for_url(home)
    await page.locator("#docs").click()
    await expect(page.locator("#event-order\\.paid")).to_be_attached()


async def test_the_desks_number_is_copied(page: Page, desk: DemoDesk) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.goto(desk.ready["shop"]["page"])
    await page.get_by_test_id("shop-create").click()
    number = await page.get_by_test_id("shop-order-no").inner_text()
    assert re.fullmatch(r"P[0-9A-Z]{19}", number)
    await page.get_by_test_id("shop-copy").click()
    await expect(page.get_by_test_id("shop-copy")).to_have_text("已复制")
    assert await page.evaluate("navigator.clipboard.readText()") == number
    await expect(page.get_by_test_id("shop-copy")).to_have_text("复制")
