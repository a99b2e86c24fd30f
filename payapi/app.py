"""The Payment API's rooms on the one HTTP server: routes, request ids, errors, logs.

Each room is an aiohttp sub-application with its own middleware, so that nothing here touches
other routes of the server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from core.kernel.errors import Refusal
from core.runtime import Runtime
from core.system.store import DATABASE_AWAY
from payapi import account, callbacks, cashier, home, orders, pages
from payapi.answers import status_of
from payapi.auth import WrongSignature
from payapi.reference import Documents
from payapi.requests import ADDRESS, REQUEST_ID, RUNTIME, HungUp, Network, caller_address
from payapi.strangers import STRANGERS, Strangers
from payapi.wire import ErrorFacts, ErrorView
from texts import choose_language, refusal_text

_LOG = structlog.get_logger(__name__)

UNAVAILABLE_RETRY_S: Final = 5
# Whoever calls is answered within five seconds of waiting for us, if only by a 503. A supplier's
# answer has a limit of its own (`core.trade.orders.supplier_calls.TIMEOUTS`), and so has a body.
PATIENCE_S: Final = 4.5
# Nobody reads it: the caller hung up before it was answered. nginx calls it so.
_HUNG_UP: Final = 499
_SHOWN_CHARS: Final = 200
_GIVEN_UP: Final = web.RequestKey("given_up", bool)

Refuse = Callable[[web.Request, Refusal], web.StreamResponse]


def add_payapi(
    app: web.Application,
    runtime: Runtime,
    *,
    trusted_proxies: tuple[Network, ...],
    neighbours: home.Neighbours | None = None,
) -> None:
    """Add /v1, /callbacks, /pay, /docs/api and / to the server, and an answer to every other path.

    trusted_proxies: whose X-Forwarded-For is believed. neighbours: a demo's, for its first page.
    Raises TextsError when the catalogues contradict each other.
    """
    pages.prepare()
    strangers = Strangers()
    documents = Documents(runtime.system.public_url)
    rooms: list[tuple[str, list[web.RouteDef], Refuse]] = [
        ("/v1", [*orders.ROUTES, *account.ROUTES, *documents.document_routes], _refuse_in_json),
        ("/callbacks", callbacks.ROUTES, callbacks.refuse),
        ("/pay", cashier.ROUTES, cashier.refuse),
        ("/docs/api", documents.page_routes, cashier.refuse),
    ]
    for prefix, routes, refuse in rooms:
        room = web.Application(middlewares=[_entrance(trusted_proxies, refuse)])
        room[RUNTIME] = runtime
        room[STRANGERS] = strangers
        room.add_routes(routes)
        app.add_subapp(prefix, room)
    app[RUNTIME] = runtime
    if neighbours is not None:
        app[home.NEIGHBOURS] = neighbours
    front = app.router.add_get("/", home.show).resource
    app.middlewares.append(_hall(_entrance(trusted_proxies, _refuse_to_anybody), front))


def _hall(entrance: Middleware, front: web.AbstractResource | None) -> Middleware:
    """The entrance of the first page and of all paths where nothing is. Whatever else the server
    has, rooms and other routes, passes by."""

    @web.middleware
    async def hall(request: web.Request, handler: Handler) -> web.StreamResponse:
        found = request.match_info
        in_a_room = len(found.apps) > 1
        lost = found.http_exception is not None
        if in_a_room or not (lost or found.route.resource is front):
            return await handler(request)
        return await entrance(request, handler)

    return hall


def _entrance(trusted: Sequence[Network], refuse: Refuse) -> Middleware:
    """Names every request, answers every failure, and logs one line."""

    @web.middleware
    async def entrance(request: web.Request, handler: Handler) -> web.StreamResponse:
        started_s = time.perf_counter()
        request_id = request.app[RUNTIME].system.ids.uuid7().hex
        request[REQUEST_ID] = request_id
        request[ADDRESS] = caller_address(request, trusted)
        structlog.contextvars.bind_contextvars(request_id=request_id)  # a request has its own task
        answered = _logged(request, started_s, _answer(request, handler, refuse))
        try:
            return await request.app[RUNTIME].system.store.in_time(answered, PATIENCE_S)
        except TimeoutError:
            request[_GIVEN_UP] = True
            _LOG.error("request given up: what it needs does not answer", within_s=PATIENCE_S)
            response = _refused(request, Refusal("unavailable"), refuse)
            return _named(request, started_s, response)

    return entrance


async def _logged(
    request: web.Request, started_s: float, answered: Coroutine[Any, Any, web.StreamResponse]
) -> web.StreamResponse:
    """The answer with its line in the log, where somebody still waits for it."""
    response = await answered
    return response if request.get(_GIVEN_UP) else _named(request, started_s, response)


def _named(
    request: web.Request, started_s: float, response: web.StreamResponse
) -> web.StreamResponse:
    response.headers["Paydesk-Request-Id"] = request[REQUEST_ID]
    _LOG.info(
        "request", method=request.method, path=request.path[:_SHOWN_CHARS],
        status=response.status, ms=round((time.perf_counter() - started_s) * 1000, 1),
    )  # fmt: skip
    return response


async def _answer(request: web.Request, handler: Handler, refuse: Refuse) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        refused = refusal
    except HungUp:
        return web.Response(status=_HUNG_UP)
    except web.HTTPException as error:
        refused = _of_http(request, error)
        response = refuse(request, refused)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except DATABASE_AWAY as error:
        _LOG.error("request failed: something it needs is away", fault=repr(error)[:_SHOWN_CHARS])
        refused = Refusal("unavailable")
    except Exception:  # noqa: BLE001 - the last line of defence; it is logged with its traceback
        _LOG.exception("request failed")
        refused = Refusal("internal")
    return _refused(request, refused, refuse)


def _refused(request: web.Request, refused: Refusal, refuse: Refuse) -> web.StreamResponse:
    response = refuse(request, refused)
    if retry_after_s := _retry_after_s(refused):
        response.headers["Retry-After"] = retry_after_s
    return response


def _of_http(request: web.Request, error: web.HTTPException) -> Refusal:
    match error.status:
        case 404:
            return Refusal("page_not_found")
        case 405:
            return Refusal("method_not_allowed", method=request.method)
        case _:
            return Refusal("body_invalid")


def _retry_after_s(refusal: Refusal) -> str:
    if refusal.code == "unavailable":
        return str(UNAVAILABLE_RETRY_S)
    return refusal.facts.get("retry_after_s", "")


def _refuse_to_anybody(request: web.Request, refusal: Refusal) -> web.StreamResponse:
    """A page for a browser; for programs, which seldom ask for one, the API's envelope."""
    if "text/html" in request.headers.get("Accept", ""):
        return cashier.refuse(request, refusal)
    return _refuse_in_json(request, refusal)


def _refuse_in_json(request: web.Request, refusal: Refusal) -> web.StreamResponse:
    lang = choose_language(request.headers.get("Accept-Language", ""))
    desk_url = request.app[RUNTIME].system.public_url
    expected = refusal.expected_to_sign if isinstance(refusal, WrongSignature) else None
    view = ErrorView(
        error=ErrorFacts.model_validate(
            {
                "type": refusal.kind.type,
                "code": refusal.code,
                "message": refusal_text(refusal, lang),
                "param": refusal.param,
                "request_id": request[REQUEST_ID],
                "doc_url": f"{desk_url}/docs/api#error-{refusal.code}",
                "expected_to_sign": expected,
            }
        )
    )
    hidden = {"error": {"expected_to_sign"}} if expected is None else None
    return web.Response(
        status=status_of(refusal.code),
        text=view.model_dump_json(exclude=hidden),
        content_type="application/json",
        headers={"Content-Language": lang, "Cache-Control": "no-store"},
    )
