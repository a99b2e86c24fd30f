"""Reading what came in over HTTP: whose address it is, and a body that has an end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from aiohttp import web

from core.errors import Refusal
from core.runtime import Runtime
from payapi.wire import Expected

Network = IPv4Network | IPv6Network
RUNTIME: Final = web.AppKey("runtime", Runtime)
REQUEST_ID: Final = web.RequestKey("request_id", str)
ADDRESS: Final = web.RequestKey("address", str)

ONCE_EXPECTED: Final = Expected("at most once")
BODY_LIMIT_BYTES: Final = 64 * 1024
_MAX_FORWARDED: Final = 20
_NOBODY: Final = "0.0.0.0"  # noqa: S104 - the caller's address where a socket has none


def caller_address(request: web.Request, trusted: Sequence[Network]) -> str:
    """The address that is responsible for a request.

    X-Forwarded-For counts only as far as trusted proxies wrote it: read from the right, the
    first address that is none of theirs.
    """
    address = _read(request.remote or _NOBODY)
    if address is None:
        return _NOBODY
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    for entry in reversed(forwarded[-_MAX_FORWARDED:]):
        if not any(address in network for network in trusted):
            break
        before = _read(entry)
        if before is None:
            break
        address = before
    return str(address)


def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


async def read_body(request: web.Request) -> bytes:
    """The whole body. Refusals: body_too_large, body_invalid (it broke off, or is badly packed)."""
    if (request.content_length or 0) > BODY_LIMIT_BYTES:
        raise Refusal("body_too_large", limit_bytes=BODY_LIMIT_BYTES)
    body = bytearray()
    try:
        async for part in request.content.iter_chunked(BODY_LIMIT_BYTES):
            body += part
            if len(body) > BODY_LIMIT_BYTES:
                raise Refusal("body_too_large", limit_bytes=BODY_LIMIT_BYTES)
    except web.RequestPayloadError:
        raise Refusal("body_invalid") from None
    return bytes(body)


def read_query(request: web.Request, known: Collection[str] = ()) -> dict[str, str]:
    """The query's parameters. Refusals: field_unknown; field_invalid when one is there twice."""
    found: dict[str, str] = {}
    for name, value in request.query.items():
        if name not in known:
            raise Refusal("field_unknown", param=name[:80])
        if name in found:
            raise Refusal("field_invalid", param=name, expected=ONCE_EXPECTED.text)
        found[name] = value
    return found


def raw_query(request: web.Request) -> str:
    """The query as it was sent, without the question mark."""
    return request.raw_path.partition("?")[2]
