"""The timetable: APScheduler is only the clock; who runs a job is decided by its row."""

from __future__ import annotations

import asyncio
from datetime import UTC
from functools import partial
from typing import Final

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.schedulers.base import STATE_RUNNING

from core.reports.ticks import LEASE
from core.runtime import Runtime
from core.system.leases import Look
from core.system.pool import loops_context
from scheduler.jobs import JOBS, Job

_LOG = structlog.get_logger(__name__)
_STOP_S: Final = 15.0
_LOOK_S: Final = 60
_RENEW_S: Final = LEASE.total_seconds() / 3


class Timetable:
    """Ticks in every instance of the desk.

    look_s: how often at least it is looked whether a job that one instance runs has a new slot.
    A day's job thus runs soon after a start, also on a desk that is restarted every day.
    """

    def __init__(
        self,
        runtime: Runtime,
        jobs: tuple[Job, ...] = JOBS,
        *,
        look_s: int = _LOOK_S,
        renew_s: float = _RENEW_S,
    ) -> None:
        self._runtime = runtime
        self._jobs = jobs
        self._look_s = look_s
        self._renew_s = renew_s
        self._running: dict[str, asyncio.Task[None]] = {}
        self._scheduler = AsyncIOScheduler(timezone=UTC)

    def watch(self, look: Look) -> None:
        """Have jobs run as soon as the look at all queues finds something due for them."""
        for job in self._jobs:
            if job.due:
                look.watch(job.due, partial(self._begin, job))

    def start(self) -> None:
        """Start ticking, outside of whatever context is calling."""
        loops_context().run(self._start)

    def _start(self) -> None:
        for job in self._jobs:
            self._scheduler.add_job(
                self._tick,
                "interval",
                [job],
                seconds=min(job.every_s, self._look_s) if job.alone else job.every_s,
                id=job.name,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
        self._scheduler.start()

    async def stop(self) -> None:
        """No more ticks; what runs is waited for. One that was never started is stopped already."""
        if not self._scheduler.running:
            return
        self._scheduler.pause()  # its shutdown would cancel what is running
        if self._running:
            await asyncio.wait(self._running.values(), timeout=_STOP_S)
        self._scheduler.shutdown(wait=False)

    async def _tick(self, job: Job) -> None:
        self._begin(job)
        if task := self._running.get(job.name):
            await asyncio.shield(task)

    def _begin(self, job: Job) -> None:
        """Run it, unless it runs already or the timetable does not."""
        if job.name in self._running or self._scheduler.state != STATE_RUNNING:
            return
        task = asyncio.create_task(self._run(job), name=job.name)
        self._running[job.name] = task
        task.add_done_callback(lambda _: self._running.pop(job.name))

    async def _run(self, job: Job) -> None:
        try:
            if job.alone:
                await self._run_alone(job)
            else:
                await job.work(self._runtime)
        except Exception:  # noqa: BLE001 (the next tick tries again)
            _LOG.exception("job failed", job=job.name)

    async def _run_alone(self, job: Job) -> None:
        """Run it where its turn is ours, and say how that ended."""
        ticks = self._runtime.reports.ticks
        turn = await ticks.take(job.name, job.every_s)
        if turn is None:
            return
        work = asyncio.create_task(_work(job, self._runtime), name=job.name)
        try:
            while not (await asyncio.wait({work}, timeout=self._renew_s))[0]:
                renewed = await ticks.renew(turn)
                if renewed is None:
                    _LOG.error("turn lost", job=job.name)
                    return
                turn = renewed
        finally:
            work.cancel()  # where it is not done: nobody waits for it any more
        try:
            await work
        except Exception as fault:
            await ticks.failed(turn, type(fault).__name__)
            raise
        await ticks.done(turn)


async def _work(job: Job, runtime: Runtime) -> None:
    await job.work(runtime)
