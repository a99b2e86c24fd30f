"""What a supplier's words mean for a refund, purely: it ends, is asked about, or sent again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from core.connectors import AttemptFacts, Connector, RefundStanding
from core.trade.orders import NOT_FOUND_APART, SENT_AGAIN_FOR
from core.trade.refunds.rows import Refund

FIRST_LOOK: Final = timedelta(seconds=10)
LONGEST_GAP: Final = timedelta(hours=1)
# With the gaps between them, calls that were never sent go on for about two hours.
MAX_SENDS: Final = 12
# Banks may take days with what a supplier has accepted: it is asked about for a good week.
ASKED_ACCEPTED: Final = 200
# One in doubt is asked about for most of a day, and staff are told within the hour.
ASKED_IN_DOUBT: Final = 24
DOUBT_TOLD_AFTER: Final = 8
# One that was released while the supplier might have it is asked about for a day.
ASKED_RELEASED: Final = 24

AlarmReason = Literal[
    "", "manual", "in_doubt", "not_found", "silent", "late", "late_disputed", "contradicts"
]
Move = Literal["", "hand", "settle", "release", "accept", "lose", "return", "send"]


@dataclass(frozen=True, slots=True)
class Offers:
    """What a supplier offers for a refund, as it stands now. query: it can be asked how it went.
    again: the same number may be sent twice."""

    refund: bool
    query: bool
    again: bool

    @classmethod
    def of(cls, connector: Connector, facts: AttemptFacts, refund: Refund, now: datetime) -> Offers:
        """facts: of the refund, with the supplier's number where it is known."""
        return cls(
            refund="refund" in connector.operations,
            query=connector.can_ask("refund_query", facts),
            again=connector.refund_is_idempotent and now - refund.at < SENT_AGAIN_FOR,
        )

    def resends(self, refund: Refund) -> bool:
        """Whether one in doubt may be sent again."""
        return self.again and refund.state == "unknown" and refund.sends < MAX_SENDS


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a call. state: a supplier's word, or never_sent. said: in words, for staff."""

    state: Literal["succeeded", "pending", "failed", "not_found", "unknown", "never_sent"]
    said: str = ""
    upstream_refund_no: str | None = None

    @classmethod
    def of(cls, standing: RefundStanding) -> Heard:
        return cls(standing.state, standing.why or standing.code, standing.upstream_refund_no)


@dataclass(frozen=True, slots=True)
class Step:
    """What is to become of a refund. move: of its lifecycle; none: it stays as it is.

    ask_in: until the timetable looks at it; None: never by itself. tell: staff, why only a person
    gets it on. asked: how often it was asked about, from now on.
    """

    move: Move
    asked: int
    ask_in: timedelta | None = None
    tell: AlarmReason = ""
    not_found_at: datetime | None = None


def after_sending(refund: Refund, heard: Heard, offers: Offers) -> Step:
    """What the answer to a refund means. refund: as it stands now, which may be further on.

    A no to a call after a doubt proves nothing about the call before it.
    """
    proves = not refund.sent_again
    match heard.state:
        case "succeeded":
            return Step("settle", refund.asked)
        case "failed" if proves:
            return Step("release", refund.asked)
        case "pending" if refund.state in ("sent", "unknown"):
            return _accepted(offers)
        case "never_sent" if proves and refund.state == "sent":
            if refund.sends >= MAX_SENDS:
                return Step("release", refund.asked)
            return Step("return", refund.asked, _gap(refund.sends - 1))
        case _ if refund.state == "sent":
            return _lost(refund, offers)
    return _put_off(refund)


def after_asking(refund: Refund, heard: Heard, offers: Offers, now: datetime) -> Step:
    """What the answer to a refund_query means. refund: accepted or unknown.

    "Not found" undoes nothing that was accepted. It frees the way for another call only where that
    cannot give back twice, and when it was said twice, NOT_FOUND_APART.
    """
    match heard.state:
        case "succeeded":
            return Step("settle", refund.asked)
        case "failed":
            return Step("release", refund.asked)
        case "pending" if refund.state == "unknown":
            return _accepted(offers)
        case "not_found" if refund.state == "unknown":
            first = refund.not_found_at or now
            if now - first < NOT_FOUND_APART:
                wait = first + NOT_FOUND_APART - now
                return Step("", refund.asked + 1, wait, not_found_at=first)
            if offers.resends(refund):
                return Step("send", refund.asked + 1)
            return _put_off(refund, tell="not_found", not_found_at=first)
    if not offers.query and not offers.resends(refund):
        return Step("", refund.asked + 1, tell="in_doubt")  # there is nothing left to try
    return _put_off(refund)


def after_release(refund: Refund) -> timedelta | None:
    """When to ask whether one that is released, or was, has succeeded after all. None: never.

    refund: as it was when it was released, or since.
    """
    if refund.state == "failed":
        return LONGEST_GAP if refund.asked + 1 < ASKED_RELEASED else None
    return LONGEST_GAP if refund.state in ("accepted", "unknown") else None


def _accepted(offers: Offers) -> Step:
    return Step("accept", 0, FIRST_LOOK) if offers.query else Step("accept", 0, tell="silent")


def _lost(refund: Refund, offers: Offers) -> Step:
    if offers.query:
        return Step("lose", refund.asked, _gap(refund.asked))
    if offers.again and refund.sends < MAX_SENDS:
        return Step("lose", refund.asked, _gap(refund.sends - 1))
    return Step("lose", refund.asked, tell="in_doubt")


def _put_off(
    refund: Refund, *, tell: AlarmReason = "", not_found_at: datetime | None = None
) -> Step:
    """Ask again, less and less often, and not for ever."""
    asked = refund.asked + 1
    doubt = refund.state != "accepted"
    if asked >= (ASKED_IN_DOUBT if doubt else ASKED_ACCEPTED):
        return Step("", asked, None, tell or "silent", not_found_at)
    if doubt and asked >= DOUBT_TOLD_AFTER:
        tell = tell or "in_doubt"
    return Step("", asked, _gap(asked), tell, not_found_at)


def _gap(times: int) -> timedelta:
    """The gap doubles with each time, up to LONGEST_GAP."""
    doubled: int = 2 ** min(times, 16)
    return min(FIRST_LOOK * doubled, LONGEST_GAP)
