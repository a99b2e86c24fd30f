"""Conversations: a folder for each topic, from what a person says to one verb of the business."""

from __future__ import annotations

from dataclasses import fields

from aiogram import Bot, Dispatcher

from core.runtime import Runtime
from core.system.settings import Shown
from handlers import codes as codes
from handlers.buttons import read_button
from handlers.commands import COMMANDS, PARSER
from handlers.kit import context, dialogues, errors, presses
from handlers.kit.chat import Chats
from handlers.kit.holders import Holders
from handlers.kit.reactions import Reactions
from handlers.topics import TOPICS

__all__ = ["Reactions", "build_dispatcher"]


def build_dispatcher(
    runtime: Runtime, bot: Bot, reactions: Reactions, environment: tuple[Shown, ...] = ()
) -> Dispatcher:
    """The dispatcher to feed updates to. Updates that concern nobody here end in silence.

    Refusals are answered; every other exception comes out of `feed_update`, so that the update
    is tried again. Whoever builds it ends the reactions. Handlers name what they need: `chat`,
    `intent` or `button`, and the districts of the business that they call. environment: what the
    desk was started with, as people may see it.
    """
    system, people = runtime.system, runtime.people
    trade = runtime.trade
    trade.enquiries.look_on(reactions.show_passed, reactions.show_solved)
    trade.watches.look_on(reactions.show_passed, reactions.show_solved)
    chats = Chats(
        system.store, system.clock, runtime.ledger, runtime.delivery, runtime.parties, people
    )
    talks = dialogues.Dialogues(system.redis, system.ids, PARSER)
    dispatcher = Dispatcher(
        disable_fsm=True,
        chats=chats,
        dialogues=talks,
        commands=COMMANDS,
        topics=TOPICS,
        environment=environment,
        holders=Holders(runtime.parties, people, runtime.supply, runtime.ledger),
        **{field.name: getattr(runtime, field.name) for field in fields(runtime)},
    )
    understand = context.Understand(chats, runtime.trade, bot, PARSER, talks)
    dispatcher.message.outer_middleware(understand)
    dispatcher.message.outer_middleware(context.InTime(people, system.clock, COMMANDS, reactions))
    dispatcher.edited_message.outer_middleware(understand)
    dispatcher.callback_query.outer_middleware(presses.AnswerPress(chats, people, read_button))
    for topic in TOPICS:
        for add_routes in topic.routes:
            add_routes(dispatcher)
    # Dialogues ask after all topics that have some.
    dialogues.add_routes(dispatcher)
    errors.add_routes(dispatcher)
    return dispatcher
