"""Everyday questions: help and balance."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from aiogram import Router
from aiogram.types import Message

from core.kernel.errors import Refusal
from core.people.actors import ANONYMOUS_ADMIN_ID
from core.people.district import People
from core.people.people import ROLES
from core.reports.balances import RIGHT as ALL_RIGHT
from core.reports.bills import SupplierBill
from core.reports.district import Reports
from core.system.district import System
from core.system.throttle import Limit
from handlers.desk.screens import (
    Balance,
    Balances,
    HelpNotice,
    NearCommand,
    NoCommandNotice,
    SupplierBalance,
    usage_of,
)
from handlers.desk.words import Help, ShowBalance
from handlers.kit.chat import Chat
from handlers.kit.commands import CommandTable, right_here
from handlers.kit.context import Wants
from handlers.kit.intents import NoCommand, Usage
from handlers.kit.topic import Topic

# How often one person is told what was probably meant.
NEAR_LIMIT: Final = Limit(1, 60.0)


def add_routes(routes: Router) -> None:
    """What anybody known may ask."""
    routes.message.register(help_, Wants(Help))
    routes.message.register(no_command, Wants(NoCommand))
    routes.message.register(usage, Wants(Usage))
    routes.message.register(balance, Wants(ShowBalance))


async def help_(_: Message, chat: Chat, topics: tuple[Topic, ...]) -> None:
    """Only what this person may do here. Refusals: anonymous_admin."""
    actor = chat.actor
    if actor.user_id == ANONYMOUS_ADMIN_ID:
        raise Refusal("anonymous_admin")
    kind = "private" if actor.group is None else actor.group.kind
    names = tuple(topic.name for topic in topics)
    # Where it cannot be whispered, the other side reads along.
    theirs = ROLES["supplier_staff" if kind == "supplier" else "merchant_staff"]
    whole, part = (
        HelpNotice(actor.name, kind, tuple(sorted(rights)), names)
        for rights in (actor.rights, actor.rights & theirs)
    )
    await chat.whisper(whole, aloud=whole if kind == "ops" else part)


async def no_command(
    _: Message, chat: Chat, intent: NoCommand, system: System, commands: CommandTable
) -> None:
    """What was probably meant, of what this person may say here; to that person alone. Words near
    a command are spoken of once in a while, an unknown slash form each time.

    Refusals: anonymous_admin.
    """
    actor = chat.actor
    near = [one for one in intent.near if commands.may_say(one.command, actor)]
    if actor.user_id == ANONYMOUS_ADMIN_ID:
        if intent.slash:
            raise Refusal("anonymous_admin")
        return
    if not intent.slash and (
        not near or await system.throttle.room({f"near:{actor.user_id}": NEAR_LIMIT})
    ):
        return
    forms = tuple(NearCommand(one.written, one.command) for one in near)
    await chat.refuse(NoCommandNotice(intent.text, forms, intent.slash), alone=True)


async def usage(_: Message, chat: Chat, intent: Usage, commands: CommandTable) -> None:
    """How a command is written, for who may say it. Refusals: anonymous_admin, not_permitted."""
    actor, rights = chat.actor, commands.rights_of(intent.command)
    if actor.user_id == ANONYMOUS_ADMIN_ID or not commands.may_say(intent.command, actor):
        actor.need(right_here(rights[0], actor) if rights else "")
    notice = usage_of(commands.named(intent.command), actor, intent.text, intent.why)
    await chat.refuse(notice, alone=True)


async def balance(
    _: Message, chat: Chat, intent: ShowBalance, people: People, reports: Reports, system: System
) -> None:
    """How the merchant stands with us now; where staff alone reads and none is named, how all do;
    in a supplier's group, what that supplier owes."""
    actor = chat.actor
    actor.need("read_money")
    if intent.merchant_no is None and actor.merchant_ids is None and actor.may(ALL_RIGHT):
        for stand in await reports.balances.all(actor):
            await chat.say(
                Balances(stand.currency, stand.lines, system.clock.now(), await chat.zone())
            )
        return
    if intent.merchant_no is None and actor.supplier_ids:
        for supplier_id in actor.supplier_ids:
            of_supplier = await reports.bills.supplier(supplier_id)
            await chat.say(_of_supplier(of_supplier, system.clock.now()))
        return
    merchant = await people.access.merchant_in(
        chat.actor, intent.merchant_no, example="/balance M1001"
    )
    bill = await reports.bills.merchant(merchant.id)
    await chat.say(
        Balance(
            merchant_no=merchant.merchant_no,
            merchant_name=merchant.name,
            currency=bill.currency,
            balance_minor=bill.closing_minor,
            advanced_minor=bill.advanced_minor,
            unpaid=bill.unpaid,
            at=system.clock.now(),
            zone=bill.zone,
        )
    )


def _of_supplier(bill: SupplierBill, at: datetime) -> SupplierBalance:
    return SupplierBalance(
        supplier_no=bill.supplier_no,
        supplier_name=bill.supplier_name,
        currency=bill.currency,
        owed_minor=bill.closing_minor,
        paid=sum(line.paid for line in bill.lines),
        amount_minor=sum(line.amount_minor for line in bill.lines),
        paid_in_minor=bill.paid_in_minor,
        at=at,
        zone=bill.zone,
    )
