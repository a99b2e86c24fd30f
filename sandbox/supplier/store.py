"""What the supplier remembers, in one SQLite file that survives `kill -9`."""

from __future__ import annotations

import fcntl
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.process import ConfigError
from sandbox.supplier.rows import Callback, Order, Payment, Refund, Try

MAX_LISTED = 500
MAX_LOG_ROWS = 5_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
  trade_no TEXT PRIMARY KEY, mch_id TEXT NOT NULL, out_trade_no TEXT NOT NULL,
  pay_type TEXT NOT NULL, amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
  subject TEXT NOT NULL, merchant_name TEXT NOT NULL,
  notify_url TEXT NOT NULL, return_url TEXT NOT NULL,
  client_ip TEXT NOT NULL, nonce TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('WAIT', 'SUCCESS', 'CLOSED', 'FAIL')),
  outcome TEXT NOT NULL, paid_fen INTEGER NOT NULL, paid_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
  UNIQUE (mch_id, out_trade_no));
CREATE TABLE IF NOT EXISTS payments (
  trade_no TEXT PRIMARY KEY, order_trade_no TEXT NOT NULL REFERENCES orders,
  status TEXT NOT NULL CHECK (status IN ('SUCCESS', 'FAIL')),
  paid_fen INTEGER NOT NULL, paid_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS refunds (
  refund_no TEXT PRIMARY KEY, mch_id TEXT NOT NULL, out_refund_no TEXT NOT NULL,
  order_trade_no TEXT NOT NULL REFERENCES orders, out_trade_no TEXT NOT NULL,
  amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
  status TEXT NOT NULL CHECK (status IN ('PROCESSING', 'SUCCEEDED', 'FAILED')),
  created_at INTEGER NOT NULL, due_at REAL NOT NULL,
  UNIQUE (mch_id, out_refund_no));
CREATE INDEX IF NOT EXISTS refunds_of ON refunds (order_trade_no);
CREATE TABLE IF NOT EXISTS callbacks (
  callback_id INTEGER PRIMARY KEY, order_trade_no TEXT NOT NULL REFERENCES orders,
  url TEXT NOT NULL, fields TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'exhausted', 'lost', 'forced')),
  tries INTEGER NOT NULL, next_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS callbacks_due ON callbacks (next_at) WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS tries (
  callback_id INTEGER NOT NULL REFERENCES callbacks, at REAL NOT NULL,
  status INTEGER, answer TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS tries_of ON tries (callback_id);
CREATE TABLE IF NOT EXISTS log (
  log_id INTEGER PRIMARY KEY, at REAL NOT NULL, operation TEXT NOT NULL,
  request TEXT NOT NULL, answer TEXT NOT NULL);
"""


class Store:
    """Typed access to the file. Every verb is one statement; `transaction()` joins several."""

    def __init__(self, home: Path) -> None:
        """Open `home/supplier.sqlite3`; `ConfigError` when another process uses this home."""
        home.mkdir(parents=True, exist_ok=True)
        self._lock = (home / "supplier.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise ConfigError(f"another sandbox supplier already uses {home}") from error
        self._db = sqlite3.connect(home / "supplier.sqlite3", isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()
        self._lock.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def add_order(self, order: Order) -> None:
        self._db.execute(
            "INSERT INTO orders VALUES (:trade_no, :mch_id, :out_trade_no, :pay_type, :amount_fen,"
            " :subject, :merchant_name, :notify_url, :return_url, :client_ip, :nonce, :status,"
            " :outcome, :paid_fen, :paid_at, :created_at, :expires_at)",
            vars(order),
        )

    def order(self, trade_no: str) -> Order | None:
        """The order with this number, also by the number of its second payment."""
        return self._order(
            "SELECT * FROM orders WHERE trade_no ="
            " coalesce((SELECT order_trade_no FROM payments WHERE trade_no = ?1), ?1)",
            trade_no,
        )

    def order_of(self, mch_id: str, out_trade_no: str) -> Order | None:
        return self._order(
            "SELECT * FROM orders WHERE mch_id = ? AND out_trade_no = ?", mch_id, out_trade_no
        )

    def order_named(self, out_trade_no: str) -> Order | None:
        """The newest order of any account with this merchant's number."""
        return self._order(
            "SELECT * FROM orders WHERE out_trade_no = ? ORDER BY rowid DESC LIMIT 1", out_trade_no
        )

    def orders(self) -> list[Order]:
        """The newest orders, at most `MAX_LISTED`."""
        rows = self._db.execute("SELECT * FROM orders ORDER BY rowid DESC LIMIT ?", (MAX_LISTED,))
        return [Order(**row) for row in rows]

    def move_order(
        self, trade_no: str, status: str, *, outcome: str = "", paid_fen: int = 0, paid_at: int = 0
    ) -> bool:
        """WAIT → `status`; False when the order was not waiting any more."""
        done = self._db.execute(
            "UPDATE orders SET status = ?, outcome = ?, paid_fen = ?, paid_at = ?"
            " WHERE trade_no = ? AND status = 'WAIT'",
            (status, outcome, paid_fen, paid_at, trade_no),
        )
        return done.rowcount == 1

    def add_payment(self, payment: Payment) -> None:
        self._db.execute(
            "INSERT INTO payments VALUES"
            " (:trade_no, :order_trade_no, :status, :paid_fen, :paid_at)",
            vars(payment),
        )

    def payment(self, trade_no: str) -> Payment | None:
        row = self._db.execute("SELECT * FROM payments WHERE trade_no = ?", (trade_no,)).fetchone()
        return Payment(**row) if row else None

    def payments(self, order_trade_no: str) -> list[Payment]:
        rows = self._db.execute(
            "SELECT * FROM payments WHERE order_trade_no = ? ORDER BY rowid", (order_trade_no,)
        )
        return [Payment(**row) for row in rows]

    def balance_of(self, mch_id: str, fee_ppm: int) -> int:
        """Fen an account has: paid, less its fee (rounded down per payment), less what was
        refunded or is about to be."""
        row = self._db.execute(
            "SELECT coalesce((SELECT sum(p.paid_fen - p.paid_fen * ?2 / 1000000) FROM payments p"
            "  JOIN orders o ON o.trade_no = p.order_trade_no WHERE mch_id = ?1), 0)"
            " - coalesce((SELECT sum(amount_fen) FROM refunds"
            "  WHERE mch_id = ?1 AND status <> 'FAILED'), 0)",
            (mch_id, fee_ppm),
        ).fetchone()
        return int(row[0])

    def add_refund(self, refund: Refund) -> None:
        self._db.execute(
            "INSERT INTO refunds VALUES (:refund_no, :mch_id, :out_refund_no, :order_trade_no,"
            " :out_trade_no, :amount_fen, :status, :created_at, :due_at)",
            vars(refund),
        )

    def refund_of(self, mch_id: str, out_refund_no: str) -> Refund | None:
        return self._refund(
            "SELECT * FROM refunds WHERE mch_id = ? AND out_refund_no = ?", mch_id, out_refund_no
        )

    def refund_named(self, out_refund_no: str) -> Refund | None:
        """The newest refund of any account with this merchant's number."""
        return self._refund(
            "SELECT * FROM refunds WHERE out_refund_no = ? ORDER BY rowid DESC LIMIT 1",
            out_refund_no,
        )

    def refunds(self, order_trade_no: str) -> list[Refund]:
        """The refunds of an order, oldest first."""
        rows = self._db.execute(
            "SELECT * FROM refunds WHERE order_trade_no = ? ORDER BY rowid", (order_trade_no,)
        )
        return [Refund(**row) for row in rows]

    def move_refund(self, refund_no: str, status: str, due_at: float) -> bool:
        """PROCESSING → `status`; False when the refund had ended already."""
        done = self._db.execute(
            "UPDATE refunds SET status = ?, due_at = ?"
            " WHERE refund_no = ? AND status = 'PROCESSING'",
            (status, due_at, refund_no),
        )
        return done.rowcount == 1

    def add_callback(
        self, order: Order, fields: dict[str, str], *, state: str, next_at: float
    ) -> int:
        """Remember a callback and return its id."""
        text = json.dumps(fields, ensure_ascii=False)
        done = self._db.execute(
            "INSERT INTO callbacks (order_trade_no, url, fields, state, tries, next_at)"
            " VALUES (?, ?, ?, ?, 0, ?)",
            (order.trade_no, order.notify_url, text, state, next_at),
        )
        return int(done.lastrowid or 0)

    def pending_callbacks(self, limit: int) -> list[Callback]:
        """Callbacks that have a next try, the earliest first."""
        rows = self._db.execute(
            "SELECT * FROM callbacks WHERE state = 'pending' ORDER BY next_at LIMIT ?", (limit,)
        )
        return [_callback(row) for row in rows]

    def callbacks_of(self, order_trade_no: str) -> list[Callback]:
        rows = self._db.execute(
            "SELECT * FROM callbacks WHERE order_trade_no = ? ORDER BY callback_id LIMIT ?",
            (order_trade_no, MAX_LISTED),
        )
        return [_callback(row) for row in rows]

    def add_try(self, callback_id: int, attempt: Try, *, state: str, next_at: float) -> None:
        """Record one try and what follows from it."""
        with self.transaction():
            self._db.execute(
                "INSERT INTO tries (callback_id, at, status, answer) VALUES (?, ?, ?, ?)",
                (callback_id, attempt.at, attempt.status, attempt.answer),
            )
            self._db.execute(
                "UPDATE callbacks SET tries = tries + 1, state = ?, next_at = ?"
                " WHERE callback_id = ?",
                (state, next_at, callback_id),
            )

    def tries(self, callback_id: int) -> list[Try]:
        rows = self._db.execute(
            "SELECT at, status, answer FROM tries WHERE callback_id = ? ORDER BY rowid",
            (callback_id,),
        )
        return [Try(**row) for row in rows]

    def add_log(self, at: float, operation: str, request: str, answer: str) -> None:
        """Append to the log; only its newest `MAX_LOG_ROWS` rows are kept."""
        done = self._db.execute(
            "INSERT INTO log (at, operation, request, answer) VALUES (?, ?, ?, ?)",
            (at, operation, request, answer),
        )
        oldest = int(done.lastrowid or 0) - MAX_LOG_ROWS
        self._db.execute("DELETE FROM log WHERE log_id <= ?", (oldest,))

    def log(self) -> list[dict[str, Any]]:
        """The newest log rows first, at most `MAX_LISTED`."""
        rows = self._db.execute("SELECT * FROM log ORDER BY log_id DESC LIMIT ?", (MAX_LISTED,))
        return [dict(row) for row in rows]

    def _refund(self, sql: str, *values: str) -> Refund | None:
        row = self._db.execute(sql, values).fetchone()
        return Refund(**row) if row else None

    def _order(self, sql: str, *values: str) -> Order | None:
        row = self._db.execute(sql, values).fetchone()
        return Order(**row) if row else None


def _callback(row: sqlite3.Row) -> Callback:
    return Callback(**{**row, "fields": json.loads(row["fields"])})
