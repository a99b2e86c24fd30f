"""The cashier's page in every state, without scripts and under its strict policy."""

from __future__ import annotations

import json
import re

import aiohttp
import pytest

from core.delivery.outbox import News
from core.runtime import Runtime
from tests.payapi.client import Caller, order_of

Desk = tuple[Runtime, str]
SETTLE = (
    "UPDATE orders SET state = $2, paid_late = $3, paid_at = now(), paid_day = created_day,"
    " cost_minor = 0, paid_how = 'reported', paid_attempt_no = live_attempt_no WHERE order_no = $1"
)
BY_HAND = (
    "UPDATE orders SET state = $2, disputed = $3, paid_late = $3, paid_at = now(),"
    " paid_day = created_day, cost_minor = 0, paid_how = 'completed',"
    " paid_attempt_no = live_attempt_no WHERE order_no = $1"
)
STATES = {
    "paid": (SETTLE, ("paid", False), "Payment complete"),
    "late": (SETTLE, ("paid", True), "Paid, after the time was over"),
    "completed": (BY_HAND, ("paid", False), "Payment confirmed"),
    "disputed": (BY_HAND, ("paid", True), "This payment is not confirmed"),
    "partially_refunded": (SETTLE, ("partially_refunded", False), "Partly refunded"),
    "refunded": (SETTLE, ("refunded", True), "Refunded"),
    "expired": ("UPDATE orders SET state = $2 WHERE order_no = $1", ("expired",), "is over"),
    "closed": ("UPDATE orders SET state = $2 WHERE order_no = $1", ("closed",), "was closed"),
    "failed": ("UPDATE orders SET state = $2 WHERE order_no = $1", ("failed",), "did not work"),
    "created": ("UPDATE orders SET state = $2 WHERE order_no = $1", ("created",), "One moment"),
}


async def page(http: aiohttp.ClientSession, url: str, lang: str = "en") -> tuple[int, str]:
    async with http.get(url, headers={"Accept-Language": lang}) as response:
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Content-Language"] == lang
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        text = await response.text()
    assert not re.search(r"<script(?![^>]* src=)|\sstyle=|\son[a-z]+=", text)
    return response.status, text


async def test_a_payer_follows_a_plain_link(caller: Caller, http: aiohttp.ClientSession) -> None:
    order = (await caller.create(subject="<b>Tea</b> & more")).json
    status, text = await page(http, order["cashier_url"])
    assert status == 200
    link = order["pay"]["value"].replace("&", "&amp;")
    assert re.search(rf'<a class="button" id="pay" href="{re.escape(link)}">', text)
    assert "12.34" in text
    assert "&lt;b&gt;Tea&lt;/b&gt; &amp; more" in text
    assert "云杉商城" in text
    assert "恒通" not in text  # suppliers are nobody's business here
    assert "Please pay by" in text
    _, chinese = await page(http, order["cashier_url"], "zh")
    assert "去支付" in chinese
    async with http.get(f"{order['cashier_url']}?lang=zh") as response:
        assert "去支付" in await response.text()


