"""Who fails to prove who it is, again and again, is not looked at for a while.

A wrong signature costs us a read of the database and a look at the body, so a stranger's flood of
them must end before both. A limit of calls by address would not do: a busy shop makes thousands a
second from one, and many shops may be behind one address. So only failures count, and they count
for the address *and* the key they claim:

- A key that fails FAILURES at an address is answered 429 there; other keys are not.
- After KEYS different keys that failed at an address, others that are new there are answered so.
- Keys that proved themselves there within PROVEN_FOR_S are not new, and may fail as often as
  FAILURES_OF_PROVEN says: one of a shop's servers may have an old secret.

All this is this process's own: a count that is shared would cost a round trip for each call, and a
stranger gets no more out of several processes than so many times a small number.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil
from typing import Final

from aiohttp import web

from core.kernel.errors import Refusal
from core.system.throttle import Limit, LocalLimits

FAILURES: Final = Limit(60, 60.0)
FAILURES_OF_PROVEN: Final = Limit(600, 60.0)
KEYS: Final = Limit(30, 60.0)
PROVEN_FOR_S: Final = 600.0
MAX_KNOWN: Final = 10_000
_PLACES_KEPT: Final = 1024
_NETWORK_BITS: Final = 64  # what one customer of a provider has of IPv6, at least


class Strangers:
    """Failures by address and key. now_s: of a clock that only goes forward."""

    def __init__(
        self, now_s: Callable[[], float] = time.monotonic, max_known: int = MAX_KNOWN
    ) -> None:
        self._now_s = now_s
        self._max_known = max_known
        self._failures = LocalLimits(max_known)
        self._keys = LocalLimits(max_known)
        self._proven: OrderedDict[str, float] = OrderedDict()  # the last one last

    def need_room(self, address: str, key_id: str) -> None:
        """Before anything is read. Refusals: rate_limited."""
        now_s, place = self._now_s(), _place(address)
        claim = f"{place} {key_id}"
        proven = self._is_proven(claim, now_s)
        wait_s = self._failures.wait(claim, FAILURES_OF_PROVEN if proven else FAILURES, now_s)
        if not proven and not self._failures.counts(claim, now_s):
            wait_s = max(wait_s, self._keys.wait(place, KEYS, now_s))
        if wait_s:
            raise Refusal("rate_limited", retry_after_s=ceil(wait_s))

    def failed(self, address: str, key_id: str) -> None:
        """Whoever calls from there did not prove to be whose key this is."""
        now_s, place = self._now_s(), _place(address)
        claim = f"{place} {key_id}"
        if self._is_proven(claim, now_s):
            self._failures.room({claim: FAILURES_OF_PROVEN}, now_s)
            return
        if not self._failures.counts(claim, now_s):
            self._keys.room({place: KEYS}, now_s)
        self._failures.room({claim: FAILURES}, now_s)

    def proved(self, address: str, key_id: str) -> None:
        """Whoever calls from there signed rightly with this key."""
        claim = f"{_place(address)} {key_id}"
        self._proven[claim] = self._now_s()
        self._proven.move_to_end(claim)
        if len(self._proven) > self._max_known:
            self._proven.popitem(last=False)

    def _is_proven(self, claim: str, now_s: float) -> bool:
        at_s = self._proven.get(claim)
        return at_s is not None and now_s - at_s < PROVEN_FOR_S


STRANGERS: Final = web.AppKey("strangers", Strangers)


@lru_cache(_PLACES_KEPT)
def _place(address: str) -> str:
    """Where an address is: of IPv6 the network, for whoever has one address there has all."""
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((found, _NETWORK_BITS), strict=False))
    return address
