"""What a merchant's developers are told in its group, and what never is."""

from __future__ import annotations

from handlers.screens import render_say
from tests.handlers.support import HENGTONG, OPERATOR, OPS, SPRUCE, SUQING, ZHAO, Desk, one_say
from tests.handlers.telegram_html import read_html


async def test_links_and_the_merchants_own_numbers_but_no_secret(desk: Desk) -> None:
    merchant = await desk.runtime.parties.merchants.by_no("M1001")
    apps = desk.runtime.parties.merchants.apps
    await apps.open(merchant, mode="live", name="shop", notify_url="https://shop.test/n")
    for user_id, text in ((SUQING, "对接文档"), (OPERATOR, "/docs")):
        shown = await desk.said(user_id, SPRUCE, text)
        html = render_say(shown, "zh").html
        told = read_html(html)
        for path in ("/docs/api", "/v1/openapi.json"):
            assert f"{desk.runtime.system.public_url}{path}\n" in told
        for app in await apps.of(merchant):
            assert app.key_id in told
            for secret in (*app.secrets, *app.notify_secrets):
                assert secret not in str(shown.facts)
        assert "https://shop.test/n" in told
        assert "alipay_qr" in told


async def test_withdrawn_apps_are_not_told_and_others_merchants_neither(desk: Desk) -> None:
    merchant = await desk.runtime.parties.merchants.by_no("M1001")
    apps = desk.runtime.parties.merchants.apps
    keys = await apps.open(merchant, mode="test", name="gone", notify_url=None)
    async with desk.runtime.system.store.transaction() as tx:
        await apps.withdraw(tx, keys.app_id)
    assert keys.key_id not in str((await desk.said(OPERATOR, OPS, "/docs M1001")).facts)
    for user_id, chat_id, text, code in (
        (SUQING, SPRUCE, "/docs M1002", "merchant_not_found"),
        (OPERATOR, OPS, "/docs", "merchant_needed"),
        (ZHAO, HENGTONG, "对接文档", "merchant_not_here"),
    ):
        assert one_say(await desk.say(user_id, chat_id, text)).facts["code"] == code
