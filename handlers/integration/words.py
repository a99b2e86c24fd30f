"""What people ask who connect a merchant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handlers.kit.commands import Command, about
from handlers.kit.intents import Reading


@dataclass(frozen=True, slots=True)
class ShowIntegration(Reading):
    """Where the API is described, and a merchant's own numbers."""

    merchant_no: str | None = None


COMMANDS: Final = (
    Command(
        "docs",
        {ShowIntegration: "read_money"},
        about(ShowIntegration),
        forms=("对接文档",),
        what="API documents and your numbers",
        usage=("对接文档", "对接文档 M1001", "/docs"),
        answer=(
            "links to the API's description, and the merchant's own numbers: its apps with key,"
            " notify URL and IP list, and its products; never a secret"
        ),
    ),
)
