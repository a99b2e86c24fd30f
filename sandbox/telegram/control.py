"""The control interface for tests and scripts, on its own listener behind a token."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.process import loopback_host_only, token_in_path
from sandbox.telegram.account import get_webhook_info
from sandbox.telegram.errors import ActError
from sandbox.telegram.faults import Fault
from sandbox.telegram.model import Json
from sandbox.telegram.people import act, change_chat, change_member, hold_chat
from sandbox.telegram.sandbox import Sandbox
from sandbox.telegram.views import chat_wire, person_message
from sandbox.telegram.wire import Call

BODY_MAX_BYTES = 80 * 1024 * 1024
ANSWERS_SHOWN = 200


def control_app(sandbox: Sandbox, token: str) -> web.Application:
    """The control listener's application; without the token nothing exists."""
    app = web.Application(
        middlewares=[loopback_host_only(), token_in_path(token)], client_max_size=BODY_MAX_BYTES
    )
    deeds: dict[str, Callable[[Sandbox, Json], Json]] = {
        "act": act,
        "member": change_member,
        "chat": change_chat,
        "fault": _fault,
        "hold": hold_chat,
        "strict": _strict,
        "update": _update,
    }
    for name, deed in deeds.items():
        app.router.add_post(f"/{token}/{name}", _deed(sandbox, deed))
    reads: dict[str, Callable[[Sandbox, web.Request], web.Response]] = {
        "transcript": _transcript,
        "file": _file,
        "state": _state,
    }
    for name, read in reads.items():
        app.router.add_get(f"/{token}/{name}", _read(sandbox, read))
    return app


async def read_object(request: web.Request) -> Json:
    """A request's JSON object; `ActError` 400 for anything else."""
    try:
        what = json.loads(await request.read())
    except ValueError as error:
        raise ActError(400, "the body must be one JSON object") from error
    if not isinstance(what, dict):
        raise ActError(400, "the body must be one JSON object")
    return what


def refusal(error: ActError) -> web.Response:
    return web.json_response({"error": str(error)}, status=error.code)


def query_int(request: web.Request, name: str, default: int | None = None) -> int:
    """A whole number of the query; `ActError` 400 when it is missing or none."""
    value = request.query.get(name)
    if value is None and default is not None:
        return default
    try:
        return int(value or "")
    except ValueError as error:
        raise ActError(400, f"{name} must be a whole number in the query") from error


def _deed(sandbox: Sandbox, deed: Callable[[Sandbox, Json], Json]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(deed(sandbox, await read_object(request)))
        except ActError as error:
            return refusal(error)

    return handle


def _read(sandbox: Sandbox, read: Callable[[Sandbox, web.Request], web.Response]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return read(sandbox, request)
        except ActError as error:
            return refusal(error)

    return handle


def _fault(sandbox: Sandbox, what: Json) -> Json:
    known = {"kind", "method", "times", "retry_after", "delay_s"}
    if not what.keys() <= known or "kind" not in what:
        raise ActError(400, f"give kind and any of {', '.join(sorted(known - {'kind'}))}")
    method = what.get("method")
    if method is not None and method not in sandbox.schema.played:
        raise ActError(404, f"no method {method!r} is played here")
    try:
        fault = Fault(
            str(what["kind"]),
            method,
            int(what.get("times", 1)),
            int(what.get("retry_after", 1)),
            float(what.get("delay_s", 1.0)),
        )
    except (TypeError, ValueError) as error:
        raise ActError(400, "times, retry_after and delay_s must be numbers") from error
    sandbox.faults.add(fault)
    return {"armed": len(sandbox.faults.waiting)}


def _strict(sandbox: Sandbox, what: Json) -> Json:
    strict = sandbox.limits.strict
    known = asdict(strict)
    if not what.keys() <= known.keys() or not all(type(v) is bool for v in what.values()):
        raise ActError(400, f"give any of {', '.join(known)}, true or false")
    for name, value in what.items():
        setattr(strict, name, value)
    return asdict(strict)


def _update(sandbox: Sandbox, what: Json) -> Json:
    """An update as it is given, for what a newer Telegram may send."""
    kind, chat_id, payload = what.get("kind"), what.get("chat_id"), what.get("payload")
    allowed = sandbox.world.webhook.allowed_updates
    if not isinstance(chat_id, int) or not isinstance(payload, dict):
        raise ActError(400, "give kind, chat_id (a number) and payload (an object)")
    if not isinstance(kind, str) or kind not in (allowed or ("message", "callback_query")):
        raise ActError(400, "the bot asked for no updates of this kind; GET state lists them")
    sandbox.world.queue(kind, chat_id, payload)
    sandbox.world.commit()
    return {"queued": True}


def _transcript(sandbox: Sandbox, request: web.Request) -> web.Response:
    chat_id = query_int(request, "chat_id")
    if chat_id not in sandbox.world.chats:
        raise ActError(404, f"no chat {chat_id}; GET state lists the chats")
    after = query_int(request, "after", 0)
    reader = query_int(request, "as", 0)
    shown = [
        person_message(sandbox.world, message)
        for message in sandbox.world.messages(chat_id)
        if message.id > after and not (reader and message.ephemeral_for not in (None, reader))
    ]
    return web.json_response(shown)


def _file(sandbox: Sandbox, request: web.Request) -> web.Response:
    stored = sandbox.world.files.get(request.query.get("file_id", ""))
    if stored is None:
        raise ActError(404, "no such file_id; a transcript lists the files of a message")
    return web.Response(body=sandbox.world.file_content(stored), content_type=stored.mime)


def _state(sandbox: Sandbox, _: web.Request) -> web.Response:
    world = sandbox.world
    callbacks = list(world.callbacks.values())[-ANSWERS_SHOWN:]
    state: dict[str, Any] = {
        "bot": world.bot.wire(),
        "webhook": get_webhook_info(sandbox, Call({})),
        "users": [
            user.wire() | {"role": user.role} for user in world.users.values() if not user.is_bot
        ],
        "chats": [
            chat_wire(world, chat)
            | {
                "kind": chat.kind,
                "members": {str(uid): status for uid, status in chat.members.items()},
                "messages": sum(1 for _ in world.messages(chat.id)),
                "migrated_to": chat.migrated_to,
            }
            for chat in world.chats.values()
        ],
        "callbacks": [
            {
                "callback_query_id": callback.id,
                "user_id": callback.user_id,
                "chat_id": callback.chat_id,
                "message_id": callback.message_id,
                "data": callback.data,
                "answer": callback.answer,
            }
            for callback in callbacks
        ],
        "commands": world.texts("commands"),
        "too_many_requests": sandbox.limits.refused,
        "faults": [asdict(fault) for fault in sandbox.faults.waiting],
    }
    return web.json_response(state)
