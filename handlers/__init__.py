"""Conversations: one router per topic, from what a person says to one verb of the business."""

from __future__ import annotations

from aiogram import Bot, Dispatcher

from core.runtime import Runtime
from handlers import (
    adjustments,
    alarms,
    amending,
    bills,
    binding,
    channels,
    completion,
    context,
    credentials,
    daycuts,
    desk,
    dialogues,
    discrepancies,
    documents,
    errors,
    exports,
    lookup,
    onboarding,
    opening,
    prepayments,
    products,
    rates,
    refunds,
    statistics,
    suppliers,
)
from handlers import codes as codes
from handlers.reactions import Reactions

__all__ = ["Reactions", "build_dispatcher"]


def build_dispatcher(runtime: Runtime, bot: Bot, reactions: Reactions) -> Dispatcher:
    """The dispatcher to feed updates to. Updates that concern nobody here end in silence.

    Refusals are answered; every other exception comes out of `feed_update`, so that the update
    is tried again. Whoever builds it ends the reactions.
    """
    talks = dialogues.Dialogues(runtime.system.redis, runtime.system.ids)
    dispatcher = Dispatcher(disable_fsm=True, runtime=runtime, dialogues=talks)
    understand = context.Understand(runtime, bot, talks, reactions)
    dispatcher.message.outer_middleware(understand)
    dispatcher.edited_message.outer_middleware(understand)
    dispatcher.callback_query.outer_middleware(context.AnswerPress(runtime))
    for topic in (
        onboarding,
        binding,
        prepayments,
        adjustments,
        lookup,
        bills,
        exports,
        statistics,
        daycuts,
        completion,
        discrepancies,
        refunds,
        alarms,
        rates,
        channels,
        products,
        documents,
        suppliers,
        opening,
        amending,
        credentials,
        dialogues,
        desk,
        errors,
    ):
        dispatcher.include_router(topic.router())
    return dispatcher
