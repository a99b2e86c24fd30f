"""Making a product: by one command, or step by step in private.

What is said at a step is done first, then the next question is put, and then the dialogue moves on:
a message that is delivered again does the same once more, which changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.accounts.vouchers import Cause
from core.kernel.errors import Refusal
from core.supply.catalogue import PRODUCTS_RIGHT
from core.supply.channels import Product, check_product
from core.supply.district import Supply
from handlers.channels.buttons import MakeProduct
from handlers.channels.screens import ProductQuestion
from handlers.channels.words import AddProduct, BeginProduct
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.dialogues import Answers, Dialogue, Dialogues, Said
from texts.amounts import fold

STEPS: Final = ("code", "name_zh", "name_en")
_PREFIX: Final = "product_"  # so that no other dialogue has a step of this name
_QUESTIONS: Final = tuple(_PREFIX + step for step in STEPS)
_NAME: Final = "–"  # where it is not told yet


@dataclass(frozen=True, slots=True)
class Draft:
    """A product as far as it was told."""

    code: str = ""
    name_zh: str = ""


def add_routes(routes: Router) -> None:
    """A new way to pay is going to be sold."""
    routes.message.register(add, Wants(AddProduct))
    routes.message.register(begin_typed, Wants(BeginProduct))
    routes.message.register(answer, Answers(*_QUESTIONS), Wants(Said))
    routes.callback_query.register(begin_pressed, Presses(MakeProduct))


async def add(_: Message, chat: Chat, intent: AddProduct, supply: Supply) -> None:
    """Make it at once. Refusals: those of `Catalogue.add_product`."""
    product = Product(intent.product_code, intent.name_zh, intent.name_en)
    cause = Cause(chat.id, chat.message_id, 1)
    await supply.catalogue.add_product(chat.actor, product, cause)


async def begin_typed(_: Message, chat: Chat, dialogues: Dialogues) -> None:
    """Ask for the first thing. Refusals: private_only."""
    await _begin(chat, dialogues)


async def begin_pressed(_: CallbackQuery, chat: Chat, dialogues: Dialogues) -> None:
    """As `begin_typed`."""
    await _begin(chat, dialogues)


async def _begin(chat: Chat, dialogues: Dialogues) -> None:
    chat.actor.need_among_staff(PRODUCTS_RIGHT)
    await _ask(chat, await dialogues.begin(chat.actor, _QUESTIONS[0], Draft()))


async def _ask(chat: Chat, dialogue: Dialogue) -> None:
    place = _QUESTIONS.index(dialogue.step)
    code = dialogue.read(Draft).code
    await chat.post(ProductQuestion(STEPS[place], place + 1, len(STEPS), code, dialogue.id))


async def answer(
    _: Message, chat: Chat, intent: Said, supply: Supply, dialogues: Dialogues
) -> None:
    """Take an answer: go on to the next question, or make the product. Refusals:
    answer_forwarded, product_invalid, product_exists."""
    dialogue = intent.dialogue
    if intent.message_id <= dialogue.heard:
        return
    if intent.foreign:
        raise Refusal("answer_forwarded")
    chat.actor.need_among_staff(PRODUCTS_RIGHT)
    place, draft = _QUESTIONS.index(dialogue.step), dialogue.read(Draft)
    name = " ".join(intent.text.split())
    match STEPS[place]:
        case "code":
            draft = await _new_code(supply, fold(intent.text).strip().lower())
        case "name_zh":
            check_product(Product(draft.code, name, _NAME))
            draft = replace(draft, name_zh=name)
        case _:
            cause = Cause(chat.id, chat.message_id, 1)
            product = Product(draft.code, draft.name_zh, name)
            await supply.catalogue.add_product(chat.actor, product, cause)
            await dialogues.end(chat.actor)
            return
    dialogue = dialogue.at(_QUESTIONS[place + 1], draft, heard=intent.message_id)
    await _ask(chat, dialogue)
    await dialogues.keep(chat.actor, dialogue)


async def _new_code(supply: Supply, code: str) -> Draft:
    """Looked at already, so that nobody has to begin again for it. Refusals: product_invalid,
    product_exists."""
    check_product(Product(code, _NAME, _NAME))
    if code in await supply.channels.products.all():
        raise Refusal("product_exists", product=code)
    return Draft(code)
