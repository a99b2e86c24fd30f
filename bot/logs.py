"""Logs: one JSON object a line, with the request id of whatever is being done.

Whoever logs is in the middle of business: a line is put into a queue and written by a thread of
its own. A full disk, a closed pipe or a pipe that nobody reads loses lines, which are counted; it
never raises, and nobody waits for it.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import threading
from collections import deque
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

# So many lines wait while nothing can be written; about as many megabytes as thousands.
WAITING_LINES: Final = 10_000
# A demo's log is moved aside at this size; so many that were moved aside are kept.
FILE_BYTES: Final = 10 * 1024 * 1024
FILES_KEPT: Final = 3
# So long does a line wait for others, with which it is written; so many bytes at once.
GATHERED_S: Final = 0.02
_TOGETHER_BYTES: Final = 64 * 1024
# So long may the last lines hold up the end of a process.
END_S: Final = 2.0
_STDERR: Final = 2
_QUIET: Final = ("apscheduler", "aiohttp.access", "aiogram", "asyncio")
# Fields that may hold secrets; what is called so is never written, whoever logs it.
_SECRET: Final = frozenset(
    {"secret", "secrets", "token", "password", "key", "signature", "credentials", "authorization"}
)


def set_up_logs(level: str, *, file: Path | None = None) -> LogSink:
    """Write to stderr, or to a file (a demo keeps its terminal for people)."""
    sink = LogSink(file)
    atexit.register(sink.end)
    logging.basicConfig(level=level.upper(), handlers=[_Library(sink)], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _render],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=lambda *_: _Ours(sink),
        cache_logger_on_first_use=True,
    )
    return sink


class LogSink:
    """Takes lines from every thread at once and writes them to a file, or to stderr."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._waiting: deque[bytes] = deque()
        self._news = threading.Event()
        self._ending = threading.Event()
        self._descriptor = _STDERR if file is None else _open(file)
        self._size_bytes = 0 if file is None else os.fstat(self._descriptor).st_size
        self._inside_line = False
        self._overflowed = 0
        self._unwritten = 0
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """How many lines were not written since the process began."""
        return self._overflowed + self._unwritten

    def put(self, line: str) -> None:
        """Have a line written. Never waits, never raises."""
        if len(self._waiting) >= WAITING_LINES:
            self._overflowed += 1
            return
        self._waiting.append(line.encode("utf-8", "backslashreplace") + b"\n")
        if not self._news.is_set():
            self._news.set()

    def end(self) -> None:
        """Write what waits, for END_S at most: whoever reads a pipe may have stopped reading."""
        self._ending.set()
        self._news.set()
        self._thread.join(END_S)

    def _run(self) -> None:
        ending = False
        while not ending:
            self._news.wait()
            self._news.clear()
            # Each turn of this thread takes one from whoever serves: lines go together.
            self._ending.wait(GATHERED_S)
            # Asked before the last lines are taken: what was put before the end is written.
            ending = self._ending.is_set()
            while self._waiting:
                self._write(self._next())

    def _next(self) -> list[bytes]:
        """The lines that are written together: all that wait, up to so many bytes."""
        lines = [self._waiting.popleft()]
        size_bytes = len(lines[0])
        while self._waiting and size_bytes < _TOGETHER_BYTES:
            lines.append(self._waiting.popleft())
            size_bytes += len(lines[-1])
        return lines

    def _write(self, lines: list[bytes]) -> None:
        rest = b"".join(lines)
        try:
            if self._file is not None and self._size_bytes > FILE_BYTES:
                self._move_aside(self._file)
            if self._inside_line:
                rest = b"\n" + rest
            while rest:
                written = os.write(self._descriptor, rest)
                self._size_bytes += written
                self._inside_line = rest[written - 1 : written] != b"\n"
                rest = rest[written:]
        except OSError:
            self._unwritten += min(len(lines), rest.count(b"\n"))

    def _move_aside(self, file: Path) -> None:
        # Somebody may have taken the file away: then there is nothing to move, only to begin anew.
        if file.exists():
            for number in range(FILES_KEPT - 1, 0, -1):
                with suppress(FileNotFoundError):
                    aside(file, number).replace(aside(file, number + 1))
            file.replace(aside(file, 1))
        fresh = _open(file)
        os.close(self._descriptor)
        self._descriptor, self._size_bytes, self._inside_line = fresh, 0, False


def aside(file: Path, number: int) -> Path:
    """Where a full log file is kept; 1 is the newest."""
    return file.with_name(f"{file.name}.{number}")


class _Ours:
    """Where structlog's lines end."""

    def __init__(self, sink: LogSink) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = sink.put


class _Library(logging.Handler):
    """Lines of libraries, in the same form as ours."""

    def __init__(self, sink: LogSink) -> None:
        super().__init__()
        self._sink = sink

    def createLock(self) -> None:  # noqa: N802 (the library's name)
        """None: the sink takes lines from many threads, and a thread that ends may hold no lock."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        line: dict[str, Any] = {"logger": record.name}
        if record.exc_info:
            line["exc_info"] = record.exc_info
        try:
            line["event"] = record.getMessage()
        except Exception:  # noqa: BLE001 (a library's wrong placeholder breaks nobody's business)
            line["event"] = str(record.msg)
        self._sink.put(_render(None, record.levelname.lower(), line))


def _render(_: Any, level: str, event: MutableMapping[str, Any]) -> str:
    """A line. Whatever its values are, business goes on: what cannot be shown is left out."""
    try:
        if "exc_info" in event:
            event = structlog.processors.format_exc_info(None, level, event)
        line = {name: "***" if name in _SECRET else value for name, value in event.items()}
        line["level"], line["timestamp"] = level, datetime.now(UTC).isoformat()
        return _to_json(line)
    except Exception as error:  # noqa: BLE001 (logging never breaks what it tells of)
        shown = {"event": str(event.get("event")), "unshowable": type(error).__name__}
        return _to_json({**shown, "level": level, "timestamp": datetime.now(UTC)})


def _shown(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else repr(value)


_to_json = json.JSONEncoder(ensure_ascii=False, default=_shown).encode


def _open(file: Path) -> int:
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
