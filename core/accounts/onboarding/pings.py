"""A signed call to the server of a merchant's app, to see whether it hears notifications."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from core.kernel.errors import Refusal
from core.parties.merchants import KeptApp, Merchants
from core.people.actors import Actor
from core.system.district import System
from core.system.gateway import MayHaveHappened, NeverSent, Timeouts
from core.trade.notifications import body_of, webhook

RIGHT: Final = "merchants"
TYPE: Final = "ping"
TIMEOUTS: Final = Timeouts(connect_s=5.0, read_s=8.0, total_s=10.0)
SHOWN_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Ping:
    """What came of it. status: of its answer; None where there was none, and `why` says why not.
    body: how its answer begins."""

    app: KeptApp
    url: str
    status: int | None
    took_ms: int
    why: str = ""
    body: str = ""

    @property
    def heard(self) -> bool:
        """Whether notifications would count as delivered there."""
        return self.status is not None and 200 <= self.status < 300


class Pings:
    """Calls servers of merchants' apps as notifications do, about nothing."""

    def __init__(self, system: System, merchants: Merchants) -> None:
        self._system = system
        self._merchants = merchants

    async def send(self, actor: Actor, app_id: UUID) -> Ping:
        """Call the app's own address, once. Refusals: those of `Actor.need_among_staff`,
        key_unknown, notify_url_missing."""
        actor.need_among_staff(RIGHT)
        kept = await self._merchants.apps.find(app_id)
        app, now, ids = kept.app, self._system.clock.now(), self._system.ids
        if kept.state != "open":
            raise Refusal("key_unknown")
        if not app.notify_url:
            raise Refusal("notify_url_missing", app=kept.name)
        facts = {"merchant_no": app.merchant.merchant_no, "key_id": app.key_id}
        request = webhook(
            app.notify_url,
            f"msg_{ids.uuid7().hex}",
            body_of(TYPE, now, facts),
            app.notify_secrets_at(now),
            now,
        )
        began_s = time.monotonic()
        status, why, body = None, "", ""
        try:
            answer = await self._system.gateway.send(
                request, timeouts=TIMEOUTS, status_decides=True
            )
            status, body = answer.status, answer.body.decode("utf-8", "replace")
        except (NeverSent, MayHaveHappened) as error:
            why = error.why
        took_ms = int((time.monotonic() - began_s) * 1000)
        return Ping(kept, app.notify_url, status, took_ms, why, body[:SHOWN_CHARS])
