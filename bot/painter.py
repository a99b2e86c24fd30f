"""What alarms, cards and bills look like at this moment, in a chat and its language."""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from core.delivery.outbox import Bill, DeskBill
from core.kernel.days import Days
from core.kernel.holder import HOUSE
from core.people.groups import Group
from core.runtime import Runtime
from core.trade.orders import charge_of, get_attempts, get_order
from handlers.bills.merchant import render_bill
from handlers.bills.platform import render_platform_bill
from handlers.bills.supplier import render_supplier_bill
from handlers.screens import CardContext, Screen, render_alarm, render_card, render_supplier_card

_LABEL: Final = "预付"  # of prepayments, where no group has a word of its own


class Painter:
    """Reads the present state and renders it. What only staff may see is shown where only staff
    reads: in ops groups and private chats."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def card(self, chat_id: int, merchant_id: UUID, order_id: UUID) -> Screen | None:
        """An order's card; in a supplier's group what that supplier knows of it. None where the
        chat may not see it: the group was bound to somebody else meanwhile, or to nobody."""
        store = self._runtime.system.store
        order = await get_order(store, merchant_id, order_id)
        attempts = await get_attempts(store, merchant_id, order_id)
        group = await self._runtime.people.groups.find(chat_id)
        if group is not None and group.kind == "supplier":
            own = [attempt for attempt in attempts if attempt.supplier_id in group.supplier_ids]
            if not own:
                return None
            supplier = await self._runtime.parties.suppliers.by_id(own[-1].supplier_id)
            zone, language = supplier.day_cut.zone, group.language
            return render_supplier_card(order, own, zone, language)
        staff = _staff_only(chat_id, group)
        if not staff and (group is None or merchant_id not in group.merchant_ids):
            return None
        merchant = await self._runtime.parties.merchants.by_id(merchant_id)
        context = CardContext(
            merchant_no=merchant.merchant_no,
            merchant_name=merchant.name,
            products=await self._runtime.supply.channels.products.on_sale(),
            notification=await self._runtime.trade.notifications.state_of(merchant_id, order_id),
            zone=merchant.day_cut.zone,
            label=group.label if group else _LABEL,
            staff=staff,
            fee_minor=(await charge_of(store, order)).fee_minor if order.terms else None,
        )
        return render_card(order, attempts, context, await self.language(chat_id))

    async def bill(self, chat_id: int, fact: Bill, *, stays: bool) -> tuple[Screen, date]:
        """A merchant's bill, and its first day. stays: its buttons post others beside it."""
        days = _days(fact.first, fact.last) if fact.first and fact.last else None
        group = await self._runtime.people.groups.find(chat_id)
        bill = await self._runtime.reports.bills.merchant(UUID(fact.merchant_id), days)
        screen = render_bill(
            bill,
            label=group.label if group else _LABEL,
            language=await self.language(chat_id),
            live=stays,
            products=await self._runtime.supply.channels.products.on_sale(),
            staff=_staff_only(chat_id, group),
        )
        return screen, bill.days.first

    async def desk_bill(self, chat_id: int, fact: DeskBill) -> Screen:
        """A supplier's bill, or the platform's."""
        days = _days(fact.first, fact.last)
        language = await self.language(chat_id)
        products = await self._runtime.supply.channels.products.on_sale()
        if fact.supplier_id is None:
            platform = await self._runtime.reports.bills.platform(days, fact.currency)
            currencies = await self._runtime.parties.merchants.currencies()
            return render_platform_bill(
                platform, language=language, products=products, currencies=currencies
            )
        supplier = await self._runtime.reports.bills.supplier(UUID(fact.supplier_id), days)
        return render_supplier_bill(supplier, language=language, products=products)

    async def alarm(self, chat_id: int, alarm_id: UUID) -> Screen:
        """An alarm, with times on the platform's clocks."""
        alarm = await self._runtime.people.alarms.get(alarm_id)
        zone = (await self._runtime.ledger.calendar.cut_of(HOUSE)).zone
        return render_alarm(alarm, zone, await self.language(chat_id))

    async def language(self, chat_id: int) -> str:
        """What is spoken in a chat."""
        if chat_id < 0:
            group = await self._runtime.people.groups.find(chat_id)
            return group.language if group else "zh"
        person = await self._runtime.people.people.find(chat_id)
        return (person.language if person else None) or "zh"


def _staff_only(chat_id: int, group: Group | None) -> bool:
    return chat_id > 0 or (group is not None and group.kind == "ops")


def _days(first: str, last: str) -> Days:
    return Days(date.fromisoformat(first), date.fromisoformat(last))
