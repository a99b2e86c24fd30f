from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.sandbox.supplier.peer import Platform, Receiver, config, own_sign

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "refusal", [(500, "success"), (201, "success"), (200, "ok"), (200, "SUCCESS"), (200, "")]
)
async def test_only_200_success_is_delivery(
    platform: Platform, receiver: Receiver, refusal: tuple[int, str]
) -> None:
    receiver.answers = [refusal, (200, " success\r\n")]
    order = await platform.create()
    await platform.pay(order, "paid")
    [callback] = await platform.settled(order)
    assert callback["state"] == "delivered"
    tries = [(one["status"], one["answer"]) for one in callback["tries"]]
    assert tries == [refusal, (200, " success\r\n")]
    assert receiver.forms[0] == receiver.forms[1]


async def test_tries_end(platform: Platform, receiver: Receiver) -> None:
    receiver.answers = [(500, "x")] * 10
    order = await platform.create()
    await platform.pay(order, "paid")
    [callback] = await platform.settled(order)
    assert callback["state"] == "exhausted"
    assert len(callback["tries"]) == len(receiver.forms) == 4


async def test_a_slow_receiver_holds_nobody_up(platform: Platform, receiver: Receiver) -> None:
    hung = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hung.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        slow = await platform.create(notify_url=f"http://127.0.0.1:{port}/callback")
        await platform.pay(slow, "paid")
        await asyncio.wait_for(hung.wait(), 5)
        order = await platform.create()
        await platform.pay(order, "paid")
        await receiver.heard(1)
        assert (await platform.callbacks(slow))[0]["state"] == "pending"


async def launch(settings: dict[str, Any]) -> tuple[Process, dict[str, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox.supplier", cwd=ROOT, stdin=PIPE, stdout=PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(settings).encode() + b"\n")
    await process.stdin.drain()
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 10))
    return process, ready


async def end(process: Process) -> int:
    """Close its stdin, as the end of its parent does."""
    assert process.stdin is not None
    process.stdin.close()
    return await asyncio.wait_for(process.wait(), 10)


async def test_retries_go_on_after_kill_9(tmp_path: Path, receiver: Receiver) -> None:
    settings = config(tmp_path, callback_delays_s=[0, 0.4, 0.4])
    receiver.answers = [(500, "busy")]
    async with aiohttp.ClientSession() as http:
        process, ready = await launch(settings)
        platform = Platform(http, ready, receiver.url)
        order = await platform.create(out_trade_no="KILLED")
        await platform.pay(order, "paid")
        await receiver.heard(1)
        process.kill()
        await process.wait()

        process, ready = await launch(settings)
        platform = Platform(http, ready, receiver.url)
        [callback] = await platform.settled(order)
        assert callback["state"] == "delivered"
        assert len(receiver.forms) == 2
        assert receiver.forms[1] == receiver.forms[0]
        assert receiver.forms[1]["sign"] == own_sign(receiver.forms[1])
        state = await platform.call("query", out_trade_no="KILLED")
        assert (state["status"], state["trade_no"]) == ("SUCCESS", order["trade_no"])
        assert await end(process) == 0
