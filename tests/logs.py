"""What the desk logs during a test: kept as it is said, and shown only where the test fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import Final

import pytest
import structlog
from structlog.typing import EventDict, WrappedLogger

# The last ones of a test that says more are enough to see why it failed.
_KEPT: Final = 1000
_SAID: Final[deque[EventDict]] = deque(maxlen=_KEPT)


def pytest_configure() -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            _keep,
        ]
    )


def pytest_runtest_setup() -> None:
    _SAID.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and _SAID:
        said = "\n".join(map(_line, _SAID))
        report.sections.append((f"What the desk had logged by the end of {call.when}", said))
    return report


def _keep(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    _SAID.append(event)
    raise structlog.DropEvent


def _line(event: EventDict) -> str:
    fields = dict(event)
    level, name, exception = (fields.pop(key, "") for key in ("level", "event", "exception"))
    shown = " ".join(f"{key}={value!r}" for key, value in fields.items())
    return "\n".join(filter(None, (f"{level:8} {name} {shown}", exception)))
