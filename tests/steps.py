"""How long a coroutine computes at a stretch: while it does, a desk serves nobody else."""

from __future__ import annotations

import gc
import time
from collections.abc import Coroutine, Generator
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

# As `bot.loop_watch` has it.
BAR_S: Final = 0.05
# The heap is set aside again after so many collections of what is young. Until then there is too
# little of it for any collection to take more than a few milliseconds.
_COLLECTIONS: Final = 20
_YOUNG_TO_OLDER: Final = 10  # as Python has it


def set_heap_aside() -> None:
    """Collections of garbage look at nothing older than this, as in a desk that has started
    (`bot.process`): to look at what a whole suite has gathered takes a third of a second."""
    gc.collect()
    gc.freeze()


class Steps(Generic[T]):
    """Awaits a coroutine. longest_s: of a processor, of its longest step from one wait to the
    next; what the machine does meanwhile does not count."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self.longest_s = 0.0

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self._work.__await__()
        failed: BaseException | None = None
        while True:
            began_s = time.thread_time()
            try:
                waits_for = next(steps) if failed is None else steps.throw(failed)
            except StopIteration as ended:
                result: T = ended.value
                return result
            finally:
                self.longest_s = max(self.longest_s, time.thread_time() - began_s)
            try:
                yield waits_for
            except BaseException as error:  # noqa: BLE001 (the coroutine's own)
                failed = error
            else:
                failed = None


async def in_short_steps(work: Coroutine[Any, Any, T]) -> T:
    """What work comes to. Fails where it computed for longer than BAR_S at a stretch."""
    steps = Steps(work)
    _, young, older = gc.get_count()
    if young + _YOUNG_TO_OLDER * older >= _COLLECTIONS:
        set_heap_aside()
    result = await steps
    assert steps.longest_s <= BAR_S, f"the loop stood still for {steps.longest_s * 1000:.0f} ms"
    return result
