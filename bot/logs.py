"""Logs: one JSON object a line, with the request id of whatever is being done."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO

import structlog

_QUIET: Final = ("apscheduler", "aiohttp.access", "aiogram", "tortoise", "asyncio")
# Fields that may hold secrets; what is called so is never written, whoever logs it.
_SECRET: Final = frozenset(
    {"secret", "secrets", "token", "password", "key", "signature", "credentials", "authorization"}
)


def set_up_logs(level: str, *, file: Path | None = None) -> None:
    """Write to stderr, or to a file (a demo keeps its terminal for people)."""
    stream: TextIO = file.open("a", encoding="utf-8", buffering=1) if file else sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Json())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _mask,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )


class _Json(logging.Formatter):
    """Lines of libraries in the same form as ours."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _mask(_: Any, __: str, event: Any) -> Any:
    for name in event:
        if name in _SECRET:
            event[name] = "***"
    return event
