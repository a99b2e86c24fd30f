"""How long the connector engine takes: build, sign and read, for documents of the library.

`python -m bench.engine` prints microseconds of a processor, the best of several rounds: what else
the machine does only makes a round longer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from core.connectors import Accepted, Connector, HttpAnswer, load

LIBRARY: Final = Path(__file__).parents[1] / "connectors"
ROUNDS: Final = 20
TIMES: Final = 300
# The MD5 case is what nearly every supplier speaks: it has a bar, on the machine it was set on.
BAR_US: Final = {"generic_md5_form": 150.0}
CODES: Final = ("generic_md5_form", "generic_md5_json", "generic_hmac", "jeepay", "sandbox_rsa")


def turn(connector: Connector) -> Callable[[], None]:
    """One create: its request built and signed, and its good answer read."""
    shared = connector.fixtures
    case = next(c for c in shared.cases if (c.operation, c.gives) == ("create", "accepted"))
    headers = {name.lower(): value for name, value in case.headers.items()}
    answer = HttpAnswer(case.status, headers, case.body.encode())

    def once() -> None:
        connector.build("create", case.facts, shared.credentials, now=case.now, nonce=shared.nonce)
        reading = connector.read_create(
            answer, case.facts, shared.credentials, now=case.now, nonce=shared.nonce
        )
        assert isinstance(reading, Accepted), reading

    return once


def measure(once: Callable[[], None], rounds: int = ROUNDS, times: int = TIMES) -> float:
    """Microseconds of one turn, in the best round."""
    best = float("inf")
    for _ in range(rounds):
        began = time.thread_time()
        for _ in range(times):
            once()
        best = min(best, (time.thread_time() - began) / times)
    return best * 1e6


def main() -> None:
    for code in CODES:
        text = (LIBRARY / f"{code}.yaml").read_text(encoding="utf-8")
        took_us = measure(turn(load(text)))
        bar_us = BAR_US.get(code)
        print(f"{code:20} {took_us:8.1f} µs{f'  (bar {bar_us:.0f})' if bar_us else ''}")


if __name__ == "__main__":
    main()
