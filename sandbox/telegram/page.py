"""The chat page: its files, and the small interface it uses, behind the page's token."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TypeAlias

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.process import ConfigError, is_loopback_host
from sandbox.telegram.control import query_int, read_object, refusal
from sandbox.telegram.errors import ActError
from sandbox.telegram.model import PRESENT, Chat, Json
from sandbox.telegram.people import act
from sandbox.telegram.sandbox import Sandbox
from sandbox.telegram.views import page_message, preview
from sandbox.telegram.world import World

STATIC = Path(__file__).with_name("static")
ASSETS = {
    "": ("index.html", "text/html"),
    "app.js": ("app.js", "text/javascript"),
    "words.js": ("words.js", "text/javascript"),
    "draw.js": ("draw.js", "text/javascript"),
    "style.css": ("style.css", "text/css"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'; object-src 'none'"
    ),
    # The page's address carries its token, so no link may pass it on.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
PAGE_SIZE = 200
QUEUE_MAX = 1000
HEARTBEAT_S = 15.0
Tries: TypeAlias = dict[str, dict[str, list[Json]]]
INLINE_TYPES = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "video/mp4", "video/webm"}
)


def config_tries(config: Json) -> Tries:
    """`tries`: words to try, by chat (its id, or `private`) and by role; none is needed.

    Each is `{"text", "what"}`; anything else is a `ConfigError`.
    """
    tries = config.get("tries", {})
    try:
        words = [one for chat in tries.values() for role in chat.values() for one in role]
        sound = all(one.keys() == {"text", "what"} for one in words)
    except (AttributeError, TypeError):
        sound = False
    if not sound:
        raise ConfigError("config.tries must be {chat: {role: [{text, what}]}}")
    found: Tries = tries
    return found


class Page:
    """The routes of the chat page under `/<token>/`. pages: what it leads to, name -> URL. tries:
    words to try, by chat (its id, or `private`) and by role: a text, and what it is for."""

    def __init__(self, sandbox: Sandbox, token: str, pages: dict[str, str], tries: Tries) -> None:
        self._sandbox = sandbox
        self._tries = tries
        self._token = token
        self._pages = {name: url for name, url in pages.items() if name != "chat"}
        self._readers: set[asyncio.Queue[Json | None]] = set()

    def add_to(self, app: web.Application) -> None:
        """Put the page's routes on an application; its live readers end with it."""
        self._add_routes(app.router)
        app.on_shutdown.append(self._let_go)

    async def _let_go(self, _: web.Application) -> None:
        for queue in self._readers:
            queue.put_nowait(None)

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        base = f"/{self._token}"
        router.add_get(base, self._guarded(self._index))
        for name in ASSETS:
            router.add_get(f"{base}/{name}", self._guarded(self._asset))
        router.add_get(f"{base}/api/world", self._guarded(self._world))
        router.add_get(f"{base}/api/messages", self._guarded(self._messages))
        router.add_get(f"{base}/api/events", self._guarded(self._events))
        router.add_get(f"{base}/api/file/{{file_id}}", self._guarded(self._file))
        router.add_post(f"{base}/api/act", self._guarded(self._act))

    def _guarded(self, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            # A name that resolves here from outside must not reach the page (DNS rebinding).
            if not is_loopback_host(request.headers.get("Host", "")):
                return web.Response(status=404)
            try:
                response = await handler(request)
            except ActError as error:
                response = refusal(error)
            if not response.prepared:
                response.headers.update(HEADERS)
            return response

        return handle

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": f"/{self._token}/"})

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        name, mime = ASSETS[request.path.rsplit("/", 1)[1]]
        return web.Response(text=(STATIC / name).read_text("utf-8"), content_type=mime)

    async def _world(self, request: web.Request) -> web.StreamResponse:
        world = self._sandbox.world
        people = [user for user in world.users.values() if not user.is_bot]
        viewer_id = query_int(request, "as", people[0].id if people else 0)
        chats = [c for c in world.chats.values() if _visible(c, viewer_id)]
        return web.json_response(
            {
                "as": viewer_id,
                "pages": self._pages,
                "bot": {"id": world.bot.id, "name": world.bot.name},
                "users": [{"id": u.id, "name": u.name, "role": u.role} for u in people],
                "chats": [_chat_shown(world, chat, viewer_id) for chat in chats],
                "tries": {chat.id: self._tries_in(chat, viewer_id) for chat in chats},
            }
        )

    def _tries_in(self, chat: Chat, viewer_id: int) -> list[Json]:
        viewer = self._sandbox.world.users.get(viewer_id)
        here = self._tries.get("private" if chat.type == "private" else str(chat.id), {})
        return here.get(viewer.role, []) if viewer is not None else []

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        viewer_id = query_int(request, "as")
        chat = self._visible_chat(query_int(request, "chat_id"), viewer_id)
        before = query_int(request, "before", 2**53)
        seen = [
            message
            for message in self._sandbox.world.messages(chat.id)
            if message.id < before and message.ephemeral_for in (None, viewer_id)
        ]
        shown = [page_message(self._sandbox.world, m) for m in seen[-PAGE_SIZE:]]
        return web.json_response({"messages": shown, "more": len(seen) > PAGE_SIZE})

    async def _act(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(act(self._sandbox, await read_object(request)))

    async def _file(self, request: web.Request) -> web.StreamResponse:
        stored = self._sandbox.world.files.get(request.match_info["file_id"])
        if stored is None:
            raise ActError(404, "no such file")
        content = self._sandbox.world.file_content(stored)
        response = web.Response(body=content, content_type=stored.mime)
        if stored.mime not in INLINE_TYPES:
            # What a chat carries must not run as part of this page.
            response.content_type = "application/octet-stream"
            response.headers["Content-Disposition"] = "attachment"
        return response

    async def _events(self, request: web.Request) -> web.StreamResponse:
        viewer_id = query_int(request, "as")
        queue: asyncio.Queue[Json | None] = asyncio.Queue()
        response = web.StreamResponse(
            headers={**HEADERS, "Content-Type": "text/event-stream; charset=utf-8"}
        )

        def hear(event: Json) -> None:
            # A reader too slow to keep up is let go; it reloads when it comes back.
            queue.put_nowait(event if queue.qsize() < QUEUE_MAX else None)

        stop_listening = self._sandbox.world.listen(hear)
        self._readers.add(queue)
        try:
            await response.prepare(request)
            await response.write(b"retry: 1000\nevent: hello\ndata: {}\n\n")
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
                except TimeoutError:
                    await response.write(b": alive\n\n")
                    continue
                if event is None:
                    return response
                shown = self._shown(event, viewer_id)
                if shown is not None:
                    data = json.dumps(shown, ensure_ascii=False)
                    await response.write(f"data: {data}\n\n".encode())
        except ConnectionResetError:
            return response
        finally:
            self._readers.discard(queue)
            stop_listening()

    def _shown(self, event: Json, viewer_id: int) -> Json | None:
        world = self._sandbox.world
        chat = world.chats.get(event.get("chat_id", 0))
        if chat is None or not (_visible(chat, viewer_id) or event["event"] == "chat"):
            return None
        if event["event"] == "toast" and event["user_id"] != viewer_id:
            return None
        if event["event"] != "message":
            return event
        message = world.message(chat.id, event["message_id"])
        if message is None or message.ephemeral_for not in (None, viewer_id):
            return None
        return {
            "event": "message",
            "chat_id": chat.id,
            "message": page_message(world, message),
            "chat": _chat_shown(world, chat, viewer_id),
        }

    def _visible_chat(self, chat_id: int, viewer_id: int) -> Chat:
        chat = self._sandbox.world.chats.get(chat_id)
        if chat is None or not _visible(chat, viewer_id):
            raise ActError(404, "no such chat for this person")
        return chat


def _visible(chat: Chat, viewer_id: int) -> bool:
    return chat.status(viewer_id) in PRESENT and chat.migrated_to is None


def _chat_shown(world: World, chat: Chat, viewer_id: int) -> Json:
    title = world.bot.name if chat.type == "private" else chat.title
    last = world.last_message(chat.id, viewer_id)
    pinned = world.message(chat.id, chat.pinned[-1]) if chat.pinned else None
    return {
        "id": chat.id,
        "type": chat.type,
        "title": title,
        "kind": chat.kind,
        "members": sum(status in PRESENT for status in chat.members.values()),
        "can_write": chat.type != "channel" or chat.status(viewer_id) != "member",
        "can_be_anonymous": chat.is_group
        and chat.status(viewer_id) in {"creator", "administrator"},
        "last": preview(world, last) if last else None,
        "pinned": preview(world, pinned) if pinned else None,
    }
