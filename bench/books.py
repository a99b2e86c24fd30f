"""Books of a busy day, made as the desk would have booked them, but in bulk."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bot.world import Addresses, apps, seed
from core.kernel.money import Rate
from core.kernel.tariff import Tariff
from core.parties.merchants import Merchant
from core.runtime import Runtime
from core.supply.channels import NewChannel

_NOWHERE: Final = Addresses("http://127.0.0.1:1029", {"880001": "k" * 20, "880002": "k" * 20}, {})
_BATCH: Final = 10_000
PAID_AFTER: Final = timedelta(seconds=40)
# With those of the demo each product runs on two channels, one of each supplier.
_CHANNELS: Final = {
    "S02": NewChannel(
        "C05", "远洋 微信", "wechat_qr", Tariff.flat(Rate(6200)), ("wechat_qr",), amount_min=100
    ),
    "S01": NewChannel(
        "C06", "恒通 网银", "bank_web", Tariff.flat(Rate(5000)), ("bank_web",), amount_min=100
    ),
}


class BenchClock:
    """Stands still until it is set."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def go_to(self, at: datetime) -> None:
        self._at = at


async def open_shop(runtime: Runtime) -> Merchant:
    """The demo's world; its first merchant."""
    await seed(runtime, _NOWHERE)
    await add_channels(runtime)
    return (await apps(runtime))[0][0]


async def add_channels(runtime: Runtime) -> None:
    """The channels that `book_orders` needs beside the demo's."""
    for supplier_no, channel in _CHANNELS.items():
        supplier = await runtime.parties.suppliers.by_no(supplier_no)
        await runtime.supply.channels.add_channel(supplier, channel)


async def book_orders(
    runtime: Runtime, merchant: Merchant, orders: int, starts_at: datetime, ends_at: datetime
) -> None:
    """Paid orders, evenly spread over a part of the merchant's open day; the last is paid when it
    ends. Nothing of that part may be rolled up yet. Three products, each on two channels."""
    day = await runtime.system.store.fetchval(
        "SELECT day FROM business_day WHERE holder_id = $1 AND closed_at IS NULL", merchant.id
    )
    step_s = (ends_at - starts_at - PAID_AFTER).total_seconds() / orders
    for first in range(0, orders, _BATCH):
        await runtime.system.store.execute(
            _BOOK,
            merchant.id,
            day,
            first,
            min(first + _BATCH, orders) - 1,
            starts_at,
            step_s,
            PAID_AFTER,
        )


