"""Inline keyboards as Telegram accepts them."""

from __future__ import annotations

import re
from typing import Any

from sandbox.telegram.errors import bad_request
from sandbox.telegram.model import Chat, Json

BUTTONS_MAX = 100
STYLES = frozenset({"danger", "primary", "success"})
ACTIONS_TEXT = (
    "callback_data url copy_text disabled web_app login_url switch_inline_query"
    " switch_inline_query_current_chat switch_inline_query_chosen_chat callback_game pay"
)
ACTIONS = frozenset(ACTIONS_TEXT.split())
URL = re.compile(r"(https?|tg)://[^\s/]+\S*", re.IGNORECASE)


def read_markup(params: Json, chat: Chat) -> Json:
    """`{"reply_markup": {...}}` for a message's body; empty when there is no inline keyboard.

    Custom keyboards of the other kinds are accepted and, as in Telegram, not part of a message.
    """
    markup = params.get("reply_markup")
    if not markup or "inline_keyboard" not in markup:
        return {}
    rows = [row for row in markup["inline_keyboard"] if row]
    if sum(len(row) for row in rows) > BUTTONS_MAX:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    check_buttons(rows, chat)
    return {"reply_markup": {"inline_keyboard": rows}} if rows else {}


def check_buttons(rows: list[list[Json]], chat: Chat) -> None:
    """400 for a button Telegram would refuse in this chat."""
    for row in rows:
        for button in row:
            _check(button, chat)


def _check(button: Json, chat: Chat) -> None:
    text: Any = button["text"]
    actions = ACTIONS & button.keys()
    if isinstance(text, str) and not text.strip():
        raise bad_request('can\'t parse inline keyboard button: Field "text" must be non-empty')
    if len(actions) != 1:
        why = "Text buttons are unallowed in the inline keyboard"
        if actions:
            why = f"a button must have exactly one of {', '.join(sorted(actions))}"
        raise bad_request(f"can't parse inline keyboard button: {why}")
    if "web_app" in actions and chat.type != "private":
        raise bad_request("BUTTON_TYPE_INVALID")
    if "url" in button and not URL.fullmatch(button["url"]):
        raise bad_request(
            f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL"
        )
    if button.get("style", "primary") not in STYLES:
        raise bad_request("BUTTON_STYLE_INVALID")
