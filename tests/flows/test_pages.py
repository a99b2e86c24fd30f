"""The demo's pages lead to each other, and the desk answers wherever it is asked."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

from yarl import URL

from tests.demo import DemoDesk

LINK = re.compile(r'href="(http[^"]*)"')


async def text_of(desk: DemoDesk, url: str) -> str:
    async with desk.http.get(url, headers={"Accept": "text/html"}) as answer:
        assert answer.status == 200, url
        return await answer.text()


async def test_every_page_leads_to_the_others(desk: DemoDesk) -> None:
    ready = desk.ready
    pages = {
        "desk": f"{ready['desk']}/",
        "chat": ready["telegram"]["page"],
        "shop": ready["shop"]["page"],
        "supplier": ready["supplier"]["page"],
    }
    home = await text_of(desk, pages["desk"])
    linked = set(LINK.findall(home))
    assert {pages["chat"], pages["shop"], pages["supplier"], ready["cashier"]} <= linked
    for url in linked:
        await text_of(desk, url)
    for name in ("shop", "supplier"):
        wanted = {url for other, url in pages.items() if other != name}
        assert wanted <= set(LINK.findall(await text_of(desk, pages[name]))), name
    async with desk.http.get(f"{pages['chat']}api/world") as answer:
        led = (await answer.json())["pages"]
    docs = f"{ready['desk']}/docs/api"
    assert led == {name: url for name, url in pages.items() if name != "chat"} | {"docs": docs}
    await text_of(desk, docs)
    assert 'href="/"' in await text_of(desk, ready["cashier"])


async def test_a_payer_finds_the_way_from_the_supplier_back_to_the_shop(desk: DemoDesk) -> None:
    async with desk.http.post(
        f"{desk.ready['shop']['page']}orders",
        data={"merchant": "M1001", "product": "alipay_qr", "amount": "12.34", "subject": "Tea"},
    ) as answer:
        shop = await answer.text()
    number = re.search(r'data-testid="shop-order-no">([^<]*)<', shop)
    assert number is not None
    order = await desk.order(number[1])
    assert (await desk.pay(order["pay"]["value"])).status == 200
    await desk.until_status(number[1], "paid")
    paid = await text_of(desk, order["pay"]["value"])
    back = re.search(r'href="([^"]*)" data-testid="back"', paid)
    assert back is not None
    cashier = await text_of(desk, back[1])
    assert back[1] == order["cashier_url"]
    home = re.search(r'id="back" href="([^"]*)"', cashier)
    assert home is not None
    returned = await text_of(desk, home[1])
    assert f'href="{URL(desk.ready["shop"]["page"]).path}?order=' in returned


async def test_the_first_page_has_what_the_ready_file_has(desk: DemoDesk) -> None:
    home = await text_of(desk, f"{desk.ready['desk']}/")
    for merchant in desk.ready["merchants"]:
        for name in ("merchant_no", "key_id", "secret", "notify_secret"):
            assert merchant[name] in home.replace("&#43;", "+")


async def error_of(desk: DemoDesk, method: str, path: str, **more: Any) -> tuple[int, str]:
    url = URL(desk.ready["desk"] + path, encoded=True)
    async with desk.http.request(method, url, **more) as answer:
        assert answer.content_type == "application/json", path
        return answer.status, str((await answer.json())["error"]["code"])


async def test_every_path_answers_in_the_envelope(desk: DemoDesk) -> None:
    for path in ("//v1/orders", "/v2", "/v1", "/v1/", "/v1/nothing", "/nothing", "/healthz/x"):
        assert await error_of(desk, "GET", path) == (404, "page_not_found"), path
    for path in ("/", "/healthz"):
        assert await error_of(desk, "DELETE", path) == (405, "method_not_allowed"), path


async def test_a_packed_body_is_refused_by_the_running_desk(desk: DemoDesk) -> None:
    body = json.dumps({"merchant_order_no": "PACKED-1"})
    key = {"Paydesk-Key": desk.merchant()["key_id"]}
    for encoding, sent in (("gzip", gzip.compress(body.encode())), ("br", b"\x0b\x02\x80{}\x03")):
        answer = await error_of(
            desk, "POST", "/v1/signature-check", data=sent,
            headers={**key, "Content-Encoding": encoding},
        )  # fmt: skip
        assert answer == (415, "body_encoded")
    found = await desk.call("GET", "/v1/orders?merchant_order_no=PACKED-1")
    assert found.body["data"] == []
