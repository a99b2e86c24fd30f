"""Ops hears of a log that cannot be written: nobody else would."""

from __future__ import annotations

from bot.logs import LogSink
from core.runtime import Runtime
from handlers.alarms.screens import AlarmLogs


class LostLines:
    """An alarm for as long as lines of this process's log are lost."""

    def __init__(self, runtime: Runtime, logs: LogSink) -> None:
        self._runtime = runtime
        self._logs = logs
        self._told = 0
        self._standing = False

    async def tell(self) -> None:
        """Sound the alarm where lines were lost since the last look; end it where none was."""
        lost = self._logs.lost
        losing = lost > self._told
        if not (losing or self._standing):
            return
        name, alarms = self._runtime.reports.instance.name, self._runtime.people.alarms
        async with self._runtime.system.store.transaction() as tx:
            if losing:
                await alarms.sound(tx, AlarmLogs(name, lost), name)
            else:
                await alarms.end(tx, AlarmLogs, name)
        self._standing, self._told = losing, lost
