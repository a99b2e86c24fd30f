"""Test orders: asked for step by step or in one line, and made as a merchant's server makes one.

A test order takes the way of every order: the app's rights, the merchant's rate, routing, the
supplier's own answer, the attempt, the books of the app's mode and the news to the merchant's
server. Nothing of it is pretended, so an order of a live app is real, and asked about first.

A channel can be named, also one that is not sold yet: one that is off, that has no weight, or that
sells another product. All else holds for it: its supplier is live, so it has passed its gates, its
amounts, hours and limits. The order goes there or nowhere. Which app pays for it is the same as for
every order: a test app at a sandbox supplier, a live app at a real one. A real channel is so tried
with an app of the platform's own merchant: whose money it is needs no rule of its own then, and the
books say what was paid.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from core.delivery.outbox import Card, Picture, Say
from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.people.actors import Actor
from core.people.approvals import Asked
from core.people.district import People
from core.people.receipts import Answer, Cause, ObeyedBefore
from core.system.district import System
from core.system.throttle import Limit
from core.trade.booking_tools import TradeBooks
from core.trade.orders import Creation, OpenOrder, Order, find_key
from core.trade.trials.choices import TrialChoices, TrialOptions
from core.trade.trials.notices import TrialMade, TrialQuestionNotice
from core.trade.trials.questions import Step, TrialQuestion
from core.trade.trials.results import TrialResult, TrialResults

RIGHT: Final = "test_order"
LIMIT: Final = Limit(times=3, window_s=60)
SUBJECT: Final = "Test order"
# Nobody pays yet: suppliers that want a payer's address are told one that is nobody's.
CLIENT_IP: Final = "127.0.0.1"


class Trials:
    """Makes test orders. Every verb wants the right, in a chat where staff alone reads; only
    whoever began goes on with what is told step by step.

    Refusals of each: those of `Actor.need`, staff_only. Of those that make an order: those of
    `TrialChoices.take`, rate_limited, and those of `Creation.open`.
    """

    def __init__(
        self,
        system: System,
        books: TradeBooks,
        people: People,
        choices: TrialChoices,
        results: TrialResults,
        creation: Creation,
    ) -> None:
        self._store = system.store
        self._throttle = system.throttle
        self._outbox = books.outbox
        self._approvals = people.approvals
        self._receipts = people.receipts
        self._choices = choices
        self._results = results
        self._creation = creation

    async def begin(self, actor: Actor, *, message_id: int | None = None) -> None:
        """Ask for the first thing. message_id: of the command, which is replied to."""
        actor.need_among_staff(RIGHT)
        await self._ask(actor, TrialQuestion(), message_id)

    async def order(self, actor: Actor, told: TrialQuestion, cause: Cause) -> None:
        """Make a test order that was told in one line; one of a live app is asked about first."""
        actor.need_among_staff(RIGHT)
        if told.mode == "live":
            await self._ask(actor, told, cause.message_id)
        elif not await self._receipts.obeyed(cause.chat_id, cause.message_id):
            number = f"TEST{cause.chat_id}.{cause.message_id}"
            await self._make(actor, told, number, cause, None)

    async def choose(
        self, actor: Actor, approval_id: UUID, step: Step, value: str, *, message_id: int
    ) -> None:
        """Tell one thing more. message_id: of the question. Where all is told, the order is made;
        one of a live app is asked about once more. A press on what was told already changes
        nothing. Refusals: confirmation_expired, confirmation_foreign."""
        actor.need_among_staff(RIGHT)
        asked = await self._approvals.find(TrialQuestion, actor, approval_id)
        if asked.state != "open" or asked.question.step != step:
            return
        told = await self._choices.take(asked.question, step, value)
        if told.step == "confirm" and told.mode == "test":
            await self._confirmed(actor, asked, told, message_id)
            return
        found = await self._choices.of(told, 1)
        async with self._store.transaction() as tx:
            asked = await self._approvals.amend(tx, asked, told)
            notice = _notice(asked, found)
            await self._outbox.say(tx, actor.chat_id, Say(notice, edit_message_id=message_id))

    async def turn(self, actor: Actor, approval_id: UUID, page: int, *, message_id: int) -> None:
        """Show another page of what may be chosen. Refusals: as of `choose`."""
        actor.need_among_staff(RIGHT)
        asked = await self._approvals.find(TrialQuestion, actor, approval_id)
        if asked.state == "open":
            found = await self._choices.of(asked.question, page)
            said = Say(_notice(asked, found), edit_message_id=message_id)
            await self._outbox.say(self._store, actor.chat_id, said)

    async def confirm(self, actor: Actor, approval_id: UUID, *, message_id: int) -> None:
        """Make the real order that was shown. Refusals: as of `choose`."""
        actor.need_among_staff(RIGHT)
        asked = await self._approvals.find(TrialQuestion, actor, approval_id)
        if asked.state == "open" and asked.question.step == "confirm":
            await self._confirmed(actor, asked, asked.question, message_id)

    async def drop(self, actor: Actor, approval_id: UUID, *, message_id: int) -> None:
        """Think better of it. Refusals: as of `choose`."""
        actor.need_among_staff(RIGHT)
        asked = await self._approvals.find(TrialQuestion, actor, approval_id, yes=False)
        if asked.state != "open":
            return
        async with self._store.transaction() as tx:
            await self._approvals.answer(tx, actor, asked, yes=False)
            dropped = TrialQuestionNotice(asked.id, asked.question, "dropped")
            await self._outbox.say(tx, actor.chat_id, Say(dropped, edit_message_id=message_id))

    # ── what the verbs share ─────────────────────────────────────────────────────────────────────
    async def _ask(self, actor: Actor, told: TrialQuestion, message_id: int | None) -> None:
        found = await self._choices.of(told, 1)
        async with self._store.transaction() as tx:
            asked = await self._approvals.ask(tx, actor, told)
            said = Say(_notice(asked, found), reply_to=message_id)
            await self._outbox.say(tx, actor.chat_id, said)

    async def _confirmed(
        self, actor: Actor, asked: Asked[TrialQuestion], told: TrialQuestion, message_id: int
    ) -> None:
        cause = Cause(actor.chat_id, message_id, 0)
        await self._make(actor, told, f"TEST{asked.id.hex}", cause, asked)

    async def _make(
        self,
        actor: Actor,
        told: TrialQuestion,
        number: str,
        cause: Cause,
        asked: Asked[TrialQuestion] | None,
    ) -> None:
        """Create the order, then say so. A message that is delivered again finds the order by its
        number: it is created once, and told once. asked: the question that is answered by it."""
        app = await self._choices.app(told)
        merchant = app.merchant
        if await find_key(self._store, merchant.id, app.id, number) is None:
            await self._need_room(actor)
        channel = await self._choices.only_channel(told)
        opened = await self._creation.open(
            app,
            OpenOrder(
                merchant_order_no=number,
                amount=Money(told.minor, told.currency),
                product=told.product_code,
                subject=SUBJECT,
                client_ip=CLIENT_IP,
                only_channel_id=channel.id if channel is not None else None,
                asker=actor.trail_name,
            ),
            request_id=f"telegram-{cause.chat_id}-{cause.message_id}",
        )
        result = await self._results.of(opened.order, merchant.day_cut.zone)
        try:
            await self._tell(actor, told, cause, asked, opened.order, result)
        except ObeyedBefore:
            return

    async def _tell(
        self,
        actor: Actor,
        told: TrialQuestion,
        cause: Cause,
        asked: Asked[TrialQuestion] | None,
        order: Order,
        result: TrialResult,
    ) -> None:
        """The card, which follows the order; then how it is paid, and what suppliers answered."""
        made = TrialMade(order.order_no, told, result.cashier_url, result.link, actor.name)
        picture = None
        if result.code:
            picture = Picture(result.code, made, reply_to=cause.message_id)
        card = Card(str(order.merchant_id), str(order.id), reply_to=cause.message_id)
        async with self._store.transaction() as tx:
            if asked is not None:
                asked = await self._approvals.amend(tx, asked, told)
                await self._approvals.answer(tx, actor, asked, yes=True)
                done = TrialQuestionNotice(asked.id, told, "made")
                said = Say(done, edit_message_id=cause.message_id)
                await self._outbox.say(tx, actor.chat_id, said)
            await self._outbox.say(tx, actor.chat_id, card, merchant_id=order.merchant_id)
            answer = Answer(made, "trial_ordered", order.merchant_id)
            await self._receipts.answer(tx, actor, cause, answer, said=picture)
            await self._outbox.say(
                tx,
                actor.chat_id,
                Say(result.calls, reply_to=cause.message_id),
                merchant_id=order.merchant_id,
            )

    async def _need_room(self, actor: Actor) -> None:
        """Refusals: rate_limited."""
        wait_s = await self._throttle.room({f"trial:{actor.user_id}": LIMIT})
        if wait_s > 0:
            raise Refusal("rate_limited", retry_after_s=max(1, round(wait_s)))


def _notice(asked: Asked[TrialQuestion], found: TrialOptions) -> TrialQuestionNotice:
    told = asked.question
    return TrialQuestionNotice(asked.id, told, told.step, found.options, found.page, found.pages)
