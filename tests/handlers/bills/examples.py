from __future__ import annotations

from datetime import date
from typing import Final, Literal

from core.accounts.daycuts import DayCutSet, Kind
from core.accounts.vouchers import VoucherLine
from core.people.groups import BillEnded
from core.reports.bills import CompletedLine
from handlers.bills.screens import CompletedHistory, PrepaidHistory
from tests.handlers.written import AT, HOSTILE, ID

_HOLDERS: Final[tuple[Kind, ...]] = ("m", "s", "p")
_LINES: Final = tuple(
    VoucherLine(
        at=AT,
        record_no="M1-1",
        minor=minor,
        original_minor=100_000_000,
        original_currency="USDT",
        conversion_rate=rate,
        actor_name=HOSTILE,
        remark=remark,
        proof=bool(rate),
        undone_by=undone,
        id=ID,
    )
    for minor in (5, -(10**15))
    for rate in ("", "7.2")
    for remark in ("", HOSTILE)
    for undone in ("", HOSTILE)
)[:10]


def _history(holder: Literal["m", "s"], last: date, page: int, count: int) -> PrepaidHistory:
    return PrepaidHistory(
        holder=holder,
        holder_id=ID,
        holder_no="M1",
        holder_name=HOSTILE,
        currency="CNY",
        zone="UTC",
        first=date(2026, 11, 1),
        last=last,
        page=page,
        pages=3,
        count=count,
        sum_minor=5,
        lines=_LINES if count else (),
    )


def _completed(last: date, page: int, count: int) -> CompletedHistory:
    lines = tuple(
        CompletedLine(AT, "P26112100000017", 10**15, HOSTILE, reversed_by)
        for reversed_by in ("", HOSTILE)
    )
    return CompletedHistory(
        merchant_id=ID,
        merchant_no="M1",
        merchant_name=HOSTILE,
        currency="CNY",
        zone="UTC",
        first=date(2026, 11, 1),
        last=last,
        page=page,
        pages=3,
        count=count,
        lines=lines * 5 if count else (),
    )


EXAMPLES: Final = (
    _completed(date(2026, 11, 1), 1, 0),
    _completed(date(2026, 11, 30), 2, 30),
    *(BillEnded(no, date(2026, 11, 29)) for no in ("M1001", "")),
    *(
        DayCutSet(
            holder=holder,
            holder_no="M1",
            holder_name=HOSTILE,
            before="00:00 UTC",
            after=after,
            zone="UTC",
            day=date(2026, 11, 21),
            ends_at=AT,
            next_ends_at=AT,
            actor_name=HOSTILE,
        )
        for holder in _HOLDERS
        for after in ("00:00 UTC", "06:00 Europe/Berlin")
    ),
    *(
        history
        for count in (0, 21)
        for history in (
            _history("m", date(2026, 11, 1), 1, count),
            _history("m", date(2026, 11, 21), 2, count),
            _history("s", date(2026, 11, 21), 3, count),
        )
    ),
)
