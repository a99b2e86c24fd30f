"""The client of the Bot API: answers are read without building types anew for each call.

aiogram reads an answer as `Response[Message]`, a type that pydantic makes when it is asked for and
forgets when nobody holds it: a tenth of a second of a processor, again and again. Here the envelope
is read by itself, and what is in it by the type that is there anyway.
"""

from __future__ import annotations

from functools import cache
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import ClientDecodeError
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType
from pydantic import TypeAdapter, ValidationError

# An answer that comes late is better than none: where there is none, nobody knows what is out.
TELEGRAM_TIMEOUT_S: Final = 30.0
_ENVELOPE: Final = Response[Any]  # held, so that it is made once


class Session(AiohttpSession):
    """Reads answers as aiogram does, but for the types."""

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        kind = getattr(method, "__returning__", Any)
        bare = method.model_copy()
        object.__setattr__(bare, "__returning__", Any)
        said = super().check_response(bot, bare, status_code, content)
        try:
            result = _read(kind, said.result, {"bot": bot})
        except ValidationError as error:
            raise ClientDecodeError("the answer cannot be read", error, content) from error
        return said.model_copy(update={"result": result})


def telegram_bot(token: str, api_base: str) -> Bot:
    """The desk's client of the Bot API at this address."""
    session = Session(api=TelegramAPIServer.from_base(api_base), timeout=TELEGRAM_TIMEOUT_S)
    return Bot(token, session=session, default=DefaultBotProperties(parse_mode="HTML"))


def _read(kind: Any, result: Any, context: dict[str, Any]) -> Any:
    """What a method answers, as its type. Edits answer a message, or only that it is done."""
    if get_origin(kind) in (Union, UnionType) and bool in get_args(kind):
        if isinstance(result, bool):
            return result
        (kind,) = (one for one in get_args(kind) if one is not bool)
    return _adapter(kind).validate_python(result, context=context)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
