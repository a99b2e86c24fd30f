"""The jobs of the timetable: each a core verb and its batch limit."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from core.people.approvals import APPROVALS_DUE
from core.people.broadcasts import BROADCASTS_DUE
from core.people.refusals import REFUSALS_DUE
from core.reports.verify import AlarmBooks
from core.runtime import Runtime
from core.trade.enquiries import ENQUIRIES_DUE
from core.trade.orders import EXPIRY_DUE
from core.trade.refunds import REFUNDS_DUE

_LOG = structlog.get_logger(__name__)
BATCH: Final = 50
GO_ON_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Job:
    """alone: one instance of the desk runs it, once per slot, and again where it failed; the
    others' batches take turns by row locks and may run side by side. Slots are the multiples of
    `every_s` since 1970. due: a condition in SQL, $1 is the time; the look at all queues has the
    job run where it holds, and `every_s` is then for where that look fails."""

    name: str
    every_s: int
    alone: bool
    work: Callable[[Runtime], Awaitable[None]]
    due: str = ""


async def follow_refunds(runtime: Runtime) -> None:
    await _until_done("follow_refunds", runtime.trade.refund_dispatch.follow_due)


async def expire_orders(runtime: Runtime) -> None:
    await _until_done("expire_orders", runtime.trade.follow_up.expire_due)


async def _until_done(name: str, work: Callable[[int], Awaitable[int]]) -> None:
    """Goes on while batches are full, for GO_ON_S at most; the next tick takes up what is left.
    A backlog is told of in the log, with how far it was worked off."""
    began, done = time.monotonic(), 0
    while (found := await work(BATCH)) == BATCH:
        done += found
        if time.monotonic() - began > GO_ON_S:
            _LOG.warning("a backlog is left", job=name, done=done)
            return
    if done:
        took_s = round(time.monotonic() - began, 1)
        _LOG.info("a backlog was worked off", job=name, done=done + found, took_s=took_s)


async def tell_refusals(runtime: Runtime) -> None:
    await _until_done("tell_refusals", runtime.people.refusals.tell_due)


async def chase_enquiries(runtime: Runtime) -> None:
    await _until_done("chase_enquiries", runtime.trade.chases.chase_due)


async def send_broadcasts(runtime: Runtime) -> None:
    await _until_done("send_broadcasts", runtime.people.broadcast_delivery.go_on)


async def end_approvals(runtime: Runtime) -> None:
    await _until_done("end_approvals", runtime.people.approvals.cards.end_due)


async def roll_books(runtime: Runtime) -> None:
    """Rolls books up and closes days that are over; each merchant's group gets the new day's bill,
    suppliers' and ops groups the one that their day closed with.

    Fails where any holder's books could not be, once all the others' are.
    """
    faults = []
    for holder_id in await runtime.ledger.calendar.due_to_roll():
        try:
            if await runtime.ledger.calendar.roll(holder_id):
                async with runtime.system.store.transaction() as tx:
                    await runtime.people.groups.show_bill(tx, holder_id)
        except Exception as fault:  # noqa: BLE001 (one holder must not stop all the others)
            _LOG.exception("books not rolled up", holder_id=str(holder_id))
            faults.append(fault)
    await runtime.reports.bills.keep_sums(runtime.reports.day_reports.post)
    if faults:
        raise ExceptionGroup("books not rolled up", faults)


async def make_months(runtime: Runtime) -> None:
    """Makes months long ahead. Raises TimeoutError where somebody held a table: it is tried again
    soon."""
    if missing := await runtime.system.store.make_months(
        runtime.system.clock.now().date().replace(day=1)
    ):
        raise TimeoutError(f"{missing} tables of months could not be made yet")


async def forget_old(runtime: Runtime) -> None:
    await runtime.delivery.inbox.forget_old()
    await runtime.delivery.outbox.forget_old()
    await runtime.delivery.albums.forget_old()
    await runtime.reports.exports.queue.forget_old()
    await runtime.reports.order_lists.forget_old()
    await runtime.parties.calls.forget_old()
    await runtime.trade.callbacks.forget_old()
    await runtime.trade.refused_callbacks.forget_old()
    await runtime.trade.notifications.forget_old()
    await runtime.trade.chases.forget_old()
    await runtime.trade.watches.forget_old()
    await runtime.people.refusals.forget_old()
    await runtime.people.invitations.forget_old()
    await runtime.people.broadcasts.forget_old()
    await runtime.people.group_links.forget_old()


async def verify_books(runtime: Runtime) -> None:
    """Re-adds what is new and an old share of the books every night; an alarm stands for as long
    as they differ."""
    verified = await runtime.reports.verify.tonight()
    differences, night = verified.differences, verified.night
    _LOG.info(
        "books re-added",
        new_days=night.new,
        old_days=night.again,
        days=night.known,
        differences=len(differences),
    )
    async with runtime.system.store.transaction() as tx:
        if not differences:
            await runtime.people.alarms.end(tx, AlarmBooks)
            return
        _LOG.error("the books differ", differences=[str(d) for d in differences[:20]])
        trouble = AlarmBooks(len(differences), str(differences[0]))
        await runtime.people.alarms.sound(tx, trouble)


async def watch_credit(runtime: Runtime) -> None:
    await runtime.accounts.credit.watch()


async def watch_licences(runtime: Runtime) -> None:
    await runtime.supply.licences.watch()


async def watch_market(runtime: Runtime) -> None:
    await runtime.supply.market_watch.watch()


JOBS: Final = (
    Job("follow_refunds", 30, False, follow_refunds, REFUNDS_DUE),
    Job("expire_orders", 30, False, expire_orders, EXPIRY_DUE),
    Job("tell_refusals", 30, False, tell_refusals, REFUSALS_DUE),
    Job("chase_enquiries", 30, False, chase_enquiries, ENQUIRIES_DUE),
    Job("send_broadcasts", 30, False, send_broadcasts, BROADCASTS_DUE),
    Job("end_approvals", 30, False, end_approvals, APPROVALS_DUE),
    Job("roll_books", 10, True, roll_books),
    Job("watch_credit", 60, True, watch_credit),
    Job("watch_market", 60, True, watch_market),
    Job("watch_licences", 3_600, True, watch_licences),
    Job("make_months", 86_400, True, make_months),
    Job("forget_old", 3_600, True, forget_old),
    Job("verify_books", 86_400, True, verify_books),
)
