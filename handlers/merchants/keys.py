"""Keys of apps: asked for, proven, and shown once, in private."""

from __future__ import annotations

from uuid import UUID

from aiogram import Bot, Router
from aiogram.exceptions import TelegramAPIError
from aiogram.types import CallbackQuery, Message

from core.accounts.district import Accounts
from core.accounts.onboarding import TakeKeysQuestion
from core.kernel.errors import Refusal
from core.parties.district import Parties
from core.parties.merchants import AppKeys, KeptApp, Merchant
from core.people.district import People
from core.people.factors import Proof
from handlers.approvals.proofs import Proving, begin_proof, take_proof
from handlers.kit.chat import Chat
from handlers.kit.context import Presses
from handlers.kit.dialogues import TAKE_KEYS, Answers, Dialogues, Said
from handlers.kit.forms import post_in_private
from handlers.kit.secrets import SHOWN_S, show_secret
from handlers.merchants.buttons import TakeKeys
from handlers.merchants.cards import Cards
from handlers.merchants.screens import ProveKeys, keys_screen


def add_routes(routes: Router) -> None:
    """What nobody but one person sees, once."""
    routes.callback_query.register(press_take, Presses(TakeKeys))
    routes.message.register(prove, Answers(TAKE_KEYS))


async def open_app(
    chat: Chat,
    cards: Cards,
    bot: Bot,
    dialogues: Dialogues,
    merchant: Merchant,
    *,
    mode: str,
    name: str,
) -> None:
    """Open an app of this name. A test one's keys are shown at once, in private: a group is shown
    the way there. A live one's are asked for.

    mode: live | test. Refusals: those of `Keys.open_test` and `Keys.ask_live`.
    """
    actor, keys = chat.actor, cards.accounts.keys
    actor.need_among_staff("merchants")
    if mode == "live":
        approval_id = await keys.ask_live(actor, merchant, chat.message_id, name=name)
        await _go_on(chat, cards, dialogues, approval_id)
        return
    if chat.id != actor.user_id:
        await post_in_private(chat, await cards.card(chat, merchant.id))
        return
    await _show(chat, cards, bot, await keys.open_test(actor, merchant, name))


async def rotate(chat: Chat, cards: Cards, bot: Bot, dialogues: Dialogues, kept: KeptApp) -> None:
    """New keys of an app, as `open_app`. Refusals: those of `Keys.rotate_test` and
    `Keys.ask_live`."""
    actor, keys = chat.actor, cards.accounts.keys
    actor.need_among_staff("merchants")
    if kept.app.mode == "live":
        approval_id = await keys.ask_live(actor, kept.app.merchant, chat.message_id, app_id=kept.id)
        await _go_on(chat, cards, dialogues, approval_id)
        return
    if chat.id != actor.user_id:
        await post_in_private(chat, await cards.app(kept))
        return
    await _show(chat, cards, bot, await keys.rotate_test(actor, kept.id))


async def _go_on(chat: Chat, cards: Cards, dialogues: Dialogues, approval_id: UUID | None) -> None:
    """Ask for the asker's factor, where no second person is asked first: of that there is a card
    already."""
    if approval_id is not None:
        await _ask_proof(chat, cards.people, dialogues, approval_id)


async def _ask_proof(chat: Chat, people: People, dialogues: Dialogues, approval_id: UUID) -> None:
    """Ask for the proof of whoever asked for the keys. Refusals: those of `Approvals.find` and of
    `begin_proof`, confirmation_expired (they were taken)."""
    actor = chat.actor
    private = await people.access.actor(actor.user_id, actor.name, actor.user_id, private=True)
    asked = await people.approvals.find(TakeKeysQuestion, private, approval_id)
    if asked.state != "open":
        raise Refusal("confirmation_expired")
    question = asked.question

    def shown(dialogue_id: str) -> ProveKeys:
        return ProveKeys(
            question.merchant_no, question.merchant_name, question.app_name, question.key_id,
            dialogue_id, SHOWN_S,
        )  # fmt: skip

    proving = Proving(approval_id, question.kind)
    await begin_proof(chat, people, dialogues, TAKE_KEYS, proving, shown)


async def press_take(
    _: CallbackQuery, chat: Chat, button: TakeKeys, people: People, dialogues: Dialogues
) -> None:
    """They may be taken now. Refusals: not_permitted, those of `_ask_proof`."""
    chat.actor.need_among_staff("merchants")
    await _ask_proof(chat, people, dialogues, button.approval_id)


async def prove(
    _: Message,
    chat: Chat,
    answer: Said,
    bot: Bot,
    parties: Parties,
    people: People,
    accounts: Accounts,
    dialogues: Dialogues,
) -> None:
    """Take what was written as the proof, make the keys and show them. Where the desk died between
    the two, the message comes again: those keys were not seen, and are asked for again."""

    async def end_unseen(approval_id: UUID) -> None:
        if await accounts.keys.end_unseen(chat.actor, approval_id):
            raise Refusal("keys_unseen")

    async def use(proof: Proof) -> None:
        keys = await accounts.keys.take(chat.actor, proof.approval_id, proof)
        await _show(chat, Cards(parties, people, accounts), bot, keys)
        await dialogues.end(chat.actor)

    await take_proof(chat, people, dialogues, answer, use, first=end_unseen)


async def _show(chat: Chat, cards: Cards, bot: Bot, keys: AppKeys) -> None:
    """The keys, for a minute; and the app's card, which stays. Refusals: keys_unseen."""
    kept = await cards.parties.merchants.apps.find(keys.app_id)
    merchant = kept.app.merchant
    screen = keys_screen(
        keys, merchant.merchant_no, kept.name, chat.actor.language, merchant.day_cut.zone
    )
    try:
        await show_secret(bot, chat, screen)
    except TelegramAPIError as error:
        # Nobody has seen them, or nobody can be sure: the ones before must not end for them.
        await cards.accounts.keys.take_back(chat.actor, keys)
        raise Refusal("keys_unseen") from error
    await cards.accounts.keys.shown(keys)
    await chat.post(await cards.app(kept))
