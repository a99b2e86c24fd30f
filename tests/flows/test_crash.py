"""kill -9, two starts at once, wrong settings: nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conftest import Servers
from tests.demo import ROOT, DemoDesk, eventually, receiver
from tests.flows.test_chat import button, prove


@pytest.fixture
async def mortal(tmp_path: Path) -> AsyncIterator[DemoDesk]:
    """A demo that a test may kill."""
    started = await DemoDesk(tmp_path / "home").start()
    yield started
    await started.stop()


async def test_kill_in_the_middle_of_orders(mortal: DemoDesk) -> None:
    async with receiver(mortal.merchant()["notify_secret"]) as server:
        paid = await mortal.create(amount=1100, notify_url=server.url)
        await mortal.pay(paid.body["pay"]["value"], "delay")
        # The supplier takes this one and answers nothing: the desk dies while it waits.
        await mortal.supplier(
            "fault", {"operation": "create", "kind": "timeout", "after": True, "delay_s": 30}
        )
        waiting = asyncio.create_task(
            mortal.create(merchant_order_no="CUT", amount=2200, notify_url=server.url)
        )

        async def taken() -> bool:
            url = mortal.ready["supplier"]["control"] + "/orders"
            async with mortal.http.get(url) as answer:
                return "22.00" in await answer.text()

        await eventually(taken, what="the supplier has the order")
        await mortal.kill()
        with pytest.raises(Exception):  # noqa: B017, PT011 (whatever a cut connection raises)
            await waiting

        await mortal.start()
        await mortal.until_status(paid.body["order_no"], "paid", timeout_s=40)
        again = await mortal.create(merchant_order_no="CUT", amount=2200, notify_url=server.url)
        assert again.status in (200, 202)
        order_no = again.body["order_no"]
        await mortal.until_status(order_no, "pending", timeout_s=60)
        await mortal.pay((await mortal.order(order_no))["pay"]["value"])
        await mortal.until_status(order_no, "paid")

        async def told() -> bool:
            return {e["data"]["order_no"] for e in server.valid} == {
                order_no,
                paid.body["order_no"],
            }

        await eventually(told, what="both are notified", timeout_s=40)
        assert not server.invalid
        assert len(server.webhook_ids) == len(set(server.webhook_ids)) == 2
        code, said = await mortal.command("verify-books")
        assert (code, said.splitlines()[-1]) == (0, "verify-books: no difference")


async def test_a_refund_outlives_the_desk(mortal: DemoDesk) -> None:
    """Killed while the supplier, who has given the money back, has not said so: it is given back
    once, and the books say so."""
    chat = mortal.chat("merchant")
    created = await mortal.create(amount=5800)
    order_no = created.body["order_no"]
    await mortal.pay(created.body["pay"]["value"])
    await mortal.until_status(order_no, "paid")
    fault = {"operation": "refund", "kind": "timeout", "after": True, "delay_s": 30}
    await mortal.supplier("fault", fault)
    said = await mortal.act("finance", chat, text=f"退款 {order_no} 20，用户重复支付")
    question = await mortal.hears(chat, order_no, "20.00", after=said)
    press = {"message_id": question["id"], "label": button(question, "确认")["text"]}
    await mortal.act("finance", chat, press=press)
    await prove(mortal, "finance", order_no)

    async def given_back() -> list[str]:
        """What the supplier gave back, in all."""
        async with mortal.http.get(mortal.ready["supplier"]["control"] + "/orders") as answer:
            orders = (await answer.json())["orders"]
        return [one["refund_amount"] for order in orders for one in order["refunds"]]

    await eventually(given_back, what="the supplier gives it back")
    await mortal.kill()
    await mortal.start()
    await mortal.until_status(order_no, "partially_refunded", timeout_s=60)
    assert await given_back() == ["20.00"]
    code, told = await mortal.command("verify-books")
    assert (code, told.splitlines()[-1]) == (0, "verify-books: no difference")


async def test_a_second_start_on_one_home_says_so(mortal: DemoDesk, tmp_path: Path) -> None:
    second = await mortal.spawn(tmp_path / "second.json")
    said, _ = await asyncio.wait_for(second.communicate(), 20)
    assert second.returncode == 3
    assert "already" in said.decode() or "in use" in said.decode()
    assert (await mortal.create(amount=1500)).status == 201


async def test_the_demo_and_production_refuse_each_others_settings(
    tmp_path: Path, servers: Servers, database: str
) -> None:
    production = {
        "BOT_TOKEN": "123456789:" + "A" * 35,
        "PUBLIC_URL": "https://desk.example",
        "MASTER_KEY": "A" * 43 + "=",
        "PAYDESK_OWNER_IDS": "1",
        "REDIS_URL": servers.valkey_url,
    }
    for name, value in (
        ("DATABASE_URL", servers.desk_dsn(database)),
        ("BOT_TOKEN", production["BOT_TOKEN"]),
    ):
        code, said = await run({name: value}, "demo", "--home", str(tmp_path / "demo"))
        assert code == 2
        assert name in said
        assert value not in said
    code, said = await run(
        {**production, "DATABASE_URL": servers.desk_dsn(database)},
        "run",
        "--home",
        str(tmp_path / "production"),
    )
    assert code == 2
    assert "demo" in said
    code, said = await run({"PAYDESK_HOME": str(tmp_path / "none")}, "run")
    assert code == 2
    assert all(name in said for name in ("BOT_TOKEN", "PUBLIC_URL", "MASTER_KEY"))


async def run(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *arguments,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode()
