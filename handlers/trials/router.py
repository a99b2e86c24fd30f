"""Test orders, typed and pressed. The question is kept by core, so groups can be asked as well."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.accounts.vouchers import Cause
from core.kernel.errors import Refusal
from core.people.district import People
from core.trade.district import Trade
from core.trade.trials import RIGHT
from handlers.channels.words import minor
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.trials.buttons import AnswerTrial, ChooseForTrial, OpenTrial, TurnTrial
from handlers.trials.words import BeginTrial, MakeTrial


def add_routes(routes: Router) -> None:
    """Does it work from end to end?"""
    routes.message.register(begin, Wants(BeginTrial))
    routes.message.register(make, Wants(MakeTrial))
    routes.callback_query.register(open_pressed, Presses(OpenTrial))
    routes.callback_query.register(choose, Presses(ChooseForTrial))
    routes.callback_query.register(turn, Presses(TurnTrial))
    routes.callback_query.register(answer, Presses(AnswerTrial))


async def begin(_: Message, chat: Chat, trade: Trade) -> None:
    """Ask for the merchant."""
    await trade.trials.begin(chat.actor, message_id=chat.message_id)


async def open_pressed(_: CallbackQuery, chat: Chat, trade: Trade) -> None:
    """As `begin`."""
    await trade.trials.begin(chat.actor)


async def make(_: Message, chat: Chat, intent: MakeTrial, people: People, trade: Trade) -> None:
    """Make it, or ask whether to. Refusals: amount_invalid, those of `TrialChoices.told` and of
    `Trials.order`."""
    chat.actor.need_among_staff(RIGHT)
    merchant = await people.access.merchant_in(chat.actor, intent.merchant_no)
    amount_minor = minor(intent.amount, merchant.currency, "1.00")
    if not amount_minor:
        raise Refusal(
            "amount_invalid", text=intent.amount, currency=merchant.currency, example="1.00"
        )
    told = await trade.trial_choices.told(
        merchant.merchant_no, intent.product_code, amount_minor, intent.channel_no, intent.mode
    )
    await trade.trials.order(chat.actor, told, Cause(chat.id, chat.message_id, 1))


async def choose(_: CallbackQuery, chat: Chat, button: ChooseForTrial, trade: Trade) -> None:
    """Take what was pressed, and go on."""
    await trade.trials.choose(
        chat.actor, button.approval_id, button.step, button.value, message_id=chat.message_id
    )


async def turn(_: CallbackQuery, chat: Chat, button: TurnTrial, trade: Trade) -> None:
    """Another page, in the place of this one."""
    await trade.trials.turn(chat.actor, button.approval_id, button.page, message_id=chat.message_id)


async def answer(_: CallbackQuery, chat: Chat, button: AnswerTrial, trade: Trade) -> None:
    """Make it, or drop it. A second press finds the question answered."""
    answered = trade.trials.confirm if button.yes else trade.trials.drop
    await answered(chat.actor, button.approval_id, message_id=chat.message_id)
