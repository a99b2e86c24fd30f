"""What people do with money by their own hand is told to the ops groups, wherever it was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.delivery.outbox import Notice, Say
from core.kernel.money import Money
from core.people.actors import Actor
from core.people.groups import Groups
from core.system.store import Tx

What = Literal[
    "completed", "adjusted", "adjusted_undone", "prepaid", "prepaid_undone", "paid_in",
    "paid_in_undone", "refund_payer", "credit_merchant", "refunded",
    "refund_given", "refund_not_given",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deed:
    """holder_no, holder_name: of the merchant or supplier whose money it is. amount: negative where
    it was taken back. number: of the order or record. reason: in the person's words.
    approved_by_name: the second person, where one was needed."""

    what: What
    holder_no: str
    holder_name: str
    amount: Money
    number: str
    reason: str
    approved_by_name: str = ""


@dataclass(frozen=True, slots=True)
class DeedNotice(Notice):
    """What somebody did with one message. group: the title of the group it was done in; empty for
    a private chat."""

    deeds: tuple[Deed, ...]
    actor_name: str
    group: str


async def tell_ops(tx: Tx, groups: Groups, actor: Actor, *deeds: Deed) -> None:
    """Tell every ops group but the one in which it was done: there everybody saw it. What one
    message did is told in one."""
    group = actor.group.title if actor.group is not None else ""
    await groups.tell_ops(tx, Say(DeedNotice(deeds, actor.name, group)), but=actor.chat_id)
