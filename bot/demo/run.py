"""Runs a demo: servers, sandbox processes and the desk, started together, stopped in order.

Importing the desk takes longer than starting all the others, so it is done beside them: what
this module itself imports is light.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import shlex
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from bot.demo.home import forget, half_made, refuse_production_settings, write_private
from bot.demo.sample import sample_script
from bot.embedded import EmbeddedPostgres, EmbeddedValkey, HomeLock, keep_running
from bot.neighbours import Neighbour
from bot.process import free_ports, keep_what_is_there, until_told_to_stop

HOST: Final = "127.0.0.1"
PORTS: Final = 7  # the desk, its admin listener, and five of the sandbox


async def run_demo(
    home: Path, *, port: int, fresh: bool, ready_file: Path | None, empty: bool = False
) -> None:
    """Run a demo until told to stop. port: of the desk, its neighbours have the next ones; 0
    chooses free ones. empty: of a new one, that nothing has happened at its desk.

    Raises HomeInUse, DemoRefused, PortTaken, EmbeddedError, NeighbourFailed.
    """
    refuse_production_settings()
    say = _Progress()
    with HomeLock(home):
        if fresh:
            await forget(home)
            say("the old demo is gone")
        elif half_made(home):
            await forget(home)
            say("the first start ended too soon: it is begun anew")
        if ready_file is not None:
            ready_file.unlink(missing_ok=True)  # an old one must not look like a ready desk
        first_time = not (home / "postgres").exists()
        say("starting PostgreSQL, Valkey, the sandbox and the desk …")
        async with AsyncExitStack() as stack:
            given = os.environ.get("PAYDESK_POSTGRES_BIN")
            postgres = EmbeddedPostgres(home, bin_dir=Path(given) if given else None)
            valkey = EmbeddedValkey(home)
            first = port or free_ports(HOST, PORTS)
            ready = await _start(stack, home, first, postgres, valkey, say, empty=empty)
            if ready_file is not None:
                write_private(ready_file, json.dumps(ready, ensure_ascii=False, indent=2))
            say("ready" + ("" if first_time else ", with the data of before"))
            print(_greeting(ready, home), flush=True)
            keep_what_is_there()
            await until_told_to_stop(keep_running(postgres), keep_running(valkey))
            say("stopping …")
    say(f"stopped; the data stays in {home}")


async def _start(
    stack: AsyncExitStack,
    home: Path,
    first: int,
    postgres: EmbeddedPostgres,
    valkey: EmbeddedValkey,
    say: _Progress,
    *,
    empty: bool,
) -> dict[str, Any]:
    """Start everything, and leave with the stack how it is stopped. Returns the ready file."""
    log = home / "log"
    neighbours = {
        name: Neighbour(f"sandbox.{name}", log / f"{name}.log")
        for name in ("telegram", "supplier", "shop")
    }
    for stop in (postgres.stop, valkey.stop, *(n.stop for n in neighbours.values())):
        stack.push_async_callback(stop)
    await asyncio.gather(*(neighbour.spawn() for neighbour in neighbours.values()))
    inside, *_ = await asyncio.gather(
        asyncio.to_thread(importlib.import_module, "bot.demo.inside"),
        postgres.start(),
        valkey.start(),
    )
    say("PostgreSQL and Valkey run")
    demo = inside.Demo(home, HOST, first, empty=empty)
    ready: dict[str, Any] = await demo.start(stack, postgres, valkey, neighbours, say)
    return ready


class _Progress:
    """Lines that say how far it is, with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, text: str) -> None:
        print(f"  {time.monotonic() - self._started:5.1f} s  {text}", flush=True)


def _greeting(ready: dict[str, Any], home: Path) -> str:
    merchant = ready["merchants"][0]
    verify = shlex.join([sys.executable, "-m", "bot", "verify-books", "--home", str(home)])
    return f"""
Paydesk demo — no real money, no real Telegram; everything stays on this machine.

  Start here     {ready["desk"]}/   (leads to all of these)
  Chat page      {ready["telegram"]["page"]}
  Shop           {ready["shop"]["page"]}   (creates orders, receives notifications)
  Supplier       {ready["supplier"]["page"]}   (the payments it was asked for)
  Cashier link   {ready["cashier"]}
  API page       {ready["desk"]}/docs/api

The books are re-added, and every difference printed, by

  {verify}

A ready-made signed order of merchant {merchant["merchant_no"]} (paste into a terminal):

{sample_script(ready["desk"], merchant)}
Stop with Ctrl-C. The next start keeps everything; `make run FRESH=1` starts anew.
"""
