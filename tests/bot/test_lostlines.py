"""A log that cannot be written is an alarm until it can be written again."""

from __future__ import annotations

from pathlib import Path

from bot.logs import LogSink
from bot.lostlines import LostLines
from core.runtime import Runtime
from tests.core.support import alarms


async def test_lost_lines_are_an_alarm_until_none_is_lost(runtime: Runtime) -> None:
    await runtime.system.store.execute("DELETE FROM outbox")
    logs = LogSink(Path("/dev/full"))
    lost_lines = LostLines(runtime, logs)
    await lost_lines.tell()
    assert await alarms(runtime) == []
    logs.put("x")
    logs.put("y")
    logs.end()  # both were tried
    await lost_lines.tell()
    (told,) = await alarms(runtime)
    assert (told.kind, told.state) == ("logs", "standing")
    assert told.facts == {"instance": runtime.reports.instance.name, "lines": 2}
    await lost_lines.tell()
    (told,) = await alarms(runtime)
    assert told.state == "over"
    await lost_lines.tell()
    assert await alarms(runtime) == []
