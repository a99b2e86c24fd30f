"""The buttons of merchants and their apps: at most 64 bytes each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args
from uuid import UUID

from handlers.kit.buttons import Button, long, read_page, short
from handlers.merchants.words import SEARCH_BYTES, STATES

MerchantAction = Literal[
    "open", "suspend", "resume", "archive", "review", "products", "test", "live", "name",
    "legal_name", "licence_no", "category", "site", "contact",
]  # fmt: skip
AppAction = Literal["open", "rotate", "end_old", "revoke", "notify_url", "ip", "limit", "ping"]
_STATES: Final = frozenset({"", *STATES.values()})
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TurnMerchants(Button):
    """Another page of the merchants. words, state: as they were looked for."""

    page: int
    words: str = ""
    state: str = ""

    def data(self) -> str:
        return f"mers:{self.page}:{self.state}:{self.words}"


@dataclass(frozen=True, slots=True)
class OpenMerchant(Button):
    """Begin to open a merchant."""

    def data(self) -> str:
        return "mer+"


@dataclass(frozen=True, slots=True)
class OnMerchant(Button):
    """Something to do with a merchant. test, live: open such an app."""

    merchant_id: UUID
    action: MerchantAction

    def data(self) -> str:
        return f"mer:{self.action}:{short(self.merchant_id)}"


@dataclass(frozen=True, slots=True)
class TurnProduct(Button):
    """Switch a product on or off for a merchant."""

    merchant_id: UUID
    product_code: str
    state: Literal["on", "off"]

    def data(self) -> str:
        return f"mp:{self.state}:{short(self.merchant_id)}:{self.product_code}"


@dataclass(frozen=True, slots=True)
class OnApp(Button):
    """Something to do with an app."""

    app_id: UUID
    action: AppAction

    def data(self) -> str:
        return f"mapp:{self.action}:{short(self.app_id)}"


@dataclass(frozen=True, slots=True)
class TakeKeys(Button):
    """Prove it, and be shown the new keys that were asked for."""

    approval_id: UUID

    def data(self) -> str:
        return f"mkeys:{short(self.approval_id)}"


def read(parts: list[str]) -> Button | None:
    """The button of these parts; None for one that is not ours. Raises ValueError likewise."""
    match parts:
        case ["mers", page, state, *words] if state in _STATES:
            text = ":".join(words)
            return TurnMerchants(read_page(page), text, state) if _fits(text) else None
        case ["mer+"]:
            return OpenMerchant()
        case ["mer", action, merchant_id] if action in get_args(MerchantAction):
            return OnMerchant(long(merchant_id), action)  # type: ignore[arg-type]  # asked above
        case ["mp", "on" | "off" as state, merchant_id, code] if _CODE.fullmatch(code):
            return TurnProduct(long(merchant_id), code, "on" if state == "on" else "off")
        case ["mapp", action, app_id] if action in get_args(AppAction):
            return OnApp(long(app_id), action)  # type: ignore[arg-type]  # asked above
        case ["mkeys", approval_id]:
            return TakeKeys(long(approval_id))
    return None


def _fits(text: str) -> bool:
    return len(text.encode()) <= SEARCH_BYTES
