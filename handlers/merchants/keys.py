"""Keys of apps: asked for, proven, and shown once, in private."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from aiogram import Bot, Router
from aiogram.types import CallbackQuery, Message

from core.accounts.district import Accounts
from core.accounts.keys import TakeKeysQuestion
from core.delivery.outbox import TakeAway
from core.kernel.errors import Refusal
from core.parties.district import Parties
from core.parties.merchants import AppKeys, KeptApp, Merchant
from core.people.district import People
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.dialogues import TAKE_KEYS, Answers, Dialogues, Said
from handlers.kit.refusals import RefusalNotice
from handlers.kit.secrets import SHOWN_S, show_secret
from handlers.merchants.buttons import TakeKeys
from handlers.merchants.cards import Cards
from handlers.merchants.private import begin, post
from handlers.merchants.screens import ProveKeys, keys_screen


@dataclass(frozen=True, slots=True)
class Taking:
    """For which keys a code is asked for."""

    approval_id: UUID


def add_routes(routes: Router) -> None:
    """What nobody but one person sees, once."""
    routes.callback_query.register(press_take, Presses(TakeKeys))
    routes.message.register(prove, Answers(TAKE_KEYS), Wants(Said))


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
        await post(chat, await cards.card(chat, merchant.id))
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
        await post(chat, await cards.app(kept))
        return
    await _show(chat, cards, bot, await keys.rotate_test(actor, kept.id))


async def _go_on(chat: Chat, cards: Cards, dialogues: Dialogues, approval_id: UUID | None) -> None:
    """Ask for the asker's factor, where no second person is asked first: of that there is a card
    already."""
    if approval_id is not None:
        await _ask_proof(chat, cards.people, dialogues, approval_id)


async def _ask_proof(chat: Chat, people: People, dialogues: Dialogues, approval_id: UUID) -> None:
    """Ask for a code or the password in the person's private chat. Refusals: those of
    `Approvals.find`, factor_missing, confirmation_expired (it was taken), dialogue_away."""
    actor = chat.actor
    private = await people.access.actor(actor.user_id, actor.name, actor.user_id, private=True)
    asked = await people.approvals.find(TakeKeysQuestion, private, approval_id)
    if asked.state != "open":
        raise Refusal("confirmation_expired")
    if not await people.factors.enrolled(actor.user_id):
        raise Refusal("factor_missing")
    dialogue = await begin(chat, people, dialogues, TAKE_KEYS, Taking(approval_id))
    question = asked.question
    prove_keys = ProveKeys(
        question.merchant_no, question.merchant_name, question.app_name, question.key_id,
        dialogue.id, SHOWN_S,
    )  # fmt: skip
    await post(chat, prove_keys)


async def press_take(
    _: CallbackQuery, chat: Chat, button: TakeKeys, people: People, dialogues: Dialogues
) -> None:
    """They may be taken now. Refusals: not_permitted, those of `_ask_proof`."""
    chat.actor.need_among_staff("merchants")
    await _ask_proof(chat, people, dialogues, button.approval_id)


async def prove(
    _: Message,
    chat: Chat,
    intent: Said,
    bot: Bot,
    parties: Parties,
    people: People,
    accounts: Accounts,
    dialogues: Dialogues,
) -> None:
    """Take what was written as the proof, make the keys and show them; its message is taken away
    whatever comes of it."""
    dialogue = intent.dialogue
    await chat.put(TakeAway(intent.message_id))
    if intent.message_id <= dialogue.heard:
        return
    taking = dialogue.read(Taking)
    try:
        if intent.foreign:
            raise Refusal("answer_forwarded")
        proof = await people.factors.prove(chat.actor, intent.text, taking.approval_id)
        keys = await accounts.keys.take(chat.actor, taking.approval_id, proof)
    except Refusal as refusal:
        await chat.post(RefusalNotice(refusal.code, await chat.on_clocks_here(refusal)))
        await dialogues.keep(chat.actor, dialogue.at(TAKE_KEYS, taking, heard=intent.message_id))
        return
    await dialogues.end(chat.actor)
    await _show(chat, Cards(parties, people, accounts), bot, keys)


async def _show(chat: Chat, cards: Cards, bot: Bot, keys: AppKeys) -> None:
    """The keys, for a minute; and the app's card, which stays."""
    kept = await cards.parties.merchants.apps.find(keys.app_id)
    merchant = kept.app.merchant
    screen = keys_screen(
        keys, merchant.merchant_no, kept.name, chat.actor.language, merchant.day_cut.zone
    )
    await show_secret(bot, chat, screen)
    await chat.post(await cards.app(kept))
