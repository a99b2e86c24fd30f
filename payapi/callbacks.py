"""Suppliers' callbacks over HTTP; what they mean is decided in core."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from core.connectors import Callback
from core.kernel.errors import Refusal
from payapi.requests import ADDRESS, REQUEST_ID, RUNTIME, raw_query, read_unpacked, storable


async def receive(request: web.Request) -> web.StreamResponse:
    """Hand a callback on as it came, and answer in the supplier's own words."""
    callback = Callback(
        method=request.method,
        query=raw_query(request),
        headers={name.lower(): storable(value) for name, value in request.headers.items()},
        body=await read_unpacked(request),
        address=request[ADDRESS],
    )
    reply = await request.app[RUNTIME].trade.callbacks.receive(
        request.match_info["attempt_no"], callback, request_id=request[REQUEST_ID]
    )
    return web.Response(
        status=reply.status, body=reply.body, headers={"Content-Type": reply.content_type}
    )


def refuse(request: web.Request, refusal: Refusal) -> web.StreamResponse:
    """Suppliers read no envelope: a plain word, and a status that makes them try again or not."""
    status = {
        "callback_unknown": 404,
        "page_not_found": 404,
        "method_not_allowed": 405,
        "body_too_large": 413,
        "body_invalid": 400,
        "unavailable": 503,
    }.get(refusal.code, 500)
    return web.Response(status=status, text=refusal.code)


ROUTES: Final[list[web.RouteDef]] = [
    web.get("/{attempt_no}", receive, allow_head=False),
    web.post("/{attempt_no}", receive),
]