# Ids carry the instant of creation, as the desk's own do. Amounts repeat, so that sums can be
# told from each other and yet compress as real ones.
_BOOK: Final = """
WITH kind (place, product_code, ppm, cost_ppm, channel_no, supplier_no) AS (
    VALUES (0, 'alipay_qr', 12000, 6500, 'C01', 'S01'), (1, 'wechat_qr', 10000, 6000, 'C02', 'S01'),
           (2, 'bank_web', 8000, 4500, 'C04', 'S02'), (3, 'alipay_qr', 12000, 7000, 'C03', 'S02'),
           (4, 'wechat_qr', 10000, 6200, 'C05', 'S02'), (5, 'bank_web', 8000, 5000, 'C06', 'S01')
), numbered AS (
    SELECT n, k.*, 1000 + n * 7919 % 90000 AS amount,
           date_trunc('milliseconds', $5::timestamptz + n * $6::float8 * interval '1 second') AS at,
           md5($1::uuid::text || $2::date || n || $5::timestamptz) AS salt
    FROM generate_series($3::bigint, $4::bigint) n JOIN kind k ON k.place = n % 6
), made AS MATERIALIZED (
    SELECT *, (amount * ppm * 2 + 1000000) / 2000000 AS fee,
           (amount * cost_ppm * 2 + 1000000) / 2000000 AS cost, at + $7::interval AS paid_at,
           (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
            || substr(salt, 1, 3) || '8' || substr(salt, 4, 15))::uuid AS id,
           md5(salt || 'event')::uuid AS event_id, 'P' || upper(substr(salt, 1, 19)) AS order_no,
           'A' || substr(digit, month / 32 + 1, 1) || substr(digit, month % 32 + 1, 1)
               || upper(substr(salt, 1, 17)) AS attempt_no
    FROM numbered
    CROSS JOIN (VALUES ('0123456789ABCDEFGHJKMNPQRSTVWXYZ')) base32 (digit)
    CROSS JOIN LATERAL (
        SELECT ((extract(year FROM at AT TIME ZONE 'UTC') - 2020) * 12
                + extract(month FROM at AT TIME ZONE 'UTC') - 1)::integer AS month) since
), app AS (
    SELECT id FROM app WHERE merchant_id = $1 AND mode = 'live'
), keys AS (
    INSERT INTO order_key (merchant_id, app_id, merchant_order_no, order_id, order_no, created_at)
    SELECT $1, app.id, 'SHOP-' || order_no, m.id, order_no, at FROM made m, app
), placed AS (
    INSERT INTO orders (merchant_id, id, created_at, order_no, app_id, mode, merchant_order_no,
        product_code, amount_minor, currency, subject, client_ip, state, version, live_attempt_no,
        rate, tariff_id, fee_minor, cost_minor, paid_attempt_no, paid_how, created_day, expires_at,
        end_at, paid_at, paid_day)
    SELECT $1, m.id, m.at, order_no, app.id, 'live', 'SHOP-' || order_no, m.product_code, amount,
           'CNY', 'bench', '203.0.113.9', 'paid', 3, attempt_no,
           jsonb_build_object('ppm', ppm), t.id, fee, cost, attempt_no, 'reported', $2,
           m.at + interval '30 minutes', m.at + interval '30 minutes', paid_at, $2
    FROM made m CROSS JOIN app
    JOIN tariff t ON t.merchant_id = $1 AND t.product_code = m.product_code
), tries AS (
    INSERT INTO attempt (merchant_id, attempt_no, order_id, order_created_at, mode, product_code,
        seq, supplier_id, supplier_no, channel_id, channel_no, document_id, supplier_code,
        amount_minor, currency, cost, state, upstream_no, created_at, sent_at, channel_day)
    SELECT $1, attempt_no, m.id, m.at, 'live', m.product_code, 1, s.id, s.supplier_no, c.id,
           c.channel_no, s.document_id, c.supplier_code, amount, 'CNY',
           jsonb_build_object('ppm', cost_ppm), 'paid', 'U' || salt, m.at, m.at, $2
    FROM made m JOIN channel c ON c.channel_no = m.channel_no
    JOIN supplier s ON s.id = c.supplier_id
), told AS (
    INSERT INTO order_history
        (merchant_id, order_id, order_created_at, version, state_from, move, state_to, at, actor)
    SELECT $1, m.id, m.at, v.version, v.state_from, v.move, v.state_to, m.at, 'bench'
    FROM made m, (VALUES (1, NULL, 'open', 'created'), (2, 'created', 'accept', 'pending'),
                         (3, 'pending', 'pay', 'paid')) v (version, state_from, move, state_to)
), reported AS (
    INSERT INTO supplier_payment (merchant_id, supplier_id, upstream_no, attempt_no, order_id,
        amount_minor, currency, booked_as, event_id, how, address, at)
    SELECT $1, s.id, 'U' || salt, attempt_no, m.id, amount, 'CNY', 'order', event_id, 'reported',
        '', paid_at
    FROM made m JOIN supplier s ON s.supplier_no = m.supplier_no
), events AS (
    INSERT INTO ledger_event (merchant_id, event_key, id, kind, mode, day, booked_at, order_id)
    SELECT $1, 'bench:' || order_no, event_id, 'order', 'live', $2, paid_at, m.id FROM made m
), moved AS MATERIALIZED (
    SELECT m.*, p.line, p.account, p.minor
    FROM made m, LATERAL (VALUES
        (1, 'cost/' || supplier_no, -cost), (2, 'due/' || supplier_no, cost - amount),
        (3, 'fees', fee), (4, 'payable', amount - fee)) p (line, account, minor)
), entries AS (
    INSERT INTO ledger_entry (merchant_id, booked_at, event_id, line, kind, mode, day, account,
        currency, minor, product_code, channel_no)
    SELECT $1, paid_at, event_id, line, 'order', 'live', $2, account, 'CNY', minor, product_code,
           channel_no
    FROM moved
)
INSERT INTO balance AS b (merchant_id, mode, currency, account, minor)
SELECT $1, 'live', 'CNY', account, sum(minor) FROM moved GROUP BY account
ON CONFLICT (merchant_id, mode, currency, account) DO UPDATE SET minor = b.minor + excluded.minor
"""
