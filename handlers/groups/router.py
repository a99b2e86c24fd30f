"""Binding groups: to merchants, to suppliers, as the ops group; and taking bindings off."""

from __future__ import annotations

from collections.abc import Sequence

from aiogram import Bot, Router
from aiogram.types import CallbackQuery, Message

from core.delivery.district import Delivery
from core.kernel.errors import Refusal
from core.parties.district import Parties
from core.people.district import People
from core.people.groups import Group, Holder, Language
from core.system.district import System
from handlers.groups.bindings import Binding, Ending, UnbindQuestion, bind, place_of
from handlers.groups.buttons import AnswerUnbind, mark_of_all
from handlers.groups.links import show_link
from handlers.groups.membership import bound_to, show_checklist
from handlers.groups.screens import Info, LanguageSet, UnbindDropped, UnbindQuestionNotice
from handlers.groups.words import BindMerchant, BindOps, BindSupplier, SetLanguage, ShowInfo, Unbind
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.refusals import OnlyInGroups


def add_routes(routes: Router) -> None:
    """Who a group belongs to."""
    routes.message.register(bind_merchant, Wants(BindMerchant))
    routes.message.register(bind_supplier, Wants(BindSupplier))
    routes.message.register(bind_ops, Wants(BindOps))
    routes.message.register(ask_unbind, Wants(Unbind))
    routes.message.register(show_info, Wants(ShowInfo))
    routes.message.register(set_language, Wants(SetLanguage))
    routes.callback_query.register(answer_unbind, Presses(AnswerUnbind))


async def bind_merchant(
    message: Message,
    chat: Chat,
    bot: Bot,
    intent: BindMerchant,
    system: System,
    delivery: Delivery,
    parties: Parties,
    people: People,
) -> None:
    """This group becomes that merchant's; in private, a link that makes a group so."""
    chat.actor.need("bind")
    merchant = await parties.merchants.by_no(intent.merchant_no)
    if chat.id == chat.actor.user_id:
        await show_link(bot, chat, people, merchant)
        return
    place = await place_of(message, chat, people)
    await bind(chat, system, delivery, people, Binding.of(merchant), place)
    await show_checklist(bot, system, delivery, parties, people, chat.id)


async def bind_supplier(
    message: Message,
    chat: Chat,
    bot: Bot,
    intent: BindSupplier,
    system: System,
    delivery: Delivery,
    parties: Parties,
    people: People,
) -> None:
    """Likewise, of a supplier."""
    chat.actor.need("bind")
    supplier = await parties.suppliers.by_no(intent.supplier_no)
    if chat.id == chat.actor.user_id:
        await show_link(bot, chat, people, supplier)
        return
    place = await place_of(message, chat, people)
    await bind(chat, system, delivery, people, Binding.of(supplier), place)
    await show_checklist(bot, system, delivery, parties, people, chat.id)


async def bind_ops(
    message: Message,
    chat: Chat,
    bot: Bot,
    system: System,
    delivery: Delivery,
    parties: Parties,
    people: People,
) -> None:
    """This group gets the alarms and approvals."""
    chat.actor.need("bind_ops")
    if chat.id == chat.actor.user_id:
        await chat.refuse(OnlyInGroups())
        return
    place = await place_of(message, chat, people)
    await bind(chat, system, delivery, people, Binding.of(None), place)
    await show_checklist(bot, system, delivery, parties, people, chat.id)


async def ask_unbind(
    _: Message, chat: Chat, intent: Unbind, system: System, parties: Parties, people: People
) -> None:
    """Ask once; where several are bound, which of them. Refusals: group_not_bound,
    merchant_not_found, supplier_not_found."""
    actor = chat.actor
    actor.need("bind")
    group = actor.group
    if group is None or group.kind == "unbound":
        raise Refusal("group_not_bound")
    if group.kind == "ops":
        actor.need("bind_ops")
    bound = _named(await bound_to(parties, group), group, intent.number)
    minutes = int(UnbindQuestion.open_for.total_seconds() // 60)
    question = UnbindQuestion(bound, tuple(one.no for one in bound), minutes)
    async with system.store.transaction() as tx:
        asked = await people.approvals.ask(tx, actor, question)
        notice = UnbindQuestionNotice(asked.id, bound, question.numbers, minutes)
        await chat.say(notice, tx=tx)


def _named(bound: Sequence[Holder], group: Group, number: str | None) -> tuple[Holder, ...]:
    """Of those that a group is bound to, the one with this number, or all. Refusals:
    merchant_not_found, supplier_not_found."""
    named = tuple(one for one in bound if number in (None, one.no))
    if number is not None and not named:
        if group.kind == "supplier":
            raise Refusal("supplier_not_found", supplier_no=number)
        raise Refusal("merchant_not_found", merchant_no=number)
    return named


async def answer_unbind(
    _: CallbackQuery,
    chat: Chat,
    bot: Bot,
    button: AnswerUnbind,
    system: System,
    delivery: Delivery,
    parties: Parties,
    people: People,
) -> None:
    """The person who asked decides. What was asked about goes, with its holder's people, live bill
    and open questions."""
    actor, group = chat.actor, chat.actor.group
    if group is None:
        return
    actor.need("bind_ops" if group.kind == "ops" else "bind")
    asked = await people.approvals.find(UnbindQuestion, actor, button.approval_id, yes=button.yes)
    if asked.state != "open":
        return  # pressed twice
    bound = await bound_to(parties, group)
    if not button.yes:
        async with system.store.transaction() as tx:
            await people.approvals.answer(tx, actor, asked, yes=False)
            await chat.replace(UnbindDropped(bound), tx=tx)
        return
    shown = mark_of_all(asked.question.numbers)
    ending = Ending.of(group, bound, button.number or "", shown)
    async with system.store.transaction() as tx:
        # Who answers another question about the group waits until it is held no longer, and finds
        # that one over.
        await ending.write(tx, chat, delivery, people, asked)
        await chat.replace(ending.told(actor.name), tx=tx)
    await show_checklist(bot, system, delivery, parties, people, actor.home)


async def show_info(_: Message, chat: Chat, parties: Parties) -> None:
    """What this group is."""
    chat.actor.need("look_up")
    group = chat.actor.group
    if group is None:
        await chat.refuse_outside_groups()
        return
    bound = await bound_to(parties, group)
    info = Info(group.kind, group.title, group.language, group.label, bound, chat.id)
    await chat.say(info)


async def set_language(_: Message, chat: Chat, intent: SetLanguage, people: People) -> None:
    """What the bot speaks in this group."""
    chat.actor.need("bind")
    if await chat.refuse_outside_groups():
        return
    change = Language(intent.language)
    await people.group_settings.change(chat.actor, change, message_id=chat.message_id)
    await chat.say(LanguageSet(intent.language))
