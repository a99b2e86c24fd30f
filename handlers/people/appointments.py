"""Who speaks for a merchant or a supplier in its group: appointed by us, or after they asked."""

from __future__ import annotations

from typing import Final

from aiogram import F, Router
from aiogram.types import ChatMemberRestricted, ChatMemberUpdated, Message

from core.kernel.errors import Refusal
from core.parties.district import Parties
from core.people.actors import ANONYMOUS_ADMIN_ID, Actor
from core.people.appointments import RIGHT, Employer
from core.people.district import People
from core.people.groups import Group
from core.system.district import System
from core.system.throttle import Limit
from handlers.kit.chat import Chat
from handlers.kit.context import Wants
from handlers.people.mentions import Mentioned, mentioned_in
from handlers.people.screens import MemberLine, MembersNotice
from handlers.people.words import Apply, Appoint, EndAppointment, ShowMembers

GONE: Final = frozenset({"left", "kicked"})
# How often one person is answered who asks for the same, and is a stranger as a rule.
APPLY_LIMIT: Final = Limit(1, 3600.0)


def add_routes(routes: Router) -> None:
    """The other side's people."""
    routes.message.register(appoint, Wants(Appoint))
    routes.message.register(end, Wants(EndAppointment))
    routes.message.register(show, Wants(ShowMembers))
    routes.message.register(apply, Wants(Apply))
    routes.message.register(left, F.left_chat_member)
    routes.chat_member.register(standing_changed)


async def appoint(
    message: Message, chat: Chat, intent: Appoint, people: People, parties: Parties
) -> None:
    """Refusals: not_permitted, person_needed, holder_needed, those of `Appointments.appoint`."""
    whom = await _whom(message, chat, people, intent)
    if whom is None or await chat.refuse_outside_groups():
        return
    employer = await _employer(chat.actor.group, intent.holder_no, parties)
    await people.appointments.appoint(chat.actor, employer, whom.user_id, whom.name)


async def end(message: Message, chat: Chat, intent: EndAppointment, people: People) -> None:
    """Refusals: not_permitted, person_needed, those of `Appointments.end`."""
    whom = await _whom(message, chat, people, intent)
    if whom is None or await chat.refuse_outside_groups():
        return
    await people.appointments.end(chat.actor, whom.user_id, whom.name)


async def show(_: Message, chat: Chat, people: People) -> None:
    """Who may ask here."""
    chat.actor.need(RIGHT)
    if await chat.refuse_outside_groups():
        return
    members = await people.groups.staff_of(chat.actor.home)
    lines = [
        MemberLine(one.user_id, one.name or str(one.user_id), one.role, one.holder_no, one.since)
        for one in members
    ]
    await chat.say(MembersNotice(tuple(lines), await chat.zone()))


async def apply(
    _: Message, chat: Chat, intent: Apply, system: System, people: People, parties: Parties
) -> None:
    """The one thing that a stranger is answered in a group, and rarely: what is asked for whom
    once an hour, and nothing for whom the group is not. Refusals: anonymous_admin, holder_needed,
    group_not_bound, those of `Appointments.apply`."""
    actor = chat.actor
    if actor.user_id == ANONYMOUS_ADMIN_ID:
        raise Refusal("anonymous_admin")
    if not actor.known:
        numbers = [one.no for one in await _employers(actor.group, parties)]
        key = f"apply:{actor.user_id}:{intent.holder_no or ''}"
        if intent.holder_no not in (None, *numbers):
            return
        if await system.throttle.room({key: APPLY_LIMIT}):
            return
    elif await chat.refuse_outside_groups():
        return
    employer = await _employer(actor.group, intent.holder_no, parties)
    await people.appointments.apply(actor, employer, message_id=chat.message_id)


async def left(message: Message, people: People) -> None:
    """Telegram writes into the group that somebody left it."""
    if message.left_chat_member is not None:
        await people.appointments.left(message.chat.id, message.left_chat_member.id)


async def standing_changed(event: ChatMemberUpdated, people: People) -> None:
    """Telegram tells a bot that is an administrator. Some groups write nothing into themselves."""
    member = event.new_chat_member
    gone = isinstance(member, ChatMemberRestricted) and not member.is_member
    if gone or member.status in GONE:
        await people.appointments.left(event.chat.id, member.user.id)


async def _whom(
    message: Message, chat: Chat, people: People, intent: Appoint | EndAppointment
) -> Mentioned | None:
    """The person that is meant. None where the words are talk of somebody who may not say them.
    Refusals: not_permitted, person_needed."""
    actor: Actor = chat.actor
    whom = mentioned_in(message)
    if whom is None and intent.user_id is not None:
        known = await people.people.find(intent.user_id)
        whom = Mentioned(intent.user_id, known.name if known is not None else "")
    slash = (message.text or "").startswith(("/", "／"))
    if whom is None and intent.named and not slash and not actor.may(RIGHT):
        return None
    actor.need(RIGHT)
    if whom is None:
        raise Refusal("person_needed")
    return whom if whom.name else Mentioned(whom.user_id, str(whom.user_id))


async def _employer(group: Group | None, holder_no: str | None, parties: Parties) -> Employer:
    """The one that is named, or the only one. Refusals: group_not_bound, merchant_not_found,
    supplier_not_found, holder_needed."""
    employers = await _employers(group, parties)
    if not employers:
        raise Refusal("group_not_bound")
    if holder_no is None and len(employers) > 1:
        raise Refusal("holder_needed", example="M1001")
    for employer in employers:
        if holder_no in (None, employer.no):
            return employer
    if group is not None and group.kind == "supplier":
        raise Refusal("supplier_not_found", supplier_no=holder_no)
    raise Refusal("merchant_not_found", merchant_no=holder_no)


async def _employers(group: Group | None, parties: Parties) -> list[Employer]:
    """All whose group this is."""
    if group is None:
        return []
    merchants = [await parties.merchants.by_id(one) for one in group.merchant_ids]
    suppliers = [await parties.suppliers.by_id(one) for one in group.supplier_ids]
    return [
        *(Employer(one.id, one.merchant_no, one.name) for one in merchants),
        *(Employer(one.id, one.supplier_no, one.name) for one in suppliers),
    ]
