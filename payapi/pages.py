"""Pages for people: templates in their language, headers that lock a page down, static files."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment

from texts import LANGUAGES, choose_language, jinja_environment

_ROOM: Final = Path(__file__).resolve().parent
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# `strict-origin`: some payment institutions want to see which site a payer comes from; the path,
# which names the order, is never told.
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action {posts_to}; frame-ancestors 'none'"
)
LOCKED: Final = {
    "Referrer-Policy": "strict-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def prepare() -> None:
    """Read catalogues, templates and static files now, so that a fault shows at the start."""
    _files()
    for lang in LANGUAGES:
        environment = _environment(lang)
        for name in environment.list_templates():
            environment.get_template(name)


def language(request: web.Request) -> str:
    """`?lang=`, else the browser's choice."""
    asked = request.query.get("lang", "")
    if asked in LANGUAGES:
        return asked
    return choose_language(request.headers.get("Accept-Language", ""))


def page(
    request: web.Request,
    name: str,
    facts: dict[str, Any],
    *,
    status: int = 200,
    posts_to: str = "'none'",
) -> web.Response:
    """A template as a page that no cache keeps, in the reader's language.

    posts_to: where its forms may lead, as a Content-Security-Policy says it.
    """
    lang = language(request)
    return web.Response(
        status=status,
        text=drawn(name, lang, facts),
        content_type="text/html",
        headers={**page_headers(lang, posts_to=posts_to), "Cache-Control": "no-store"},
    )


def drawn(name: str, lang: str, facts: dict[str, Any]) -> str:
    """A template's HTML in a language."""
    return _environment(lang).get_template(name).render(static=_static_address, **facts)


def page_headers(lang: str, *, posts_to: str = "'none'") -> dict[str, str]:
    """What goes with every page, whoever keeps it."""
    return {
        **LOCKED,
        "Content-Security-Policy": _POLICY.format(posts_to=posts_to),
        "Content-Language": lang,
        "Vary": "Accept-Language",
    }


async def static(request: web.Request) -> web.StreamResponse:
    """A file of static/, named with a mark of its content, so that it may be kept for long."""
    found = _files().get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    content, content_type = found
    return web.Response(
        body=content,
        headers={
            "Content-Type": content_type,
            "Cache-Control": "public, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _static_address(name: str) -> str:
    return f"/pay/static/{_marked(_ROOM / 'static' / name)}"


@cache
def _environment(lang: str) -> Environment:
    return jinja_environment([_ROOM / "templates"], lang)


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    return {
        _marked(path): (path.read_bytes(), _TYPES[path.suffix])
        for path in (_ROOM / "static").iterdir()
        if path.suffix in _TYPES
    }


@cache
def _marked(path: Path) -> str:
    mark = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return f"{path.stem}.{mark}{path.suffix}"
