"""Discrepancies: the list of money in suspense, a card for each, and what is decided about it,
with the reason that is given in reply."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.delivery.outbox import Say, Stored
from core.people.actors import Actor
from core.runtime import Runtime
from core.trade.discrepancies import PAGE_SIZE
from handlers.discrepancies.buttons import AnswerResolution, OnDiscrepancy, TurnDiscrepancies
from handlers.discrepancies.words import ShowDiscrepancies
from handlers.kit.context import GiveReason, Presses, Wants, request_id, say

HISTORY_DAYS: Final = 7
HISTORY_LINES: Final = 5


def router() -> Router:
    """Money came, and nobody knows yet whose it is."""
    routes = Router(name="discrepancies")
    routes.message.register(show, Wants(ShowDiscrepancies))
    routes.callback_query.register(turn, Presses(TurnDiscrepancies))
    routes.callback_query.register(press, Presses(OnDiscrepancy))
    routes.message.register(give_reason, Wants(GiveReason))
    routes.callback_query.register(answer, Presses(AnswerResolution))
    return routes


async def show(message: Message, intent: ShowDiscrepancies, actor: Actor, runtime: Runtime) -> None:
    """The first page, and what was decided lately."""
    actor.need("resolve")
    merchant_id = None
    if intent.merchant_no is not None or actor.merchant_ids == ():  # nothing is seen here
        merchant = await runtime.people.access.merchant_in(
            actor, intent.merchant_no, example="/discrepancies M1001"
        )
        merchant_id = merchant.id
    facts = await _list(runtime, actor, merchant_id, 1, "test" if intent.test else "live")
    await say(runtime, actor, "discrepancies", facts, message.message_id)


async def turn(
    query: CallbackQuery, button: TurnDiscrepancies, actor: Actor, runtime: Runtime
) -> None:
    """Another page, in the place of the one that carries the button."""
    actor.need("resolve")
    if query.message is None:
        return
    mode = "test" if button.test else "live"
    facts = await _list(runtime, actor, button.merchant_id, button.page, mode)
    await runtime.delivery.outbox.say(
        runtime.system.store,
        actor.chat_id,
        Say(Stored("discrepancies", facts), edit_message_id=query.message.message_id),
    )


async def press(
    query: CallbackQuery, button: OnDiscrepancy, actor: Actor, runtime: Runtime
) -> None:
    """Open a card in reply; or turn it into the question why to do what its button says."""
    if query.message is None:
        return
    message_id = query.message.message_id
    if button.action == "open":
        await runtime.trade.discrepancies.show(actor, button.discrepancy_id, reply_to=message_id)
        return
    await runtime.trade.discrepancies.ask(
        actor, button.discrepancy_id, button.action, message_id=message_id
    )


async def give_reason(message: Message, intent: GiveReason, actor: Actor, runtime: Runtime) -> None:
    """The question asks whether to do it now."""
    await runtime.trade.discrepancies.give_reason(
        actor, intent.approval_id, intent.reason, message_id=intent.question_message_id
    )


async def answer(
    query: CallbackQuery, button: AnswerResolution, actor: Actor, runtime: Runtime
) -> None:
    """Do it, or show the card again."""
    if query.message is None:
        return
    message_id = query.message.message_id
    if not button.yes:
        await runtime.trade.discrepancies.drop(actor, button.approval_id, message_id=message_id)
        return
    await runtime.trade.discrepancies.confirm(
        actor, button.approval_id, message_id=message_id,
        request_id=request_id(query.message),
    )  # fmt: skip


async def _list(
    runtime: Runtime, actor: Actor, merchant_id: UUID | None, number: int, mode: str
) -> dict[str, Any]:
    """Facts of a page: of one merchant, or of all that the actor sees here."""
    scope = actor.merchant_ids
    if merchant_id is not None:
        scope = (merchant_id,) if actor.sees(merchant_id) else ()
    page = await runtime.trade.discrepancies.open_ones(scope, number, mode=mode)
    resolved = await runtime.trade.discrepancies.history(
        scope, HISTORY_DAYS, mode=mode, limit=HISTORY_LINES
    )
    now = runtime.system.clock.now()
    staff_only = actor.merchant_ids is None
    return {
        "merchant_id": str(merchant_id or ""),
        "mode": mode,
        "page": page.number,
        "first": (page.number - 1) * PAGE_SIZE + 1,
        "pages": page.pages,
        "total": page.total,
        "days": HISTORY_DAYS,
        "lines": [
            {
                "discrepancy_id": str(item.id),
                "merchant_no": item.merchant_no,
                "order_no": item.order_no,
                "supplier_no": item.supplier_no if staff_only else "",
                "upstream_no": item.upstream_no if staff_only else "",
                "kind": item.kind,
                "asked_minor": item.asked_minor,
                "seen_minor": item.seen_minor,
                "left_minor": item.left_minor,
                "currency": item.currency,
                "age_min": int((now - item.at).total_seconds() // 60),
            }
            for item in page.items
        ],
        "resolved": [
            {
                "order_no": line.order_no,
                "how": line.how,
                "minor": line.minor,
                "currency": line.currency,
                "actor_name": line.actor_name,
            }
            for line in resolved
        ],
    }
