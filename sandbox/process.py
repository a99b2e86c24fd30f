"""The common life of a sandbox process: configured on stdin, ready on stdout, tied to its parent.

The parent writes one line of JSON to stdin and keeps the pipe open. The process answers one line
of JSON on stdout when it is ready and ends when stdin reaches its end (the parent is gone, even
by `kill -9`) or on SIGTERM or SIGINT.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

Start: TypeAlias = Callable[[dict[str, Any]], AbstractAsyncContextManager[dict[str, str]]]

EXIT_OK = 0
EXIT_REFUSED = 2
MAX_CONFIG_BYTES = 1_000_000
MIN_TOKEN_CHARS = 16
PAGES = ("desk", "chat", "shop", "supplier", "docs")


class ConfigError(Exception):
    """The configuration cannot be used; the message says which part and what was expected."""


def run_process(start: Start) -> int:
    """Run one sandbox process to its end and return its exit code.

    `start(config)` is entered once; what it yields is the ready line. Exit 0 after an orderly
    end; exit 2 with one line on stderr when the configuration is bad or a port is taken.
    """
    try:
        config = _read_config()
        asyncio.run(_live(start, config))
    except (ConfigError, OSError) as error:
        print(f"sandbox: {error}", file=sys.stderr, flush=True)
        return EXIT_REFUSED
    return EXIT_OK


def check_loopback(host: str) -> str:
    """The host itself when it is a loopback address, else `ConfigError`."""
    if host == "localhost":
        return host
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ConfigError(f"host must be a loopback address such as 127.0.0.1, not {host!r}")
    return host


def config_text(config: dict[str, Any], key: str) -> str:
    """A required, non-empty text of the configuration, else `ConfigError` naming the key."""
    value = config.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"config.{key} must be a non-empty string")
    return value


def config_token(config: dict[str, Any], key: str) -> str:
    """A required secret path segment: at least 16 URL-safe characters, else `ConfigError`."""
    value = config_text(config, key)
    plain = value.replace("-", "").replace("_", "")
    if len(value) < MIN_TOKEN_CHARS or not (plain.isascii() and plain.isalnum()):
        raise ConfigError(f"config.{key} must be at least {MIN_TOKEN_CHARS} URL-safe characters")
    return value


def config_port(config: dict[str, Any], key: str) -> int:
    """A port, 0 for any free one (also when absent), else `ConfigError`."""
    value = config.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65535:
        raise ConfigError(f"config.{key} must be a port between 0 and 65535")
    return value


def config_pages(config: dict[str, Any]) -> dict[str, str]:
    """`pages`: the neighbours' pages that ours lead to, name -> URL, in the order of `PAGES`.

    None is needed; a name that is none of `PAGES`, or no URL, is a `ConfigError`.
    """
    pages = config.get("pages", {})
    if not isinstance(pages, dict) or not set(pages) <= set(PAGES):
        raise ConfigError(f"config.pages must be an object with any of {', '.join(PAGES)}")
    for name, url in pages.items():
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise ConfigError(f"config.pages.{name} must be an http or https URL")
    return {name: pages[name] for name in PAGES if name in pages}


def token_in_path(token: str) -> Middleware:
    """Middleware: only paths whose first segment is `token` exist.

    Everything else, also the right path with a wrong token, is 404 with an empty body. Routes
    are registered as `/{token}/...`.
    """
    wanted = token.encode()

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        first = request.path.lstrip("/").split("/", 1)[0]
        if not hmac.compare_digest(first.encode(), wanted):
            return web.Response(status=404)
        return await handler(request)

    return guard


def loopback_host_only() -> Middleware:
    """Middleware: refuses requests whose Host header is not this machine (DNS rebinding)."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_loopback_host(request.headers.get("Host", "")):
            return web.Response(status=404)
        return await handler(request)

    return guard


def is_loopback_host(host_header: str) -> bool:
    """Whether a Host header, with or without a port, names this machine's loopback."""
    if host_header.startswith("["):
        name = host_header[1:].split("]", 1)[0]
    else:
        name = host_header.rsplit(":", 1)[0] if ":" in host_header else host_header
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Serve `app` on `host:port` (port 0: any free one) and yield the base URL.

    Raises `OSError` naming the port when it is taken.
    """
    check_loopback(host)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise OSError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
        bound = runner.addresses[0][1]
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{bound}"
    finally:
        await runner.cleanup()


def _read_config() -> dict[str, Any]:
    # Unbuffered byte reads would be slow and a text layer would swallow what follows the line;
    # nothing follows it, so the buffered reader is safe here.
    line = sys.stdin.buffer.readline(MAX_CONFIG_BYTES)
    try:
        config = json.loads(line)
    except ValueError as error:
        raise ConfigError("the first line on stdin must be one JSON object") from error
    if not isinstance(config, dict):
        raise ConfigError("the first line on stdin must be one JSON object")
    return config


async def _live(start: Start, config: dict[str, Any]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    threading.Thread(target=_watch_parent, args=(loop, stop), daemon=True).start()
    async with start(config) as ready:
        print(json.dumps(ready), flush=True)
        await stop.wait()


def _watch_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    try:
        loop.call_soon_threadsafe(stop.set)
    except RuntimeError:  # the loop has already ended on its own
        return
