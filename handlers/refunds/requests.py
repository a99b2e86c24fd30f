"""A refund is asked for with a reason, answered by a button of the same person, and proven in
private."""

from __future__ import annotations

from functools import partial

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.accounts.vouchers import money_of
from core.kernel.money import Money
from core.people.district import People
from core.system.district import System
from core.trade.district import Trade
from handlers.approvals.proofs import ask_proof
from handlers.desk.screens import usage_of
from handlers.kit.chat import Chat
from handlers.kit.commands import CommandTable
from handlers.kit.context import GiveReason, GivesReason, Press, Presses, Wants
from handlers.kit.dialogues import Dialogues
from handlers.refunds.buttons import AnswerRefundOrder
from handlers.refunds.words import RefundOrder, read_refund
from texts.amounts import Typed


def add_routes(routes: Router) -> None:
    """The payer is to have it back."""
    routes.message.register(ask, Wants(RefundOrder))
    routes.message.register(give_reason, GivesReason("refund"))
    routes.callback_query.register(answer, Presses(AnswerRefundOrder))


async def ask(_: Message, chat: Chat, intent: RefundOrder, trade: Trade) -> None:
    """Show what would go back, and put the question."""
    chat.actor.need("refund")
    amount = intent.amount
    await trade.refund_requests.ask(
        chat.actor,
        intent.number,
        None if amount is None else partial(_money, amount),
        intent.reason,
        message_id=chat.message_id,
    )


async def give_reason(
    message: Message, chat: Chat, intent: GiveReason, trade: Trade, commands: CommandTable
) -> None:
    """The reply to who pressed the card's button: as if it stood behind the command. An amount may
    come first."""
    asked = await trade.reasons.open(chat.actor, intent.why)
    wanted = read_refund((asked.question.order_no, *intent.reason.split()))
    if wanted is None:
        await chat.refuse(usage_of(commands.named("refund"), chat.actor))
        return
    await ask(message, chat, wanted, trade)
    await trade.reasons.close(chat.actor, asked, message_id=intent.question_message_id)


def _money(amount: Typed, currency: str) -> Money:
    return money_of(amount.units_in(currency), currency)


async def answer(
    _: CallbackQuery,
    chat: Chat,
    button: AnswerRefundOrder,
    press: Press,
    system: System,
    people: People,
    trade: Trade,
    dialogues: Dialogues,
) -> None:
    """Have a yes proven in private, or drop it. A second press finds the question answered."""
    asked, message_id = button.approval_id, chat.message_id
    if not button.yes:
        await trade.refund_requests.drop(chat.actor, asked, message_id=message_id)
    elif await trade.refund_requests.accept(chat.actor, asked, message_id=message_id):
        await ask_proof(chat, press, system, people, dialogues, asked)
