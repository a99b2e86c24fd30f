"""Answers of the Payment API: views as JSON, and the HTTP status of every refusal."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from pydantic import BaseModel

from core.kernel.errors import Family, declared

_STATUS_OF_TYPE: Final[dict[Family, int]] = {
    "invalid_request": 400,
    "authentication": 401,
    "permission": 403,
    "not_found": 404,
    "conflict": 409,
    "supplier": 422,
    "rate_limited": 429,
    "internal": 500,
}
_STATUS_OF_CODE: Final[dict[str, int]] = {
    "body_too_large": 413,
    "body_encoded": 415,
    "method_not_allowed": 405,
    "unavailable": 503,
}


def status_of(code: str) -> int:
    """The HTTP status of a refusal."""
    return _STATUS_OF_CODE.get(code) or _STATUS_OF_TYPE[declared()[code].type]


def answer(view: BaseModel, *, status: int = 200, again: bool = False) -> web.Response:
    """A view as JSON. again: nothing new was made, the caller had asked for this before."""
    headers = {"Cache-Control": "no-store"}
    if again:
        headers["Idempotency-Hit"] = "true"
    return web.Response(
        status=status, text=view.model_dump_json(), content_type="application/json", headers=headers
    )
