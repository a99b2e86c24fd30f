"""What the sandbox remembers: JSON records in SQLite, files beside it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Store:
    """Records by (kind, key). A write is committed when `write` returns and survives `kill -9`.

    One process owns a home at a time: a second one gets `OSError`.
    """

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._files = home / "files"
        self._files.mkdir(exist_ok=True)
        self._db = sqlite3.connect(home / "telegram.sqlite3", isolation_level=None, timeout=1.0)
        try:
            self._open()
        except sqlite3.OperationalError as error:
            self._db.close()
            raise OSError(f"{home} is in use by another sandbox ({error})") from error

    def _open(self) -> None:
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS record"
            " (kind TEXT, key INTEGER, sub INTEGER, body TEXT NOT NULL,"
            " PRIMARY KEY (kind, key, sub)) WITHOUT ROWID"
        )
        # Takes the exclusive lock now rather than at the first message.
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("COMMIT")

    def load(self, kind: str) -> list[dict[str, Any]]:
        """All records of a kind in the order of their keys."""
        rows = self._db.execute("SELECT body FROM record WHERE kind = ? ORDER BY key, sub", (kind,))
        return [json.loads(body) for (body,) in rows]

    def write(self, changes: Mapping[tuple[str, int, int], dict[str, Any] | None]) -> None:
        """Store or (None) delete records, all or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for key, body in changes.items():
                if body is None:
                    self._db.execute("DELETE FROM record WHERE kind=? AND key=? AND sub=?", key)
                else:
                    self._db.execute(
                        "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)",
                        (*key, json.dumps(body, ensure_ascii=False)),
                    )
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def write_file(self, file_unique_id: str, content: bytes) -> None:
        """Keep a file's content; written before the record that mentions it."""
        (self._files / file_unique_id).write_bytes(content)

    def read_file(self, file_unique_id: str) -> bytes:
        return (self._files / file_unique_id).read_bytes()

    def close(self) -> None:
        self._db.close()
