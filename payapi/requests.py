"""Reading what came in over HTTP: whose address it is, and a body that has an end."""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from aiohttp import hdrs, web

from core.kernel.errors import Refusal
from core.runtime import Runtime
from payapi.wire import Expected

Network = IPv4Network | IPv6Network
RUNTIME: Final = web.AppKey("runtime", Runtime)
REQUEST_ID: Final = web.RequestKey("request_id", str)
ADDRESS: Final = web.RequestKey("address", str)

ONCE_EXPECTED: Final = Expected("at most once")
BODY_LIMIT_BYTES: Final = 64 * 1024
_MAX_FORWARDED: Final = 20
# Most calls come from a few addresses.
_ADDRESSES_KEPT: Final = 1024
_MAX_SHOWN_CHARS: Final = 40
_PACKED: Final = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS  # told apart by their first bytes
_ADDRESS: Final = re.compile(
    r"\[(?P<v6>[^\[\]]+)\](?::\d{1,5})?|(?P<v4>[\d.]+):\d{1,5}|(?P<bare>[^\[\]]+)", re.ASCII
)
_NOBODY: Final = "0.0.0.0"  # noqa: S104 - the caller's address where a socket has none


class HungUp(Exception):
    """The caller is gone: nobody reads an answer."""


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


@lru_cache(_ADDRESSES_KEPT)
def _read(text: str) -> IPv4Address | IPv6Address | None:
    """An address as sockets and proxies write it, some with the port: `203.0.113.7:51234`,
    `[2001:db8::1]:443`."""
    found = _ADDRESS.fullmatch(text.strip())
    try:
        address = ip_address(found["v6"] or found["v4"] or found["bare"]) if found else None
    except ValueError:
        address = None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


async def read_body(request: web.Request) -> bytes:
    """The body's bytes as they were sent, which is what callers sign.

    Refusals: body_encoded, body_too_large, body_invalid (it is no body). Raises HungUp.
    """
    encoding = _content_encoding(request)
    if encoding:
        raise Refusal("body_encoded", param=hdrs.CONTENT_ENCODING, encoding=encoding)
    return await _read_raw(request)


async def read_unpacked(request: web.Request) -> bytes:
    """The body with gzip or deflate undone: suppliers sign what is inside.

    What does not unpack is given as it came, since the header proves nothing: `UTF-8` is seen
    there, and so is `gzip` where a proxy unpacked. The signature decides; what is not readable is
    refused where staff see it. Refusals: body_too_large, body_invalid (it is no body). Raises
    HungUp.
    """
    encoding = _content_encoding(request)
    body = await _read_raw(request)
    if encoding not in _PACKED:
        return body
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        unpacked = unpacker.decompress(body, BODY_LIMIT_BYTES + 1)
    except zlib.error:
        return body
    if len(unpacked) > BODY_LIMIT_BYTES:
        raise Refusal("body_too_large", limit_bytes=BODY_LIMIT_BYTES)
    return unpacked if unpacker.eof and not unpacker.unused_data else body


def _content_encoding(request: web.Request) -> str:
    """How the body is packed, in lower case; empty where it is not. At most 40 characters."""
    said = ", ".join(request.headers.getall(hdrs.CONTENT_ENCODING, ())).strip().lower()
    return "" if said == "identity" else said[:_MAX_SHOWN_CHARS]


async def _read_raw(request: web.Request) -> bytes:
    if (request.content_length or 0) > BODY_LIMIT_BYTES:
        raise Refusal("body_too_large", limit_bytes=BODY_LIMIT_BYTES)
    if not request.can_read_body:
        return b""
    body = bytearray()
    try:
        with request.app[RUNTIME].system.store.elsewhere():  # it is the caller whom we wait for
            async for part in request.content.iter_chunked(BODY_LIMIT_BYTES):
                body += part
                if len(body) > BODY_LIMIT_BYTES:
                    raise Refusal("body_too_large", limit_bytes=BODY_LIMIT_BYTES)
    except web.RequestPayloadError:
        raise Refusal("body_invalid") from None
    except ConnectionError:
        raise HungUp from None
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
    """The query as it was sent, without the question mark. It is ASCII: no other gets in."""
    return request.raw_path.partition("?")[2]


def storable(text: str) -> str:
    """A header as a text that can be stored: bytes that are no UTF-8 came as lone surrogates."""
    return text.encode(errors="surrogateescape").decode(errors="replace")
