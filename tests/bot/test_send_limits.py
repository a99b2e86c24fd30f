"""What may leave for a chat: an album is one call of many messages."""

from __future__ import annotations

import pytest

from bot.send_limits import Budget, Full
from core.delivery.outbox.facts import BULK, SAID
from core.runtime import Runtime

GROUP, PERSON = -1_002_000_000_777, 777
PER_MIN = 18


async def test_an_album_leaves_where_one_message_after_the_other_never_could(
    runtime: Runtime,
) -> None:
    """In private three leave in three seconds; an album of ten leaves once nothing else did."""
    budget = Budget(runtime.system.throttle, PER_MIN)
    async with budget.call(PERSON, SAID, 10):
        pass
    with pytest.raises(Full):
        async with budget.call(PERSON, SAID, 10):
            pytest.fail("there was no room for it")


@pytest.mark.parametrize("rank", [SAID, BULK])
async def test_an_album_that_has_to_wait_uses_up_nothing(runtime: Runtime, rank: int) -> None:
    budget = Budget(runtime.system.throttle, PER_MIN)
    for _ in range(9):
        await budget.take(GROUP, SAID)
    before = await budget.used(GROUP)
    for _ in range(3):
        with pytest.raises(Full):
            async with budget.call(GROUP, rank, 10):
                pytest.fail("there was no room for it")
    assert await budget.used(GROUP) == before
    async with budget.call(GROUP, rank, 5):
        pass
    assert await budget.used(GROUP) == 14 / PER_MIN
