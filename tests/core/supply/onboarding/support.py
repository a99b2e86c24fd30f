"""Texts of connector documents, and the people who deal with them."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import date
from typing import Any, Final
from uuid import UUID

import pytest

from bot.world import DOCUMENTS
from core.kernel.errors import Refusal
from core.parties.suppliers import NewSupplier
from core.people.actors import Actor
from core.runtime import Runtime
from core.supply.onboarding import Document
from tests.core.support import ADMIN, OPS_CHAT, OWNER, refused

TEXT: Final = (DOCUMENTS / "sandbox_md5.yaml").read_text(encoding="utf-8")
PASSWORD: Final = "correct horse battery"
CREDENTIALS: Final = {
    "base_url": "http://127.0.0.1:1029", "mch_id": "880001", "key": "4e1f6c0b9d2a47358c61",
}  # fmt: skip


def changed(*changes: tuple[str, str]) -> str:
    """The sandbox's document, changed in places that are there."""
    text = TEXT
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return text


def numbered(number: int) -> str:
    """A document like the sandbox's that says something else."""
    return changed(("name: Sandbox supplier", f"name: Sandbox supplier {number}"))


# It answers callbacks in another word, and asks where nobody answers.
ELSEWHERE: Final = changed(
    ("success: success", "success: thanks"), ("/gateway/query", "/gateway/nowhere")
)
# Its interface may be at the sandbox's own server only, or only where nobody is.
PINNED: Final = changed(
    ("credentials: [mch_id, key]", "credentials: [mch_id, key]\nservers: [127.0.0.1]")
)
PINNED_ELSEWHERE: Final = changed(
    ("credentials: [mch_id, key]", "credentials: [mch_id, key]\nservers: [pay.example]"),
    ('base_url: "http://127.0.0.1:8090"', 'base_url: "http://pay.example"'),
    ("url: http://127.0.0.1:8090/gateway", "url: http://pay.example/gateway"),
)
FORGERY_BELIEVED: Final = changed(("gives: invalid", "gives: paid"))
NO_CALLBACK: Final = (
    TEXT[: TEXT.index("callback:")]
    + TEXT[TEXT.index("\nfixtures:") : TEXT.index("    - verify: callback")]
)
MORE_CREDENTIALS: Final = changed(
    ("credentials: [mch_id, key]", "credentials: [mch_id, key, app_id, terminal]"),
    ("key: 4e1f6c0b9d2a47358c61 }", "key: 4e1f6c0b9d2a47358c61, app_id: 7, terminal: 8 }"),
)


async def staff(runtime: Runtime, user_id: int = OWNER) -> Actor:
    """One of the staff, in private."""
    return await runtime.people.access.actor(user_id, "", user_id, private=True)


async def approved(runtime: Runtime, text: str) -> Document:
    """Proposed by the admin, approved by the owner."""
    document = await runtime.supply.documents.propose(await staff(runtime, ADMIN), text)
    return await runtime.supply.documents.approve(await staff(runtime, OWNER), document)


def new_supplier(document: Document, number: int = 7, **changes: Any) -> NewSupplier:
    """A sandbox supplier that lacks nothing but credentials."""
    values: dict[str, Any] = {
        "supplier_no": f"S{number:02}", "name": "Gulf Pay", "document_id": document.id,
        "sandbox": True, "legal_name": "Gulf Pay W.L.L.", "licence_no": "SANDBOX-0077",
        "licence_expires_on": date(2099, 12, 31), "settles_to": "merchant",
    }  # fmt: skip
    return NewSupplier(**(values | changes))


async def trail(runtime: Runtime, after: int = 0) -> list[str]:
    """What the trail names, oldest first."""
    rows = await runtime.system.store.fetch("SELECT action FROM audit ORDER BY at, id")
    return [row["action"] for row in rows][after:]


async def alone(runtime: Runtime, actor: Actor, question: UUID, *, proven: bool = True) -> str:
    """What is refused to whoever approves their own, with PASSWORD or without."""
    factors = runtime.people.factors
    proof = await factors.prove(actor, PASSWORD, question) if proven else None
    where = actor
    if not proven:  # on the card itself
        where = await runtime.people.access.actor(actor.user_id, "", OPS_CHAT, private=False)
    try:
        await runtime.people.approvals.decide(where, question, yes=True, proof=proof)
    except Refusal as refusal:
        return refusal.code
    return ""


async def no(doing: Awaitable[object], code: str) -> Refusal:
    """What is refused with this code."""
    with pytest.raises(Refusal) as error:
        await doing
    assert refused(error.value) == code, error.value
    return error.value
