"""What the shop remembers: its orders with the call that made them, and every notification."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

MAX_LISTED = 50

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
  merchant_order_no TEXT PRIMARY KEY, merchant_no TEXT NOT NULL, amount_minor INTEGER NOT NULL,
  subject TEXT NOT NULL, created_at REAL NOT NULL,
  request TEXT NOT NULL, signed TEXT NOT NULL, status INTEGER, answer TEXT NOT NULL,
  order_no TEXT NOT NULL, cashier_url TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS notifications (
  notification_id INTEGER PRIMARY KEY, merchant_no TEXT NOT NULL, at REAL NOT NULL,
  verified INTEGER NOT NULL, reason TEXT NOT NULL, repeat INTEGER NOT NULL,
  webhook_id TEXT NOT NULL, type TEXT NOT NULL, merchant_order_no TEXT NOT NULL,
  body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS notifications_of ON notifications (merchant_order_no);
"""


@dataclass(frozen=True)
class Order:
    """An order of the shop. `request` is the call as it was sent, `signed` the text under its
    signature; `status` is the answer's HTTP status, None when there was none.
    """

    merchant_order_no: str
    merchant_no: str
    amount_minor: int
    subject: str
    created_at: float
    request: str
    signed: str
    status: int | None
    answer: str
    order_no: str
    cashier_url: str


@dataclass(frozen=True)
class Notification:
    """One delivery. `reason` says why it was not verified; `repeat`: this id came before."""

    merchant_no: str
    at: float
    verified: bool
    reason: str
    repeat: bool
    webhook_id: str
    type: str
    merchant_order_no: str
    body: str


class Store:
    """Typed access to `home/shop.sqlite3`; every verb is one statement."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(home / "shop.sqlite3", isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def save_order(self, order: Order) -> None:
        """Remember an order, or what became of it."""
        self._db.execute(
            "INSERT OR REPLACE INTO orders VALUES (:merchant_order_no, :merchant_no,"
            " :amount_minor, :subject, :created_at, :request, :signed, :status, :answer,"
            " :order_no, :cashier_url)",
            vars(order),
        )

    def order(self, merchant_order_no: str) -> Order | None:
        row = self._db.execute(
            "SELECT * FROM orders WHERE merchant_order_no = ?", (merchant_order_no,)
        ).fetchone()
        return Order(**row) if row else None

    def orders(self) -> list[Order]:
        """The newest first, at most `MAX_LISTED`."""
        rows = self._db.execute(
            "SELECT * FROM orders ORDER BY created_at DESC LIMIT ?", (MAX_LISTED,)
        )
        return [Order(**row) for row in rows]

    def add_notification(self, notification: Notification) -> None:
        self._db.execute(
            "INSERT INTO notifications (merchant_no, at, verified, reason, repeat, webhook_id,"
            " type, merchant_order_no, body) VALUES (:merchant_no, :at, :verified, :reason,"
            " :repeat, :webhook_id, :type, :merchant_order_no, :body)",
            vars(notification),
        )

    def was_received(self, merchant_no: str, webhook_id: str) -> bool:
        """Whether a genuine notification with this id came before."""
        row = self._db.execute(
            "SELECT 1 FROM notifications WHERE merchant_no = ? AND webhook_id = ? AND verified",
            (merchant_no, webhook_id),
        ).fetchone()
        return row is not None

    def notifications(self) -> list[Notification]:
        """The newest first, at most `MAX_LISTED`."""
        rows = self._db.execute(
            "SELECT merchant_no, at, verified, reason, repeat, webhook_id, type,"
            " merchant_order_no, body FROM notifications ORDER BY notification_id DESC LIMIT ?",
            (MAX_LISTED,),
        )
        return [_notification(row) for row in rows]

    def told(self, merchant_order_no: str) -> list[str]:
        """Types of the genuine notifications about an order, oldest first."""
        rows = self._db.execute(
            "SELECT type FROM notifications WHERE merchant_order_no = ? AND verified"
            " ORDER BY notification_id",
            (merchant_order_no,),
        )
        return [str(row["type"]) for row in rows]


def _notification(row: sqlite3.Row) -> Notification:
    flags = {"verified": bool(row["verified"]), "repeat": bool(row["repeat"])}
    return Notification(**{**row, **flags})
