"""aiogram's types are built when they are first used, in whatever order that happens."""

from __future__ import annotations

import asyncio
import sys

from tests.demo import ROOT

# Runs in an interpreter of its own: what this process has used already would prove nothing.
_BUILD_ALL = """
import random, sys
import bot
import aiogram.methods, aiogram.types
from pydantic import BaseModel, ValidationError

kinds = sorted(
    {
        kind
        for package in (aiogram.types, aiogram.methods)
        for kind in vars(package).values()
        if isinstance(kind, type) and issubclass(kind, BaseModel)
        and kind is not aiogram.methods.TelegramMethod
    },
    key=lambda kind: (kind.__module__, kind.__name__),
)
assert len(kinds) > 400, len(kinds)
assert not aiogram.types.Update.__pydantic_complete__, "built at the import after all"
random.Random(int(sys.argv[1])).shuffle(kinds)
for kind in kinds:
    try:
        kind.model_validate({})
    except ValidationError:
        pass
    assert kind.__pydantic_complete__, kind
print("built", len(kinds))
"""
_VALIDATE = """
import bot
from aiogram.types import Message, Update

person = {"id": 1001, "is_bot": False, "first_name": "Ann"}
chat = {"id": -100, "type": "supergroup", "title": "Main"}
message = {
    "message_id": 7, "date": 1795000000, "chat": chat, "from": person, "text": "+1000",
    "entities": [{"type": "bold", "offset": 0, "length": 2}],
    "reply_to_message": {"message_id": 6, "date": 1795000000, "chat": chat, "text": "P1"},
    "photo": [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}],
}
update = Update.model_validate({"update_id": 1, "message": message})
assert isinstance(update.message.reply_to_message, Message)
assert update.message.from_user.first_name == "Ann"
pressed = {"id": "1", "from": person, "chat_instance": "x", "data": "d", "message": message}
update = Update.model_validate({"update_id": 2, "callback_query": pressed})
assert isinstance(update.callback_query.message, Message)
print("validated")
"""
_REBUILD_OTHERS = """
import bot
from pydantic import BaseModel, ConfigDict

def hidden():
    class Leaf(BaseModel):
        size: int
    return Leaf

class Tree(BaseModel):
    model_config = ConfigDict(defer_build=True)
    leaf: "Leaf"

assert Tree.model_rebuild(_types_namespace={"Leaf": hidden()}) is True
assert Tree.model_validate({"leaf": {"size": "3"}}).leaf.size == 3
assert Tree.model_rebuild() is None, "complete already"
assert Tree.model_rebuild(force=True, _types_namespace={"Leaf": hidden()}) is True
print("rebuilt")
"""


async def in_a_fresh_interpreter(program: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *arguments,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, faults = await process.communicate()
    assert process.returncode == 0, faults.decode()
    return out.decode().strip()


async def test_every_type_and_method_builds_at_its_first_use_in_any_order() -> None:
    said = await in_a_fresh_interpreter(_BUILD_ALL, "20261121")
    assert said.startswith("built ")


async def test_a_real_update_validates_first_of_all() -> None:
    assert await in_a_fresh_interpreter(_VALIDATE) == "validated"


async def test_models_of_others_are_rebuilt_as_ever() -> None:
    assert await in_a_fresh_interpreter(_REBUILD_OTHERS) == "rebuilt"
