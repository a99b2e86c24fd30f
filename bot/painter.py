"""What alarms, cards and bills look like at this moment, in a chat and its language."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from core.delivery.outbox import Bill, DeskBill
from core.kernel.days import Days
from core.kernel.holder import HOUSE
from core.people.groups import Group
from core.people.people import RIGHTS, ROLES
from core.runtime import Runtime
from core.trade.enquiries import Enquiry
from core.trade.orders import OrderCard
from handlers.bills.merchant import render_bill
from handlers.bills.platform import render_platform_bill
from handlers.bills.supplier import render_supplier_bill
from handlers.screens import (
    CardContext,
    Screen,
    render_alarm,
    render_approval,
    render_broadcast,
    render_card,
    render_enquiry,
    render_supplier_card,
)

_STAFF_RIGHTS: Final = frozenset(RIGHTS)
_LABEL: Final = "预付"  # of prepayments, where no group has a word of its own


@dataclass(frozen=True, slots=True)
class Seen:
    """What a card shows; two that are equal look alike. context: what the order's own card needs
    beside it; or the zone of the supplier whose card it is, with that one's attempts alone."""

    card: OrderCard
    context: CardContext | str
    language: str

    def screen(self) -> Screen:
        order, attempts = self.card.order, list(self.card.attempts)
        if isinstance(self.context, str):
            return render_supplier_card(order, attempts, self.context, self.language)
        return render_card(order, attempts, self.context, self.language)