@pytest.mark.parametrize("state", STATES)
async def test_every_state_has_its_words(
    caller: Caller, desk: Desk, http: aiohttp.ClientSession, state: str
) -> None:
    runtime, _ = desk
    order = (await caller.create(return_url="https://shop.example/done?a=1&b=2")).json
    change, values, words = STATES[state]
    await runtime.system.store.execute(change, order["order_no"], *values)
    _, text = await page(http, order["cashier_url"])
    assert f'data-state="{state}"' in text
    assert words in text
    assert order["pay"]["value"] not in text
    assert ('href="https://shop.example/done?a=1&amp;b=2"' in text) == (state != "created")
    async with http.get(f"{order['cashier_url']}/status") as response:
        assert await response.json() == {"state": state, "told": "none"}
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("lang", "arrived"),
    [("zh", ("支付成功", "已收到", "已确认")), ("en", ("has arrived", "complete"))],
)
async def test_a_payer_is_not_told_that_money_came_where_its_completion_was_reversed(
    caller: Caller, desk: Desk, http: aiohttp.ClientSession, lang: str, arrived: tuple[str, ...]
) -> None:
    runtime, _ = desk
    order = (await caller.create()).json
    heads = set()
    for state, (change, values, _) in STATES.items():
        await runtime.system.store.execute(
            "UPDATE orders SET state = 'pending', disputed = false, paid_late = false,"
            " paid_at = NULL, paid_day = NULL, cost_minor = NULL, paid_how = NULL,"
            " paid_attempt_no = NULL WHERE order_no = $1", order["order_no"],
        )  # fmt: skip
        await runtime.system.store.execute(change, order["order_no"], *values)
        _, text = await page(http, order["cashier_url"], lang)
        (head,) = re.findall(r"<h1>(.*?)</h1>", text)
        heads.add(head)
        if state == "disputed":
            assert not [words for words in arrived if words in text]
            assert order["pay"]["value"] not in text
    assert len(heads) == len(STATES)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("none", "Your payment has arrived.</p>"),
        ("pending", "云杉商城 is being told."),
        ("delivered", "云杉商城 has been told."),
        ("exhausted", "云杉商城 could not be told by us: show the order number there."),
    ],
)
@pytest.mark.parametrize("money", ["order.paid", "order.paid_late"])
async def test_what_the_shop_knows_is_said_as_it_is(
    caller: Caller, desk: Desk, http: aiohttp.ClientSession, state: str, words: str, money: News
) -> None:
    runtime, _ = desk
    notify_url = None if state == "none" else "http://127.0.0.1:1029/n"
    order = (await caller.create(notify_url=notify_url)).json
    late = money == "order.paid_late"
    await runtime.system.store.execute(SETTLE, order["order_no"], "paid", late)
    paid = await order_of(runtime, order["order_no"])
    async with runtime.system.store.transaction() as tx:
        await runtime.trade.payments.tell(tx, paid, money, request_id="r")
        await runtime.trade.payments.tell(
            tx, paid, "refund.failed", request_id="r"
        )  # is other news
    await runtime.system.store.execute(
        "UPDATE notification SET state = $1 WHERE type = $2", state, money
    )
    _, text = await page(http, order["cashier_url"])
    assert words in text
    assert ("<noscript><meta" in text) == (state == "pending")
    async with http.get(f"{order['cashier_url']}/status") as response:
        assert (await response.json())["told"] == state


async def test_an_order_whose_time_is_over_offers_no_link(
    caller: Caller, desk: Desk, http: aiohttp.ClientSession
) -> None:
    runtime, _ = desk
    order = (await caller.create()).json
    await runtime.system.store.execute(
        "UPDATE orders SET expires_at = now() - interval '1 second' WHERE order_no = $1",
        order["order_no"],
    )
    _, text = await page(http, order["cashier_url"])
    assert 'data-state="expired"' in text
    assert order["pay"]["value"] not in text


async def test_a_qr_code_is_drawn(caller: Caller, desk: Desk, http: aiohttp.ClientSession) -> None:
    runtime, _ = desk
    order = (await caller.create()).json
    for value, drawn in (("https://qr.example/1?<x>", True), ("x" * 5000, False)):
        await runtime.system.store.execute(
            "UPDATE attempt SET pay_kind = 'qr', pay_value = $1", value
        )
        _, text = await page(http, order["cashier_url"])
        assert ('class="qr-code"' in text) is drawn


async def test_a_supplier_cannot_plant_a_script(
    caller: Caller, desk: Desk, http: aiohttp.ClientSession
) -> None:
    runtime, _ = desk
    order = (await caller.create()).json
    await runtime.system.store.execute("UPDATE attempt SET pay_value = 'javascript:alert(1)'")
    _, text = await page(http, order["cashier_url"])
    assert "javascript:" not in text


APPS = (
    "INSERT INTO connector_document (id, code, version, digest, body, note, proposed_by,"
    " proposed_by_name, proposed_at) SELECT $1, code, version + 1, 'x',"
    " body || E'\\napps: [alipays]\\n', '', 1, 'x', now() FROM connector_document"
    " WHERE id = (SELECT document_id FROM attempt LIMIT 1)"
)


