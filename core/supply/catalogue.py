"""What is sold and over which channels, as people change it: by right, in the trail, with a
receipt, once per message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Literal
from uuid import UUID

from core.connectors import DocumentFaults
from core.delivery.district import Delivery
from core.delivery.outbox import Notice, Say
from core.kernel.codec import unpack
from core.kernel.errors import Refusal
from core.parties.district import Parties
from core.parties.merchants import Merchant
from core.parties.suppliers import Supplier
from core.people.actors import Actor
from core.people.district import People
from core.people.receipts import Answer, Cause, ObeyedBefore
from core.supply.channel_question import ChannelQuestion, new_channel
from core.supply.channels import AlarmChannel, By, Channel, Channels, NewChannel, Product, Terms
from core.supply.loss_question import ChannelLossQuestion, NewChange, SetChange, TermsChange
from core.supply.margins import Below, Changed, Check, LossApprovals
from core.supply.notices import (
    ChannelAdded,
    ChannelChanged,
    ChannelDropped,
    ChannelQuestionNotice,
    ChannelSetNotice,
    ChannelTurned,
    ChannelWaits,
    ProductAdded,
    ProductNamed,
    ProductTurned,
    ShownTerms,
)
from core.system.store import Store, Tx

RIGHT: Final = "channels"
PRODUCTS_RIGHT: Final = "products"
SetVerb = Literal["add", "remove", "follow"]
ProductMove = Literal["on", "off", "archive", "restore"]

_Trail = dict[str, Any]  # what it says of a change
_Also = Callable[[Tx, _Trail], Awaitable[None]]
_SHOWN_WAYS: Final = 20
_SHOWN_CHARS: Final = 40


class Catalogue:
    """Channels added and changed, products switched, and which channels sell them.

    Every verb wants a chat where staff alone reads. A verb that takes a cause says what was and
    what is, and answers whether that was said, now or when the message came first; False: it was
    so already.

    More than seven verbs: one for each thing that people change about channels and products.
    """

    def __init__(
        self,
        store: Store,
        delivery: Delivery,
        parties: Parties,
        people: People,
        channels: Channels,
        losses: LossApprovals,
    ) -> None:
        self._store = store
        self._outbox = delivery.outbox
        self._audit = delivery.audit
        self._merchants = parties.merchants
        self._suppliers = parties.suppliers
        self._receipts = people.receipts
        self._approvals = people.approvals
        self._alarms = people.alarms
        self._channels = channels
        self._sets = channels.sets
        self._losses = losses
        losses.carries_out(ChannelLossQuestion, self._approved)

    # ── a new channel ────────────────────────────────────────────────────────────────────────────
    async def ask(
        self, actor: Actor, supplier: Supplier, new: NewChannel, *, message_id: int
    ) -> None:
        """Show a channel as it would be, and ask. message_id: the command's.

        Refusals: those of `Actor.need`, staff_only, those of `Channels.check_channel`,
        channel_code_unknown.
        """
        actor.need_among_staff(RIGHT)
        await self._channels.check_channel(supplier, new)
        await self._need_way(supplier, new.supplier_code)
        question = ChannelQuestion(
            supplier_no=supplier.supplier_no,
            supplier_name=supplier.name,
            currency=supplier.currency,
            cost=new.cost,
            products=new.products,
            actor_name=actor.name,
            **new.terms.pack(),
        )
        async with self._store.transaction() as tx:
            asked = await self._approvals.ask(tx, actor, question)
            said = Say(ChannelQuestionNotice(asked.id, question), reply_to=message_id)
            await self._outbox.say(tx, actor.chat_id, said)

    async def confirm(self, actor: Actor, approval_id: UUID, *, message_id: int) -> None:
        """The person who asked confirms: the channel is added, switched on, and the question
        becomes the receipt. Where it costs more than a merchant pays, a second person is asked
        then. message_id: of it.

        Refusals: those of `ask`, confirmation_expired, confirmation_foreign.
        """
        actor.need_among_staff(RIGHT)
        asked = await self._approvals.find(ChannelQuestion, actor, approval_id)
        if asked.state == "used":
            return  # pressed twice

        async def confirmed(tx: Tx) -> None:
            await self._approvals.answer(tx, actor, asked, yes=True)

        async def wait(tx: Tx) -> None:
            await confirmed(tx)
            said = Say(ChannelWaits(asked.question), edit_message_id=message_id)
            await self._outbox.say(tx, actor.chat_id, said)

        async def do(check: Check) -> None:
            await self._add(actor, asked.question, cause, check, confirmed)

        cause = Cause(actor.chat_id, message_id, 1)
        await self._losses.make(actor, ChannelLossQuestion, cause, do, also=wait)

    async def _add(
        self,
        actor: Actor,
        question: ChannelQuestion,
        cause: Cause,
        check: Check,
        also: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> None:
        """cause: the question, which becomes the receipt."""
        supplier = await self._suppliers.by_no(question.supplier_no)
        new = new_channel(question)
        await self._need_way(supplier, new.supplier_code)

        def asks(below: tuple[Below, ...]) -> ChannelLossQuestion:
            # By then the next number may be another one.
            unnumbered = (replace(one, loss=replace(one.loss, channel_no="")) for one in below)
            return ChannelLossQuestion(NewChange(question), tuple(unnumbered))

        async def and_say(tx: Tx, trail: _Trail) -> None:
            if also is not None:
                await also(tx)
            added = unpack(ChannelAdded, {**trail, "new": question})
            await self._outbox.say(tx, cause.chat_id, Say(added, edit_message_id=cause.message_id))
            await check.need(tx, Changed(channel_nos=(trail["channel_no"],)), asks)

        by = By(actor.trail_name, cause.chat_id, cause.message_id)
        await self._channels.add_channel(supplier, new, by, also=and_say)

    async def drop(self, actor: Actor, approval_id: UUID, *, message_id: int) -> None:
        """The person who asked thinks better of it. Refusals: those of `Actor.need`,
        staff_only, confirmation_expired, confirmation_foreign."""
        actor.need_among_staff(RIGHT)
        asked = await self._approvals.find(ChannelQuestion, actor, approval_id, yes=False)
        if asked.state == "dropped":
            return  # pressed twice
        async with self._store.transaction() as tx:
            await self._approvals.answer(tx, actor, asked, yes=False)
            dropped = ChannelDropped(asked.question.supplier_no, asked.question.name)
            await self._outbox.say(tx, actor.chat_id, Say(dropped, edit_message_id=message_id))

    # ── channels ─────────────────────────────────────────────────────────────────────────────────
    async def change(
        self, actor: Actor, channel: Channel, values: Mapping[str, Any], cause: Cause
    ) -> bool:
        """Set some of a channel's terms. values: fields of `Terms`, as it has them. Where it takes
        other amounts then, of which some cost more than a merchant pays, a second person is asked
        first.

        Refusals: those of `Actor.need`, staff_only, channel_invalid, channel_state,
        channel_code_unknown.
        """
        actor.need_among_staff(RIGHT)
        made = await self._losses.make(
            actor,
            ChannelLossQuestion,
            cause,
            lambda check: self._change(actor, channel, values, cause, check),
        )
        return made is not False

    async def _change(
        self, actor: Actor, channel: Channel, values: Mapping[str, Any], cause: Cause, check: Check
    ) -> bool:
        if "supplier_code" in values:
            supplier = await self._suppliers.by_id(channel.supplier_id)
            await self._need_way(supplier, values["supplier_code"])

        seen: list[Terms] = []  # as they were and as they are

        def edit(terms: Terms) -> Terms:
            seen[:] = terms, replace(terms, **values)
            return seen[1]

        async def do(by: By, also: _Also) -> None:
            await self._channels.change(channel.channel_no, edit, by, also=also)

        def shown() -> tuple[str, str, str, str, ShownTerms, ShownTerms]:
            before, after = (ShownTerms(**terms.pack()) for terms in seen)
            return (
                channel.channel_no, before.name, channel.supplier_no, channel.currency, before,
                after,
            )  # fmt: skip

        def changed(_: _Trail) -> Notice:
            return ChannelChanged(*shown(), actor.name)

        async def need(tx: Tx, _: _Trail) -> None:
            other = len({(one.amount_list, one.amount_min, one.amount_max) for one in seen}) > 1
            concerned = Changed(channel_nos=(channel.channel_no,) if other else ())
            await check.need(
                tx, concerned, lambda below: ChannelLossQuestion(TermsChange(*shown()), below)
            )

        return await self._once(actor, cause, do, changed, need=need)

    async def turn(self, actor: Actor, channel_no: str, move: str, cause: Cause | None) -> bool:
        """Switch a channel on or off, archive or restore it, or end its pause: its alarm is over
        then. move: on | off |
        archive | restore | resume. cause: None for a button, whose press shows the channel.

        Refusals: those of `Actor.need`, staff_only, channel_not_found, channel_state,
        channel_not_paused.
        """
        actor.need_among_staff(RIGHT)

        async def do(by: By, also: _Also) -> None:
            async def and_end(tx: Tx, trail: _Trail) -> None:
                await also(tx, trail)
                await self._alarms.end(tx, AlarmChannel, trail["channel_no"])

            if move == "resume":
                await self._channels.resume(channel_no, by, also=and_end)
            else:
                await self._channels.turn(channel_no, move, by, also=and_end)

        if cause is None:
            await do(By(actor.trail_name, actor.chat_id), _nothing)
            return True

        def turned(trail: _Trail) -> Notice:
            return unpack(ChannelTurned, {**trail, "move": move, "actor_name": actor.name})

        return await self._once(actor, cause, do, turned)

    # ── products ─────────────────────────────────────────────────────────────────────────────────
    async def add_product(self, actor: Actor, product: Product, cause: Cause) -> bool:
        """Add a product. Refusals: those of `Actor.need`, staff_only, product_invalid,
        product_exists."""
        actor.need_among_staff(PRODUCTS_RIGHT)

        async def do(by: By, also: _Also) -> None:
            await self._channels.products.add(product, by, also=also)

        def added(_: _Trail) -> Notice:
            return ProductAdded(product.code, product.name_zh, product.name_en, actor.name)

        return await self._once(actor, cause, do, added)

    async def name_product(
        self, actor: Actor, product_code: str, names: tuple[str, str], cause: Cause
    ) -> bool:
        """Call a product something else. names: in Chinese and in English. Refusals: those of
        `Actor.need`, staff_only, product_not_found, product_invalid."""
        actor.need_among_staff(PRODUCTS_RIGHT)

        async def do(by: By, also: _Also) -> None:
            await self._channels.products.name(product_code, *names, by, also=also)

        def named(trail: _Trail) -> Notice:
            return unpack(ProductNamed, {**trail, "actor_name": actor.name})

        return await self._once(actor, cause, do, named)

    async def set_channels(
        self,
        actor: Actor,
        product_code: str,
        verb: SetVerb,
        channel_no: str,
        cause: Cause,
        *,
        merchant: Merchant | None = None,
    ) -> bool:
        """Have a channel sell a product or no longer sell it, to everybody or to one merchant; or
        (follow) give up the merchant's own channels. Where a channel that sells it from then on
        costs more than a merchant pays, a second person is asked first.

        Refusals: those of `Actor.need`, staff_only, product_not_found, channel_not_found,
        channel_state, channel_not_in_set, channel_set_size.
        """
        actor.need_among_staff(RIGHT)
        wanted = (product_code, verb, channel_no)
        made = await self._losses.make(
            actor,
            ChannelLossQuestion,
            cause,
            lambda check: self._set_channels(actor, wanted, merchant, cause, check),
            merchant_id=merchant.id if merchant is not None else None,
        )
        return made is not False

    async def _set_channels(
        self,
        actor: Actor,
        wanted: tuple[str, SetVerb, str],
        merchant: Merchant | None,
        cause: Cause,
        check: Check,
    ) -> bool:
        product_code, verb, channel_no = wanted
        merchant_id = merchant.id if merchant is not None else None

        async def do(by: By, also: _Also) -> None:
            if verb == "follow" and merchant_id is not None:
                await self._sets.follow(product_code, merchant_id, by, also=also)
                return
            change = self._sets.remove if verb == "remove" else self._sets.add
            await change(product_code, channel_no, by, merchant_id=merchant_id, also=also)

        def is_set(trail: _Trail) -> Notice:
            return unpack(ChannelSetNotice, {**trail, **_whose(merchant), "actor_name": actor.name})

        async def need(tx: Tx, trail: _Trail) -> None:
            before, after = tuple(trail["before"]), tuple(trail["after"])
            gained = tuple(no for no in after if no not in before)
            whose = _whose(merchant)
            change = SetChange(
                product_code, verb, channel_no, merchant_id, whose["merchant_no"],
                whose["merchant_name"], before, after,
            )  # fmt: skip
            await check.need(
                tx,
                Changed(merchant_id, product_code, gained),
                lambda below: ChannelLossQuestion(change, below),
            )

        return await self._once(actor, cause, do, is_set, merchant, need=need)

    async def turn_product(
        self,
        actor: Actor,
        product_code: str,
        move: ProductMove,
        cause: Cause | None,
        *,
        merchant: Merchant | None = None,
    ) -> bool:
        """Switch a product on or off, for everybody or for one merchant that it was opened to; or
        archive or restore it for everybody, which takes the right to make products. cause: None
        for a press, which says nothing of its own.

        Refusals: those of `Actor.need`, staff_only, product_not_found, product_state,
        product_unknown (not open to the merchant).
        """
        switches = move in ("on", "off")
        actor.need_among_staff(RIGHT if switches else PRODUCTS_RIGHT)

        async def do(by: By, also: _Also) -> None:
            if merchant is None or not switches:
                await self._channels.products.turn(product_code, move, by, also=also)
                return
            async with self._store.transaction() as tx:
                if not await self._merchants.offers.turn_product(tx, merchant, product_code, move):
                    return
                facts = {"product_code": product_code, "after": move}
                await self._audit.record(
                    tx,
                    "product_turned",
                    actor=by.actor,
                    facts=facts,
                    merchant_id=merchant.id,
                    chat_id=by.chat_id,
                    message_id=by.message_id,
                )
                await also(tx, facts)

        def turned(trail: _Trail) -> Notice:
            said = {**trail, **_whose(merchant), "move": move, "actor_name": actor.name}
            return unpack(ProductTurned, said)

        if cause is None:
            await do(By(actor.trail_name, actor.chat_id), _nothing)
            return True
        return await self._once(actor, cause, do, turned, merchant)

    async def _approved(
        self, author: Actor, question: ChannelLossQuestion, cause: Cause, check: Check
    ) -> None:
        """What a second person said yes to, as whoever asked wanted it."""
        match question.change:
            case NewChange(new):
                await self._add(author, new, cause, check)
            case TermsChange() as change:
                channel = await self._channels.by_no(change.channel_no)
                values = change.terms_after.unpack()
                await self._change(author, channel, values, cause, check)
            case SetChange() as change:
                merchant = None
                if change.merchant_id is not None:
                    merchant = await self._merchants.by_id(change.merchant_id)
                wanted = (change.product_code, change.verb, change.channel_no)
                await self._set_channels(author, wanted, merchant, cause, check)

    async def _once(
        self,
        actor: Actor,
        cause: Cause,
        do: Callable[[By, _Also], Awaitable[None]],
        notice_of: Callable[[_Trail], Notice],
        merchant: Merchant | None = None,
        *,
        need: Callable[[Tx, _Trail], Awaitable[None]] | None = None,
    ) -> bool:
        """Do it, and say what the trail says; not again for the same message. need: raises in the
        end where a second person is to see it first."""
        if await self._receipts.obeyed(cause.chat_id, cause.message_id):
            return True
        said = False

        async def also(tx: Tx, trail: _Trail) -> None:
            nonlocal said
            # The trail is written by whoever changes.
            answer = Answer(notice_of(trail), "", merchant.id if merchant else None)
            await self._receipts.answer(tx, actor, cause, answer)
            if need is not None:
                await need(tx, trail)
            said = True

        try:
            await do(By(actor.trail_name, cause.chat_id, cause.message_id), also)
        except ObeyedBefore:
            return True
        return said

    async def _need_way(self, supplier: Supplier, supplier_code: str) -> None:
        """Refusals: channel_code_unknown."""
        try:
            connector = await self._suppliers.connector(supplier.document_id)
        except DocumentFaults:
            return  # it names no ways that anybody could read, and opens no payments either
        if connector.ways and supplier_code not in connector.ways:
            ways = sorted(connector.ways)
            raise Refusal(
                "channel_code_unknown",
                supplier_no=supplier.supplier_no,
                text=supplier_code[:_SHOWN_CHARS],
                ways=" · ".join(ways[:_SHOWN_WAYS]) + (" …" if len(ways) > _SHOWN_WAYS else ""),
            )


def _whose(merchant: Merchant | None) -> dict[str, str]:
    return {
        "merchant_no": merchant.merchant_no if merchant else "",
        "merchant_name": merchant.name if merchant else "",
    }


async def _nothing(_: Tx, __: _Trail) -> None:
    """A press says nothing of its own."""
