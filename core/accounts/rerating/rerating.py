"""Re-ratings: shown first, then booked as one difference, on the day they are done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from core.accounts.rerating.comparison import Changes, RerateView, Seen, Wanted, compare, is_still
from core.accounts.rerating.notices import (
    RerateApproval,
    Rerated,
    RerateDropped,
    RerateQuestion,
    RerateQuestionNotice,
    RerateWaits,
)
from core.accounts.vouchers import ADJUSTMENTS, hold_vouchers, moved_alone_minor
from core.books import BusinessDay, Ledger
from core.delivery.district import Delivery
from core.delivery.outbox import Notice, Say
from core.kernel.codec import pack
from core.kernel.days import Days
from core.kernel.errors import Bug, Refusal
from core.kernel.holder import MODE
from core.kernel.money import Money
from core.kernel.tariff import Tariff, format_tariff
from core.parties.merchants import Merchant, Merchants
from core.people.actors import Actor
from core.people.approvals import Asked
from core.people.district import People
from core.people.factors import Proof
from core.people.receipts import Cause
from core.supply.district import Supply
from core.supply.margins import Loss
from core.system.district import System
from core.system.store import Queries, Tx
from core.trade.orders import Recharge, book_recharge, hold_charges, write_charges

RIGHT: Final = "price"
MAX_DAYS_SHOWN: Final = 31


class Reratings:
    """A new rate never re-rates the past; this does, where it is asked for.

    Closed days and the orders themselves stay as they are: what an order is charged is what its
    newest row of `rerated_order` says, else its own fee and rate.
    """

    def __init__(
        self,
        system: System,
        ledger: Ledger,
        delivery: Delivery,
        merchants: Merchants,
        supply: Supply,
        people: People,
    ) -> None:
        self._store = system.store
        self._clock = system.clock
        self._ids = system.ids
        self._ledger = ledger
        self._outbox = delivery.outbox
        self._audit = delivery.audit
        self._merchants = merchants
        self._approvals = people.approvals
        self._access = people.access
        self._limits = people.limits
        self._margins = supply.margins
        people.approvals.carries_out(RerateApproval, self._decide)

    async def preview(
        self, merchant: Merchant, product_code: str, days: Days, tariff: Tariff | None
    ) -> RerateView:
        """What it would come to: the orders of a product that were booked on these days, until now.

        tariff: None for the one that counts now. Refusals: product_not_found, product_unknown,
        rerate_too_many.
        """
        wanted = await self._wanted(merchant, product_code, days, tariff)
        return (await self._compare(wanted))[0]

    async def apply(
        self,
        actor: Actor,
        merchant: Merchant,
        product_code: str,
        days: Days,
        tariff: Tariff | None,
        seen: Seen,
        cause: Cause,
    ) -> Rerated:
        """Charge the orders anew and book the difference today. Returns the receipt.

        seen: of the preview; these very orders and fees are charged anew, or none is. Refusals:
        anonymous_admin, not_permitted, merchant_not_found, product_not_found, product_unknown,
        rerate_nothing, rerate_changed, rerate_too_many, second_person_needed, daily_cap.
        """
        actor.need_for(RIGHT, merchant=merchant)
        wanted = await self._wanted(merchant, product_code, days, tariff, seen.until)
        return await self._book(actor, wanted, seen, cause)

    async def _book(
        self,
        actor: Actor,
        wanted: Wanted,
        seen: Seen,
        cause: Cause,
        *,
        second: Actor | None = None,
        also: Callable[[Tx, Rerated], Awaitable[None]] | None = None,
    ) -> Rerated:
        """second: who approved it. also: what is written with it, from the receipt. Refusals: those
        of `apply`."""
        merchant, days = wanted.merchant, wanted.days
        view, changes = await self._compare(wanted)
        if view.seen != seen:
            raise Refusal("rerate_changed")
        if not view.changed:
            raise Refusal("rerate_nothing", days=days)
        recharge = Recharge(
            id=self._ids.uuid7(),
            mode=MODE,
            product_code=wanted.product_code,
            tariff=view.tariff,
            first_day=days.first,
            last_day=days.last,
            orders=view.changed,
            difference=Money(view.difference_minor, view.currency),
            user_id=actor.user_id,
            name=actor.name,
            approved_by=second.user_id if second else None,
        )

        async def change(tx: Tx) -> None:
            """The orders, which may be many: no payment waits for them."""
            await hold_charges(tx, merchant.id, alone=True)
            if not await is_still(tx, wanted, view, changes):
                raise Refusal("rerate_changed")
            charges = (changes.fees_then, changes.now)
            await write_charges(tx, merchant.id, recharge.id, changes.order_ids, *charges)

        async def work(tx: Tx, day: BusinessDay) -> Rerated:
            receipt = Rerated(
                _question(actor, wanted, view), day.day, second.name if second else ""
            )
            await hold_vouchers(tx, merchant.id)
            moves = Money(abs(view.difference_minor), view.currency)
            await self._limits.hold_room(tx, ADJUSTMENTS, actor, moves)
            if second is None and await self._needs_second(tx, actor, wanted, moves):
                raise Refusal("second_person_needed")
            await book_recharge(tx, self._ledger, day, recharge)
            await self._audit.record(
                tx,
                "rerated",
                actor=actor.trail_name,
                facts={
                    **pack(receipt.question),
                    "booked_on": str(receipt.booked_on),
                    **({"approved_by": second.trail_name} if second else {}),
                },
                merchant_id=merchant.id,
                chat_id=cause.chat_id,
                message_id=cause.message_id,
            )
            if also is not None:
                await also(tx, receipt)
            return receipt

        return await self._ledger.in_open_day(merchant.id, work, before=change)

    async def ask(
        self,
        actor: Actor,
        merchant: Merchant,
        product_code: str,
        days: Days,
        tariff: Tariff | None,
        *,
        message_id: int,
    ) -> None:
        """Post the preview with two buttons. Refusals: anonymous_admin, not_permitted,
        merchant_not_found, product_not_found, product_unknown, rerate_nothing,
        rerate_too_many."""
        actor.need_for(RIGHT, merchant=merchant)
        wanted = await self._wanted(merchant, product_code, days, tariff)
        view, _ = await self._compare(wanted)
        if not view.changed:
            raise Refusal("rerate_nothing", days=days)
        question = _question(actor, wanted, view)
        async with self._store.transaction() as tx:
            asked = await self._approvals.ask(tx, actor, question, merchant_id=merchant.id)
            await self._outbox.say(
                tx,
                actor.chat_id,
                Say(RerateQuestionNotice(asked.id, question), reply_to=message_id),
                merchant_id=merchant.id,
            )

    async def confirm(self, actor: Actor, approval_id: UUID, *, message_id: int) -> None:
        """The person who asked confirms; the question becomes the receipt, or a second person is
        asked. message_id: of it.

        Refusals: those of `apply`, confirmation_expired, confirmation_foreign.
        """
        asked = await self._approvals.find(RerateQuestion, actor, approval_id)
        if asked.state == "used":
            return  # pressed twice
        question = asked.question
        wanted = await self._asked(question)
        actor.need_for(RIGHT, merchant=wanted.merchant)
        difference = Money(question.difference_minor, question.currency)
        if await self._needs_second(self._store, actor, wanted, difference):
            if (await self._compare(wanted))[0].seen != Seen(question.until, question.mark):
                raise Refusal("rerate_changed")
            to_second = question.as_kind(RerateApproval, losses=await self._losses(wanted))
            async with self._store.transaction() as tx:
                await self._approvals.answer(tx, actor, asked, yes=True)
                await self._approvals.ask(
                    tx, actor, to_second, merchant_id=wanted.merchant.id, message_id=message_id
                )
                await self._put(tx, actor.chat_id, RerateWaits(question), message_id)
            return

        async def answer(tx: Tx, receipt: Rerated) -> None:
            await self._approvals.answer(tx, actor, asked, yes=True)
            await self._put(tx, actor.chat_id, receipt, message_id)

        cause = Cause(actor.chat_id, message_id, 0)
        seen = Seen(question.until, question.mark)
        await self._book(actor, wanted, seen, cause, also=answer)

    async def _decide(
        self, actor: Actor, asked: Asked[RerateApproval], yes: bool, proof: Proof | None
    ) -> None:
        """Refusals: those of `Approvals.answer` and of `apply`."""
        question, chat_id = asked.question, asked.chat_id
        message_id = asked.message_id
        if message_id is None:
            raise Bug(f"no message says what {asked.id} asks about")
        if not yes:
            async with self._store.transaction() as tx:
                await self._approvals.answer(tx, actor, asked, yes=False)
                await self._put(tx, chat_id, RerateDropped(question), message_id)
            return
        author = await asked.asker(self._access)
        wanted = await self._asked(question)
        author.need_for(RIGHT, merchant=wanted.merchant)

        async def answer(tx: Tx, receipt: Rerated) -> None:
            await self._approvals.answer(tx, actor, asked, yes=True, proof=proof)
            await self._put(tx, chat_id, receipt, message_id)

        cause, seen = Cause(chat_id, message_id, 0), Seen(question.until, question.mark)
        await self._book(author, wanted, seen, cause, second=actor, also=answer)

    async def _needs_second(
        self, queries: Queries, actor: Actor, wanted: Wanted, difference: Money
    ) -> bool:
        """Whether the tariff is below cost, or one person moves much of a merchant in a day of the
        platform, by adjustments and by charging anew: parts are no way around it."""
        if await self._margins.needs_second(await self._losses(wanted), queries):
            return True
        since = await self._limits.day_began(queries)
        so_far = await moved_alone_minor(
            queries, actor.user_id, "adjustment", wanted.merchant.id, since
        )
        whole = Money(so_far + abs(difference.minor), difference.currency)
        return await self._limits.needs_second(ADJUSTMENTS, whole, queries=queries)

    async def _losses(self, wanted: Wanted) -> tuple[Loss, ...]:
        """The channels that cost more than the merchant would pay."""
        return await self._margins.of_tariff(wanted.merchant, wanted.product_code, wanted.tariff)

    async def _asked(self, question: RerateQuestion) -> Wanted:
        return await self._wanted(
            await self._merchants.by_id(question.merchant_id),
            question.product_code,
            Days(question.first_day, question.last_day),
            Tariff.unpack(question.tiers_by, question.tiers),
            question.until,
        )

    async def _put(self, tx: Tx, chat_id: int, notice: Notice, message_id: int) -> None:
        """In the place of the question."""
        await self._outbox.say(tx, chat_id, Say(notice, edit_message_id=message_id))

    async def drop(self, actor: Actor, approval_id: UUID, *, message_id: int) -> None:
        """The person who asked thinks better of it. Refusals: confirmation_expired,
        confirmation_foreign."""
        asked = await self._approvals.find(RerateQuestion, actor, approval_id, yes=False)
        if asked.state == "dropped":
            return  # pressed twice
        async with self._store.transaction() as tx:
            await self._approvals.answer(tx, actor, asked, yes=False)
            await self._outbox.say(
                tx,
                actor.chat_id,
                Say(RerateDropped(asked.question), edit_message_id=message_id),
                merchant_id=asked.question.merchant_id,
            )

    async def _wanted(
        self,
        merchant: Merchant,
        product_code: str,
        days: Days,
        tariff: Tariff | None,
        until: datetime | None = None,
    ) -> Wanted:
        if not await self._store.fetchval(_KNOWN, product_code):
            raise Refusal("product_not_found", product=product_code[:32])
        if tariff is None:
            offer = (await self._merchants.offers.of(merchant)).get(product_code)
            if offer is None:
                raise Refusal("product_unknown", param="product", product=product_code)
            tariff = offer.tariff
        return Wanted(merchant, product_code, days, tariff, until or self._clock.now())

    async def _compare(self, wanted: Wanted) -> tuple[RerateView, Changes]:
        async with self._store.transaction() as tx:
            return await compare(self._ledger, tx, wanted)


def _question(actor: Actor, wanted: Wanted, view: RerateView) -> RerateQuestion:
    """What question and receipt say."""
    merchant = wanted.merchant
    return RerateQuestion(
        merchant_id=merchant.id,
        merchant_no=merchant.merchant_no,
        merchant_name=merchant.name,
        product_code=wanted.product_code,
        tiers_by=view.tariff.tiers_by,
        tiers=tuple(view.tariff.pack()),
        tariff_text=format_tariff(view.tariff, view.currency),
        first_day=view.days.first,
        last_day=view.days.last,
        currency=view.currency,
        orders=view.orders,
        changed=view.changed,
        left_out=view.left_out,
        fee_then_minor=view.fee_then_minor,
        fee_now_minor=view.fee_now_minor,
        difference_minor=view.difference_minor,
        lines=view.by_day[:MAX_DAYS_SHOWN],
        until=view.seen.until,
        mark=view.seen.mark,
        more_days=max(0, len(view.by_day) - MAX_DAYS_SHOWN),
        actor_name=actor.name,
    )


_KNOWN: Final = "SELECT EXISTS (SELECT FROM product WHERE code = $1)"