class Painter:
    """Reads the present state and renders it. What only staff may see is shown where only staff
    reads: in ops groups and private chats."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def card(self, chat_id: int, merchant_id: UUID, order_id: UUID) -> Screen | None:
        """An order's card; in a supplier's group what that supplier knows of it. None where the
        chat may not see it: the group was bound to somebody else meanwhile, or to nobody."""
        seen = await self.look(chat_id, merchant_id, order_id)
        return None if seen is None else seen.screen()

    async def look(self, chat_id: int, merchant_id: UUID, order_id: UUID) -> Seen | None:
        """What a card shows of an order in a chat. None as in `card`."""
        card = await self._runtime.trade.lookups.card(merchant_id, order_id)
        group, language = await self._there(chat_id)
        market = await self._runtime.supply.market.now()
        if group is not None and group.kind == "supplier":
            own = tuple(one for one in card.attempts if one.supplier_id in group.supplier_ids)
            if not own:
                return None
            zone = group.zone or market.supplier(own[-1].supplier_id).day_cut.zone
            return Seen(replace(card, attempts=own), zone, language)
        staff = _staff_only(chat_id, group)
        if not staff and (group is None or merchant_id not in group.merchant_ids):
            return None
        merchant = market.merchant(merchant_id)
        context = CardContext(
            merchant_no=merchant.merchant_no,
            merchant_name=merchant.name,
            products=market.products,
            notification=card.news,
            zone=await self._clocks(group, merchant.day_cut.zone, staff=staff),
            label=group.label if group else _LABEL,
            staff=staff,
            fee_minor=card.fee_minor,
            rights=await self._rights(chat_id, group),
        )
        return Seen(card, context, language)

    async def _rights(self, chat_id: int, group: Group | None) -> frozenset[str]:
        """Whose buttons stand under a card: see `CardContext`."""
        if group is None:
            person = await self._runtime.people.people.find(chat_id)
            return person.rights if person else frozenset()
        return _STAFF_RIGHTS if group.kind == "ops" else ROLES["merchant_staff"]

    async def _clocks(self, group: Group | None, zone: str, *, staff: bool) -> str:
        """On whose clocks a chat reads times: the group's own; else those of the platform where
        staff is among itself, and of its merchant, whose zone this is, elsewhere."""
        if group is not None and group.zone is not None:
            return group.zone
        return (await self._runtime.ledger.calendar.cut_of(HOUSE)).zone if staff else zone

    async def enquiry(self, chat_id: int, enquiry_id: UUID) -> tuple[Enquiry, Screen] | None:
        """What a supplier is asked, as it stands, and its card. None where the chat may not see it:
        the group is no longer that supplier's; or it is forgotten."""
        seen = await self._runtime.trade.enquiries.view(enquiry_id)
        if seen is None:
            return None
        may_read = self._runtime.people.groups.may_read
        if not await may_read(chat_id, seen.enquiry.supplier_id):
            return None
        return seen.enquiry, render_enquiry(seen, await self.language(chat_id))

    async def bill(
        self, chat_id: int, group: Group | None, fact: Bill, *, stays: bool
    ) -> tuple[Screen, date]:
        """A merchant's bill, and its first day. group: of the chat. stays: its buttons post others
        beside it."""
        days = _days(fact.first, fact.last) if fact.first and fact.last else None
        bill = await self._runtime.reports.bills.merchant(UUID(fact.merchant_id), days)
        screen = render_bill(
            bill,
            label=group.label if group else _LABEL,
            language=group.language if group else await self.language(chat_id),
            live=stays,
            products=(await self._runtime.supply.market.now()).products,
            staff=_staff_only(chat_id, group),
        )
        return screen, bill.days.first

    async def desk_bill(self, chat_id: int, fact: DeskBill, *, stays: bool) -> tuple[Screen, date]:
        """A supplier's bill, or the platform's, and its first day. stays: as of `bill`."""
        days = _days(fact.first, fact.last) if fact.first and fact.last else None
        language = await self.language(chat_id)
        products = (await self._runtime.supply.market.now()).products
        if fact.supplier_id is None:
            platform = await self._runtime.reports.bills.platform(days, fact.currency)
            currencies = await self._runtime.parties.merchants.booked_currencies()
            screen = render_platform_bill(
                platform, language=language, live=stays, products=products, currencies=currencies
            )
            return screen, platform.days.first
        supplier = await self._runtime.reports.bills.supplier(UUID(fact.supplier_id), days)
        screen = render_supplier_bill(supplier, language=language, live=stays, products=products)
        return screen, supplier.days.first

    async def alarm(self, chat_id: int, alarm_id: UUID) -> Screen:
        """An alarm, with times on the platform's clocks."""
        alarm = await self._runtime.people.alarms.get(alarm_id)
        zone = (await self._runtime.ledger.calendar.cut_of(HOUSE)).zone
        return render_alarm(alarm, zone, await self.language(chat_id))

    async def approval(self, chat_id: int, approval_id: UUID) -> Screen:
        """What waits for a second person, or how it was answered. Only an ops group is offered to
        say yes; where it was asked, it can be taken back."""
        asked = await self._runtime.people.approvals.cards.of(approval_id)
        group, language = await self._there(chat_id)
        ops = group is not None and group.kind == "ops"
        zone = (await self._runtime.ledger.calendar.cut_of(HOUSE)).zone
        return render_approval(asked, zone, language, ops=ops)

    async def broadcast(self, chat_id: int, broadcast_id: UUID) -> Screen | None:
        """A broadcast as it stands; None where it is forgotten."""
        seen = await self._runtime.people.broadcasts.view(broadcast_id)
        if seen is None:
            return None
        zone = (await self._runtime.ledger.calendar.cut_of(HOUSE)).zone
        return render_broadcast(seen, zone, await self.language(chat_id))

    async def zone(self, group: Group, holder_id: UUID) -> str:
        """On whose clocks a group of this holder lives: its own, or the holder's."""
        return group.zone or (await self._runtime.ledger.calendar.cut_of(holder_id)).zone

    async def language(self, chat_id: int) -> str:
        """What is spoken in a chat."""
        return (await self._there(chat_id))[1]

    async def _there(self, chat_id: int) -> tuple[Group | None, str]:
        """The group of a chat, None where it is none or not known; and what is spoken there."""
        if chat_id < 0:
            group = await self._runtime.people.groups.find(chat_id)
            return group, group.language if group else "zh"
        person = await self._runtime.people.people.find(chat_id)
        return None, (person.language if person else None) or "zh"


def _staff_only(chat_id: int, group: Group | None) -> bool:
    return chat_id > 0 or (group is not None and group.kind == "ops")


def _days(first: str, last: str) -> Days:
    return Days(date.fromisoformat(first), date.fromisoformat(last))
