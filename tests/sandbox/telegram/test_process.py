"""The process: its lines, its ends, and what it still knows after `kill -9`."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sandbox.process import ConfigError, listening
from sandbox.telegram.server import start
from tests.sandbox.telegram.room import ANN, GROUP, TOKEN, WAIT_S, config, encoded, png

ROOT = Path(__file__).parents[3]


async def spawn(settings: Any) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox.telegram",
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(settings).encode() + b"\n")
    return process


@asynccontextmanager
async def running(
    settings: Any,
) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, str]]]:
    process = await spawn(settings)
    assert process.stdout is not None
    try:
        ready = await asyncio.wait_for(process.stdout.readline(), WAIT_S)
        yield process, json.loads(ready)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def refused(settings: Any) -> str:
    process = await spawn(settings)
    out, err = await asyncio.wait_for(process.communicate(), WAIT_S)
    assert (process.returncode, out) == (2, b"")
    [line] = err.decode().splitlines()
    return line


async def post(http: aiohttp.ClientSession, url: str, what: dict[str, Any]) -> Any:
    async with http.post(url, json=what) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def test_everything_survives_a_kill(tmp_path: Path) -> None:
    got: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    answers = [503]

    async def hook(request: web.Request) -> web.Response:
        got.put_nowait(await request.json())
        return web.Response(status=answers[0])

    app = web.Application()
    app.router.add_post("/hook", hook)
    async with listening(app, "127.0.0.1", 0) as hook_url, aiohttp.ClientSession() as http:
        async with running(config(tmp_path)) as (process, urls):
            bot = f"{urls['api']}/bot{TOKEN}"
            webhook = {"url": f"{hook_url}/hook", "secret_token": "kept"}
            await post(http, f"{bot}/setWebhook", webhook)
            photo = {"as": ANN, "chat_id": GROUP, "photo": encoded(png()), "caption": "kept"}
            sent = await post(http, f"{urls['control']}/act", photo)
            first = await asyncio.wait_for(got.get(), WAIT_S)
            process.kill()
            await process.wait()
        answers[0] = 200
        async with running(config(tmp_path)) as (_, urls):
            # The update that was never taken comes again, also while the old one is repeated.
            again = await asyncio.wait_for(got.get(), WAIT_S)
            assert again == first
            url = f"{urls['control']}/transcript?chat_id={GROUP}"
            async with http.get(url) as response:
                [shown] = await response.json()
            assert (shown["id"], shown["text"]) == (sent["message_id"], "kept")
            file_url = f"{urls['control']}/file?file_id={shown['files'][0]['file_id']}"
            async with http.get(file_url) as response:
                assert await response.read() == png()
            bot = f"{urls['api']}/bot{TOKEN}"
            reply = await post(http, f"{bot}/sendMessage", {"chat_id": GROUP, "text": "next"})
            assert reply["result"]["message_id"] == sent["message_id"] + 1


async def test_it_ends_with_its_parent_and_on_sigterm(tmp_path: Path) -> None:
    async with running(config(tmp_path)) as (process, urls):
        assert urls.keys() == {"api", "page", "control"}
        assert process.stdin is not None
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), WAIT_S) == 0
    async with running(config(tmp_path)) as (process, _):
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), WAIT_S) == 0


async def test_what_cannot_start_says_why_in_one_line(tmp_path: Path) -> None:
    good = config(tmp_path)
    async with running(good) as (_, urls):
        taken = int(urls["api"].rsplit(":", 1)[1])
        elsewhere = {**good, "home": str(tmp_path / "other"), "port": taken}
        lines = await asyncio.gather(refused([]), refused(elsewhere), refused(good))
    assert "one JSON object" in lines[0]
    assert f"cannot listen on 127.0.0.1:{taken}" in lines[1]
    assert "in use by another sandbox" in lines[2]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("host", "192.0.2.1", "host must be a loopback address"),
        ("port", 70000, r"config\.port must be"),
        ("control_token", "short", r"config\.control_token must be"),
        ("page_token", "with/a/slash/in/it/", r"config\.page_token must be"),
        ("bot", None, r"config\.bot must be"),
        ("pages", {"bank": "http://127.0.0.1:1/"}, r"config\.pages must be"),
        ("world", {"chats": [{"id": -1, "type": "club"}]}, "chat type must be one of"),
    ],
)
async def test_a_bad_configuration_is_named(
    tmp_path: Path, key: str, value: Any, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        async with start({**config(tmp_path), key: value}):
            pass
    async with start(config(tmp_path)):
        pass  # what was refused left nothing locked


async def test_a_home_belongs_to_one_bot(tmp_path: Path) -> None:
    async with start(config(tmp_path)):
        pass
    other = config(tmp_path)
    other["bot"]["id"] = 43
    with pytest.raises(ConfigError, match="belongs to bot 42"):
        async with start(other):
            pass


async def test_the_chat_page_leads_to_the_neighbours(tmp_path: Path) -> None:
    pages = {"desk": "http://127.0.0.1:1/", "chat": "http://127.0.0.1:2/", "shop": "http://x.test/"}
    async with (
        start({**config(tmp_path), "pages": pages}) as urls,
        aiohttp.ClientSession() as http,
        http.get(f"{urls['page']}api/world") as response,
    ):
        world = await response.json()
    assert world["pages"] == {"desk": pages["desk"], "shop": pages["shop"]}
