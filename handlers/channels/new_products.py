"""Making a product: by one command, or step by step in private."""

from __future__ import annotations

from dataclasses import dataclass
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
from handlers.kit.dialogues import Chosen, Dialogues, Said
from handlers.kit.forms import Form, Step
from texts.amounts import fold

_NAME: Final = "–"  # where it is not told yet


@dataclass(frozen=True, slots=True)
class Draft:
    """A product as far as it was told."""

    code: str = ""
    name_zh: str = ""
    name_en: str = ""


async def _code(supply: Supply, _: Draft, text: str) -> str:
    """Refusals: product_invalid, product_exists."""
    code = fold(text).strip().lower()
    check_product(Product(code, _NAME, _NAME))
    if code in await supply.channels.products.all():
        raise Refusal("product_exists", product=code)
    return code


async def _name(_: Supply, draft: Draft, text: str) -> str:
    """Refusals: product_invalid."""
    name = " ".join(text.split())
    check_product(Product(draft.code, name, _NAME))
    return name


FORM: Final = Form[Draft, Supply](
    "product",
    Draft,
    (Step("code", _code), Step("name_zh", _name), Step("name_en", _name)),
    lambda draft: ProductQuestion(draft.code),
)


def add_routes(routes: Router) -> None:
    """A new way to pay is going to be sold."""
    routes.message.register(add, Wants(AddProduct))
    routes.message.register(begin, Wants(BeginProduct))
    routes.callback_query.register(begin, Presses(MakeProduct))
    FORM.add_routes(routes, answer)


async def add(_: Message, chat: Chat, intent: AddProduct, supply: Supply) -> None:
    """Make it at once. Refusals: those of `Catalogue.add_product`."""
    product = Product(intent.product_code, intent.name_zh, intent.name_en)
    cause = Cause(chat.id, chat.message_id, 1)
    await supply.catalogue.add_product(chat.actor, product, cause)


async def begin(_: Message | CallbackQuery, chat: Chat, dialogues: Dialogues) -> None:
    """Ask for the first thing. Refusals: private_only."""
    chat.actor.need_among_staff(PRODUCTS_RIGHT)
    await FORM.begin(chat, dialogues, Draft())


async def answer(
    _: Message | CallbackQuery,
    chat: Chat,
    answer: Said | Chosen,
    supply: Supply,
    dialogues: Dialogues,
) -> None:
    """Go on to the next question, or make the product. Refusals: answer_forwarded,
    product_invalid, product_exists."""
    chat.actor.need_among_staff(PRODUCTS_RIGHT)
    draft = await FORM.take(chat, dialogues, supply, answer)
    if draft is None:
        return
    cause = Cause(chat.id, chat.message_id, 1)
    product = Product(draft.code, draft.name_zh, draft.name_en)
    await supply.catalogue.add_product(chat.actor, product, cause)
    await dialogues.end(chat.actor)
