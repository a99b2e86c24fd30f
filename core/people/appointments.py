"""The people of merchants and suppliers: who may ask in a group of theirs, and how that begins and
ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final
from uuid import UUID

from core.delivery.audit import Action
from core.delivery.district import Delivery
from core.delivery.outbox import Notice, Say
from core.kernel.codec import pack
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.approvals import Approvals, Asked, SecondQuestion
from core.people.factors import Proof
from core.people.groups import Group, Groups
from core.people.people import Persons
from core.system.store import Store, Tx

RIGHT: Final = "appoint"


@dataclass(frozen=True, slots=True)
class Employer:
    """The merchant or supplier whose people speak in a group."""

    id: UUID
    no: str
    name: str


@dataclass(frozen=True, slots=True)
class AppointQuestion(SecondQuestion):
    """Whether somebody who asked for it may speak for a merchant or supplier in its group. role: of
    merchants' or suppliers' people. title: of the group."""

    kind: ClassVar[str] = "appoint"
    open_for: ClassVar[timedelta] = timedelta(days=1)
    right: ClassVar[str] = RIGHT
    asked_with: ClassVar[str | None] = ""  # by a stranger, as a rule
    user_id: int
    name: str
    role: str
    employer: Employer
    title: str


@dataclass(frozen=True, slots=True)
class Appointed(Notice):
    """Told in the group: this person may ask here from now on. no: of whom."""

    user_id: int
    name: str
    role: str
    no: str
    actor_name: str


@dataclass(frozen=True, slots=True)
class AppointmentEnded(Notice):
    """Told in the group: this person may not ask here any more."""

    user_id: int
    name: str
    actor_name: str


class Appointments:
    """Lets people of merchants and suppliers speak in their groups. What it does is told in the
    group and written into the trail."""

    def __init__(
        self,
        store: Store,
        delivery: Delivery,
        people: Persons,
        groups: Groups,
        approvals: Approvals,
    ) -> None:
        self._store = store
        self._delivery = delivery
        self._people = people
        self._groups = groups
        self._approvals = approvals
        approvals.carries_out(AppointQuestion, self._decide)

    async def appoint(self, actor: Actor, employer: Employer, user_id: int, name: str) -> None:
        """Let somebody ask in the group where the actor speaks. Refusals: not_permitted,
        group_not_bound, staff_already (one of ours), appointed_already."""
        actor.need(RIGHT)
        role = role_in(actor.group)
        await self._need_new(actor, employer, user_id, name)
        async with self._store.transaction() as tx:
            await self._begin(tx, actor, actor.home, employer, (user_id, name, role))

    async def end(self, actor: Actor, user_id: int, name: str) -> None:
        """Somebody may not ask there any more, for whomever that was. Refusals: not_permitted,
        group_not_bound, not_appointed."""
        actor.need(RIGHT)
        role_in(actor.group)
        async with self._store.transaction() as tx:
            if not await self._groups.remove_staff(tx, actor.home, user_id):
                raise Refusal("not_appointed", name=name)
            ended = AppointmentEnded(user_id, name, actor.name)
            await self._record(tx, actor, "end_appointment", (user_id, name))
            await self._delivery.outbox.say(tx, actor.chat_id, Say(ended))

    async def apply(self, actor: Actor, employer: Employer, *, message_id: int) -> None:
        """Somebody in a group asks to speak for its merchant or supplier: the ops groups get a
        card, where there are any.

        Refusals: group_not_bound, staff_already, appointed_already, applied_already.
        """
        role, group = role_in(actor.group), actor.group
        await self._need_new(actor, employer, actor.user_id, actor.name)
        title = group.title if group is not None else ""
        about = {"employer": pack(employer), "title": title}
        if await self._approvals.find_open(AppointQuestion, actor.user_id, about):
            raise Refusal("applied_already")
        if not await self._groups.ops(self._store):
            return
        question = AppointQuestion(actor.user_id, actor.name, role, employer, title)
        whose = "merchant_id" if role == "merchant_staff" else "supplier_id"
        async with self._store.transaction() as tx:
            await self._approvals.ask(
                tx, actor, question, message_id=message_id, **{whose: employer.id}
            )

    async def left(self, chat_id: int, user_id: int) -> None:
        """Somebody left a group, or was taken out of it: whoever comes back is appointed anew, and
        applies anew."""
        async with self._store.transaction() as tx:
            await self._approvals.drop_in(tx, AppointQuestion, user_id, chat_id)
            if await self._groups.remove_staff(tx, chat_id, user_id):
                await self._delivery.audit.record(
                    tx,
                    "left_group",
                    actor=f"telegram:{user_id}",
                    facts={"user_id": user_id},
                    chat_id=chat_id,
                )

    async def _need_new(self, actor: Actor, employer: Employer, user_id: int, name: str) -> None:
        person = await self._people.find(user_id)
        if person is not None and person.role is not None:
            raise Refusal("staff_already")
        members = await self._groups.staff_of(actor.home)
        if any((one.user_id, one.holder_no) == (user_id, employer.no) for one in members):
            raise Refusal("appointed_already", name=name)

    async def _begin(
        self, tx: Tx, actor: Actor, chat_id: int, employer: Employer, who: tuple[int, str, str]
    ) -> None:
        """who: the person's number and name, and the role in the group."""
        user_id, name, role = who
        await self._groups.add_staff(chat_id, user_id, role, employer.id, tx)
        await self._people.follow(tx, user_id, name)
        begun = Appointed(user_id, name, role, employer.no, actor.name)
        await self._record(tx, actor, "appoint", (user_id, name), employer)
        await self._delivery.outbox.say(tx, chat_id, Say(begun))

    async def _decide(
        self, actor: Actor, asked: Asked[AppointQuestion], yes: bool, proof: Proof | None
    ) -> None:
        """Refusals of a yes: group_not_bound (since it was asked)."""
        asks = asked.question
        async with self._store.transaction() as tx:
            await self._approvals.answer(tx, actor, asked, yes=yes, proof=proof)
            if yes:
                group = await self._groups.find(asked.chat_id, tx=tx)
                if role_in(group) != asks.role:
                    raise Refusal("group_not_bound")
                here = group.chat_id if group is not None else asked.chat_id
                who = (asks.user_id, asks.name, asks.role)
                await self._begin(tx, actor, here, asks.employer, who)

    async def _record(
        self,
        tx: Tx,
        actor: Actor,
        action: Action,
        who: tuple[int, str],
        employer: Employer | None = None,
    ) -> None:
        """who: a person's number and name."""
        user_id, name = who
        holder_no = employer.no if employer is not None else ""
        facts = {
            "user_id": user_id, "name": name, "holder_no": holder_no, "actor_name": actor.name,
        }  # fmt: skip
        await self._delivery.audit.record(
            tx, action, actor=actor.trail_name, facts=facts, chat_id=actor.chat_id
        )


def role_in(group: Group | None) -> str:
    """What the other side's people are in a group. Refusals: group_not_bound."""
    match group.kind if group is not None else "":
        case "merchant":
            return "merchant_staff"
        case "supplier":
            return "supplier_staff"
        case _:
            raise Refusal("group_not_bound")
