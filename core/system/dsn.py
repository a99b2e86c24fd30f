"""The address of a database, read."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


def credentials_of(dsn: str) -> dict[str, Any]:
    """host, port, user, password, database (and ssl) of a postgresql:// address."""
    parts = urlsplit(dsn)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ConnectionError("a database address begins with postgresql://")
    query = parse_qs(parts.query)
    credentials: dict[str, Any] = {
        "host": query.get("host", [parts.hostname or "127.0.0.1"])[0],
        "port": int(query.get("port", [parts.port or 5432])[0]),
        "user": unquote(parts.username) if parts.username else query.get("user", ["postgres"])[0],
        "database": unquote(parts.path.lstrip("/")) or "paydesk",
    }
    password = unquote(parts.password) if parts.password else query.get("password", [None])[0]
    if password is not None:
        credentials["password"] = password
    if "sslmode" in query:
        credentials["ssl"] = query["sslmode"][0]
    return credentials
