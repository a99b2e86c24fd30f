"""What the reader of a list may see of its orders."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.reports.order_lists.filters import OrderFilter


@dataclass(frozen=True, slots=True)
class Sight:
    """merchant_ids: whose orders; None for everybody's. supplier_ids: whose attempts are listed, in
    the place of orders; None where orders are. channels, fees, costs: whether these may be told."""

    merchant_ids: tuple[UUID, ...] | None
    supplier_ids: tuple[UUID, ...] | None = None
    channels: bool = False
    fees: bool = False
    costs: bool = False


def sight_of(actor: Actor, wanted: OrderFilter) -> Sight:
    """What this actor sees of it in this chat: in a merchant's group its own orders, without
    channels and cost; in a supplier's group its attempts; staff among themselves everything. What
    several merchants come to is for who reads statistics, and what the platform earns of them for
    who reads its bill.

    Refusals: anonymous_admin, not_permitted, staff_only (channels and suppliers, where others read
    along), group_not_bound, merchant_not_here (a merchant, in a supplier's group), filter_not_here
    (what a supplier does not know), record_not_found (a merchant that is not seen here).
    """
    actor.need("look_up")
    if actor.in_suppliers_group:
        return _of_supplier(actor, wanted)
    if wanted.channel_nos or wanted.supplier_nos:
        actor.need_among_staff("see_channel")
    if actor.merchant_ids is not None:
        return _of_merchants(actor, actor.merchant_ids, wanted)
    is_one = len(wanted.merchant_ids) == 1
    if not is_one:
        actor.need("read_statistics")
    channels = actor.may("see_channel")
    earned = channels and (is_one or actor.may("read_platform"))
    return Sight(
        wanted.merchant_ids or None, channels=channels, fees=is_one or earned, costs=earned
    )


def _of_merchants(actor: Actor, bound: tuple[UUID, ...], wanted: OrderFilter) -> Sight:
    if not bound:
        raise Refusal("group_not_bound")
    if not all(actor.sees(one) for one in wanted.merchant_ids):
        raise Refusal("record_not_found")
    return Sight(wanted.merchant_ids or bound, fees=True)


def _of_supplier(actor: Actor, wanted: OrderFilter) -> Sight:
    if wanted.merchant_ids:
        raise Refusal("merchant_not_here")
    if wanted.news or wanted.marks or wanted.supplier_nos:
        raise Refusal("filter_not_here")
    return Sight((), actor.supplier_ids or (), channels=True)
