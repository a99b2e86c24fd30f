"""The system that the business stands on. The runtime opens it once."""

from __future__ import annotations

from dataclasses import dataclass

from redis.asyncio import Redis

from core.kernel.clock import Clock
from core.kernel.ids import Ids
from core.system.call_limits import CallLimits
from core.system.gateway import Gateway
from core.system.redis_link import RedisLink
from core.system.store import Store
from core.system.throttle import Throttle
from core.system.vault import Vault


@dataclass(frozen=True, slots=True)
class System:
    """public_url: where merchants, suppliers and payers reach this desk. redis: for what waits
    for its answer. link: for limits, which do without it at once."""

    demo: bool
    public_url: str
    clock: Clock
    ids: Ids
    store: Store
    vault: Vault
    redis: Redis
    link: RedisLink
    throttle: Throttle
    call_limits: CallLimits
    gateway: Gateway

    async def close(self) -> None:
        """Let go of everything that holds a connection."""
        await self.store.settle()
        await self.gateway.close()
        await self.call_limits.close()
        await self.link.aclose()
        await self.redis.aclose()
        await self.store.close()
