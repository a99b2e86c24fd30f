"""The Bot API over HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`."""

from __future__ import annotations

import asyncio
import hmac
from contextlib import suppress
from typing import Any

from aiohttp import web

from sandbox.telegram import account, chats, edits, sends
from sandbox.telegram.errors import ApiError, too_many
from sandbox.telegram.faults import Fault
from sandbox.telegram.sandbox import Sandbox
from sandbox.telegram.updates import Polling
from sandbox.telegram.wire import Call, read_request

METHODS = {**sends.METHODS, **edits.METHODS, **chats.METHODS, **account.METHODS}
DESCRIPTIONS = {"setWebhook": "Webhook was set", "deleteWebhook": "Webhook was deleted"}


class BotApi:
    """Answers a bot's calls; one instance per sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._polling = Polling(sandbox)
        missing = sandbox.schema.played - METHODS.keys() - {"getUpdates"}
        assert not missing, missing

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_route("*", "/bot{token}/{method}", self.handle)
        router.add_get("/file/bot{token}/{path:.+}", self.handle_file)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One method call; every refusal is answered in Telegram's shape."""
        try:
            self._check_token(request)
            method = self._sandbox.schema.method_name(request.match_info["method"])
            fault = self._sandbox.faults.for_call(method)
            result = await self._call(request, method, fault)
            if fault is not None and fault.kind == "lost_answer":
                return _hang_up(request)
        except ApiError as error:
            headers = {}
            if error.parameters and "retry_after" in error.parameters:
                headers["Retry-After"] = str(error.parameters["retry_after"])
            return web.json_response(error.body(), status=error.code, headers=headers)
        except ConnectionResetError:
            return _hang_up(request)
        answer: dict[str, Any] = {"ok": True, "result": result}
        if method in DESCRIPTIONS:
            answer["description"] = DESCRIPTIONS[method]
        return web.json_response(answer)

    async def handle_file(self, request: web.Request) -> web.StreamResponse:
        """A file's bytes by the `file_path` of getFile."""
        try:
            self._check_token(request)
        except ApiError as error:
            return web.json_response(error.body(), status=error.code)
        for stored in self._sandbox.world.files.values():
            if stored.path == request.match_info["path"]:
                content = self._sandbox.world.file_content(stored)
                return web.Response(body=content, content_type="application/octet-stream")
        return web.json_response(ApiError(404, "Not Found").body(), status=404)

    async def _call(self, request: web.Request, method: str, fault: Fault | None) -> Any:
        raw, files = await read_request(request)
        if fault is not None:
            await self._strike(fault, raw.get("chat_id"))
        params = self._sandbox.schema.read_params(method, raw, frozenset(files))
        call = Call(params, files)
        if method == "getUpdates":
            return await self._polling.get_updates(call)
        try:
            return METHODS[method](self._sandbox, call)
        finally:
            # Also after a refusal: an upload may have been kept before it.
            self._sandbox.world.commit()

    def _check_token(self, request: web.Request) -> None:
        given = request.match_info["token"].encode()
        if not hmac.compare_digest(given, self._sandbox.token.encode()):
            raise ApiError(401, "Unauthorized")

    async def _strike(self, fault: Fault, chat_id: object) -> None:
        if fault.kind == "429":
            with suppress(ValueError):  # a channel's name, or none
                self._sandbox.limits.close(int(str(chat_id)), fault.retry_after_s)
            raise too_many(fault.retry_after_s)
        if fault.kind == "500":
            raise ApiError(500, "Internal Server Error")
        if fault.kind in {"slow", "timeout"}:
            await asyncio.sleep(fault.delay_s)
        if fault.kind == "timeout":
            raise ConnectionResetError


def _hang_up(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer, as a lost network would."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
