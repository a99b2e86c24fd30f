"""The money path keeps its distance to a bare handler: by processor time for an item, of server and
PostgreSQL together, which other work on the machine moves far less than it moves rates.

The floors are less than half of what is usual. Whoever falls below has made an order or a question
more than twice as dear, or the bare handler cheaper.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bench.calls import creates, queries
from bench.orders import CONNECTIONS, CREATED, FOUND, LONGEST_S, made, order_no, warm
from bench.place import Measures
from bench.town import CALL, LINK, Keys

ROUNDS = 3
ITEMS = 150  # of a side of a round: the kernel counts processor time in hundredths of a second
CREATE_FLOOR = 0.2
CALL_FLOOR = 0.12  # the bare handler calls nobody
QUERY_FLOOR = 0.15


async def cpu_s(m: Measures, pid: int, port: int, calls: Sequence[bytes], good: int) -> float:
    """What these cost a server and PostgreSQL. None fails."""
    before = m.cpu(pid)
    came = await m.fire(port, calls, CONNECTIONS, LONGEST_S)
    after = m.cpu(pid)
    assert (len(came.answers), came.failed(good)) == (len(calls), 0)
    return sum(after) - sum(before)


@pytest.mark.parametrize(("product", "floor"), [(LINK, CREATE_FLOOR), (CALL, CALL_FLOOR)])
async def test_an_order_costs_little_more_than_its_rows(
    m: Measures, product: str, floor: float
) -> None:
    apps = m.town.plain
    await warm(m, apps, product)
    desk_s = bare_s = 0.0
    for _ in range(ROUNDS):
        desk_s += await cpu_s(m, m.desk.pid, m.desk_port, creates(apps, ITEMS, product), CREATED)
        calls = creates(apps, ITEMS, LINK)
        bare_s += await cpu_s(m, m.place.bare.pid, m.bare_port, calls, CREATED)
    assert bare_s / desk_s > floor


async def test_a_question_costs_little_more_than_its_row(m: Measures) -> None:
    apps = m.town.plain
    orders = [(keys, order_no(answer)) for keys, answer in await made(m, apps)]
    bares = await m.fire(m.bare_port, creates(apps, m.size.items, LINK), CONNECTIONS, LONGEST_S)
    known = [(apps[a.place % len(apps)], order_no(a.body)) for a in bares.answers]
    for port, asked in ((m.desk_port, orders), (m.bare_port, known)):
        await m.fire(port, again(asked), CONNECTIONS, LONGEST_S)  # so that they are warm
    desk_s = bare_s = 0.0
    for _ in range(ROUNDS):
        desk_s += await cpu_s(m, m.desk.pid, m.desk_port, again(orders), FOUND)
        bare_s += await cpu_s(m, m.place.bare.pid, m.bare_port, again(known), FOUND)
    assert bare_s / desk_s > QUERY_FLOOR


def again(orders: Sequence[tuple[Keys, str]]) -> Sequence[bytes]:
    """Questions after these orders in turn."""
    return queries(orders[n % len(orders)] for n in range(ITEMS))
