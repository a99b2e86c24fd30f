"""What came of tries is written together, and what cannot be written is that row's own failure."""

from __future__ import annotations

from core.wire import HttpRequest
from tests.core.notifications.test_domain import delivering, paid, state
from tests.core.support import Desk, Receiver


async def test_a_result_that_cannot_be_written_holds_up_no_other(
    desk: Desk, receiver: Receiver
) -> None:
    bad = await desk.open(notify_url=f"{receiver.url}?bad")
    await desk.see(bad, 10000)
    good = [await paid(desk, receiver) for _ in range(3)]

    async def send(request: HttpRequest) -> int:
        return 40_000 if request.url.endswith("?bad") else 200  # no column takes that status

    notifications = delivering(desk, send)
    assert await notifications.deliver_due(10) == 4
    assert [await state(desk, one) for one in good] == ["delivered"] * 3
    assert await state(desk, bad) == "pending"
    assert await notifications.deliver_due(10) == 0, "it is put off like any other"
    desk.clock.advance(6)
    assert await notifications.deliver_due(10) == 1
    tries = await desk.runtime.store.fetch("SELECT status FROM notification_try")
    assert [row["status"] for row in tries] == [200] * 3
