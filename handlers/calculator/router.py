"""Sums, answered in the chat."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import Message

from handlers.calculator.screens import SumFaultNotice, SumNotice
from handlers.calculator.words import Calculate, SumFault
from handlers.kit.chat import Chat
from handlers.kit.context import Wants


def add_routes(routes: Router) -> None:
    """How much is that?"""
    routes.message.register(calculate, Wants(Calculate))
    routes.message.register(fault, Wants(SumFault))


async def calculate(_: Message, chat: Chat, intent: Calculate) -> None:
    """The result, for everybody."""
    await chat.say(SumNotice(intent.text, f"{intent.value:f}", intent.exact))


async def fault(_: Message, chat: Chat, intent: SumFault) -> None:
    """What is wrong with it, for who wrote it."""
    await chat.refuse(SumFaultNotice(intent.text, intent.why, intent.at), alone=True)
