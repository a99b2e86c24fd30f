"""Reads a Bot API request: query, form, JSON and multipart, with `attach://` uploads."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from sandbox.telegram.errors import ApiError, bad_request

MAX_UPLOAD_BYTES = 50 * 1024 * 1024
MAX_PARTS = 64


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a request."""

    name: str
    mime: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One method call: typed parameters and the files beside them, by part name."""

    params: dict[str, Any]
    files: dict[str, Upload] = field(default_factory=dict)

    def upload(self, reference: str) -> Upload | None:
        """The file an `attach://name` reference means; None when it is no such reference."""
        if not reference.startswith("attach://"):
            return None
        name = reference.removeprefix("attach://")
        if name not in self.files:
            raise bad_request(f"file part {name!r} of attach:// is missing in the request")
        return self.files[name]


async def read_request(request: web.Request) -> tuple[dict[str, Any], dict[str, Upload]]:
    """Raw parameters and uploads of a request; later sources win over the query."""
    raw: dict[str, Any] = dict(request.query)
    files: dict[str, Upload] = {}
    if request.method != "POST":
        return raw, files
    if request.content_type == "application/json":
        raw |= await _read_json(request)
    elif request.content_type == "application/x-www-form-urlencoded":
        form = await request.post()
        raw |= {name: value for name, value in form.items() if isinstance(value, str)}
    elif request.content_type == "multipart/form-data":
        await _read_multipart(request, raw, files)
    elif request.can_read_body and await request.read():
        raise bad_request(f"unsupported content type {request.content_type}")
    return raw, files


async def _read_json(request: web.Request) -> dict[str, Any]:
    body = await request.read()
    if not body:
        return {}
    try:
        data = json.loads(body)
    except ValueError as error:
        raise bad_request("can't parse JSON object") from error
    if not isinstance(data, dict):
        raise bad_request("can't parse JSON object")
    return {name: value for name, value in data.items() if value is not None}


async def _read_multipart(
    request: web.Request, raw: dict[str, Any], files: dict[str, Upload]
) -> None:
    reader = await request.multipart()
    total_bytes = 0
    for _ in range(MAX_PARTS):
        part = await reader.next()
        if part is None:
            return
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise bad_request("can't parse multipart/form-data")
        content = bytes(await part.read(decode=True))
        total_bytes += len(content)
        if total_bytes > MAX_UPLOAD_BYTES:
            raise ApiError(413, "Request Entity Too Large")
        if part.filename is None:
            raw[part.name] = content.decode("utf-8", "replace")
        else:
            mime = part.headers.get("Content-Type", "application/octet-stream")
            files[part.name] = Upload(part.filename, mime.split(";")[0], content)
    raise bad_request("too many parts in multipart/form-data")
