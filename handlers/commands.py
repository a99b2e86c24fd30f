"""The commands of all topics, and the one parser over them."""

from __future__ import annotations

from typing import Final

from handlers.kit.commands import CommandTable
from handlers.kit.parser import Parser
from handlers.topics import TOPICS

COMMANDS: Final = CommandTable(command for topic in TOPICS for command in topic.commands)
PARSER: Final = Parser(COMMANDS, [topic.hears for topic in TOPICS if topic.hears is not None])

parse = PARSER.parse