async def test_a_link_may_open_an_app_that_the_document_names(
    caller: Caller, desk: Desk, http: aiohttp.ClientSession
) -> None:
    runtime, _ = desk
    order = (await caller.create()).json
    link = "alipays://platformapi/startapp?appId=2&url=x"
    await runtime.system.store.execute("UPDATE attempt SET pay_value = $1", link)
    _, text = await page(http, order["cashier_url"])
    assert "alipays" not in text
    named = runtime.system.ids.uuid7()
    await runtime.system.store.execute(APPS, named)
    await runtime.system.store.execute("UPDATE attempt SET document_id = $1", named)
    _, text = await page(http, order["cashier_url"])
    assert 'id="pay" href="alipays://platformapi/startapp?appId=2&amp;url=x"' in text
    assert "opens the app" in text
    _, chinese = await page(http, order["cashier_url"], "zh")
    assert "应用" in chinese
    await runtime.system.store.execute("UPDATE attempt SET pay_value = 'AliPays://[x'")
    _, text = await page(http, order["cashier_url"])
    assert 'id="pay" href="AliPays://[x"' in text
    await runtime.system.store.execute("UPDATE attempt SET pay_value = 'javascript://alipays://'")
    _, text = await page(http, order["cashier_url"])
    assert "javascript:" not in text


async def test_a_form_is_posted_from_our_page_to_the_supplier_alone(
    caller: Caller, desk: Desk, http: aiohttp.ClientSession
) -> None:
    runtime, _ = desk
    order = (await caller.create()).json
    form = {"action": "https://pay.example/cashier?x=1&y=2", "fields": {"biz": '{"a":"<b>"}'}}
    await runtime.system.store.execute(
        "UPDATE attempt SET pay_kind = 'form', pay_value = $2 WHERE attempt_no ="
        " (SELECT live_attempt_no FROM orders WHERE order_no = $1)",
        order["order_no"],
        json.dumps(form),
    )
    _, text = await page(http, order["cashier_url"])
    assert 'method="post" action="https://pay.example/cashier?x=1&amp;y=2"' in text
    assert 'name="biz" value="{&#34;a&#34;:&#34;&lt;b&gt;&#34;}"' in text
    async with http.get(order["cashier_url"]) as response:
        policy = response.headers["Content-Security-Policy"]
        assert "form-action https://pay.example" in policy
    shown = (await caller.call("GET", f"/v1/orders/{order['order_no']}")).json
    assert shown["pay"] == {"kind": "url", "value": order["cashier_url"]}


async def test_where_the_payer_has_nothing_to_do_the_page_says_so(
    caller: Caller, desk: Desk, http: aiohttp.ClientSession
) -> None:
    runtime, _ = desk
    order = (await caller.create(payer_id="281234567890123456")).json
    await runtime.system.store.execute(
        "UPDATE attempt SET pay_kind = 'none', pay_value = '' WHERE attempt_no ="
        " (SELECT live_attempt_no FROM orders WHERE order_no = $1)",
        order["order_no"],
    )
    _, text = await page(http, order["cashier_url"])
    assert "confirm the payment on your phone" in text
    assert (await caller.call("GET", f"/v1/orders/{order['order_no']}")).json["pay"] is None


async def test_what_is_not_there(caller: Caller, desk: Desk, http: aiohttp.ClientSession) -> None:
    _, url = desk
    number = (await caller.create()).json["order_no"]
    wrong = number[:-1] + ("A" if number[-1] != "A" else "B")
    for path in (f"/pay/{wrong}", "/pay/nothing", "/pay/nothing/status", "/pay/"):
        status, text = await page(http, url + path)
        assert status == 404
        assert "Nothing is here" in text
    async with http.post(f"{url}/pay/{number}") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD")
    async with http.get(f"{url}/pay/static/..%2fapp.py") as response:
        assert response.status == 404


async def test_static_files_are_there_for_long(
    caller: Caller, desk: Desk, http: aiohttp.ClientSession
) -> None:
    _, url = desk
    order = (await caller.create()).json
    _, text = await page(http, order["cashier_url"])
    files = re.findall(r'"(/pay/static/[^"]+)"', text)
    assert len(files) == 3
    for file in files:
        async with http.get(url + file) as response:
            assert response.status == 200
            assert "immutable" in response.headers["Cache-Control"]
