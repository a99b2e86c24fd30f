"""An English chat holds no Chinese of ours: no sentence, no example, no command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from core.delivery.outbox import Say, Stored
from handlers.commands import COMMANDS, parse
from handlers.kit.intents import Mistake, Usage
from handlers.kit.screen import TEMPLATES, holds_chinese, in_language
from handlers.screens import render_card, render_say
from tests.codes import REFUSALS
from tests.handlers.addresses.examples import TRON
from tests.handlers.test_catalogue import LOCALES, catalogue
from tests.handlers.test_chinese import read
from tests.handlers.test_screens import ATTEMPT, CONTEXT, EXAMPLES, STATES, orders_of

CHINESE = re.compile(r"[\u3400-\u9fff]+")
# Names: of a language in itself, and of a product, which has one in Chinese.
NAMES = "中文 支付宝扫码"
# What is typed, which a screen chooses by its language: no facts of anybody's.
OURS = frozenset({"usage", "near", "typed"})
PAIR = re.compile(r'\b(?:say|entry)\("([^"]+)", "([^"]+)"\)')
SLASH = re.compile(r"(?<![\w:/.])(?<!· )/([a-z_]+)")
# What stands in the place of `%s`: numbers of a channel, a merchant, a broadcast and a person, and
# a product.
SAMPLES = ("C01", "M1001", "12", "123456789", "alipay_qr")


def facts_in(value: Any) -> Iterator[str]:
    """What people wrote in the facts of a screen."""
    match value:
        case dict():
            for name, inner in value.items():
                if name not in OURS:
                    yield name
                    yield from facts_in(inner)
        case list():
            for inner in value:
                yield from facts_in(inner)
        case str():
            yield value


def chinese_of_ours(text: str, facts: Any) -> set[str]:
    """What is Chinese in a text and in none of the facts."""
    told = " ".join([NAMES, *facts_in(facts)])
    return {run for run in CHINESE.findall(text) if run not in told}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_no_screen_speaks_chinese_in_english(name: str) -> None:
    for facts in EXAMPLES[name]:
        text = read(render_say(Say(Stored(name, facts)), "en"))
        assert chinese_of_ours(text, facts) == set(), text


def test_no_card_speaks_chinese_in_english() -> None:
    for state in STATES:
        for order in orders_of(state):
            plain = replace(order, merchant_order_no="SHOP-1", subject="tea")
            context = replace(CONTEXT, merchant_name="Northwind")
            card = render_card(plain, [replace(ATTEMPT, said="")], context, "en")
            assert not holds_chinese(read(card)), card.html


def test_no_english_sentence_holds_chinese() -> None:
    for path in sorted(LOCALES.glob("*.po")):
        for key, (english, _) in catalogue(path.name).items():
            assert not any(map(holds_chinese, english)), key
    for code, kind in REFUSALS.items():
        assert not holds_chinese(kind.text), code


def test_each_command_has_examples_in_both_languages() -> None:
    for command in COMMANDS.by_name.values():
        for usage in filter(None, (command.usage, command.suppliers_usage)):
            assert not any(map(holds_chinese, in_language(usage, "en"))), command.name
            if any(map(holds_chinese, command.forms)):
                spoken = in_language(usage, "zh")
                assert not any(one.startswith("/") for one in spoken), command.name


def test_a_chinese_sentence_names_the_chinese_form() -> None:
    """But for a list of commands, where both stand beside each other."""
    for path in sorted(LOCALES.glob("*.po")):
        for key, (_, chinese) in catalogue(path.name).items():
            for name in SLASH.findall(" ".join(chinese)):
                if name in COMMANDS.by_name:
                    forms = COMMANDS.named(name).forms
                    assert not any(map(holds_chinese, forms)), (key, name)


def pairs() -> Iterator[tuple[str, str]]:
    """(Chinese, English) of each thing that a template says to type, with samples in it."""
    for folder in TEMPLATES:
        for path in sorted(folder.glob("*.html")):
            for both in PAIR.findall(path.read_text(encoding="utf-8")):
                for spoken, slash in zip(*(text.split(" · ") for text in both), strict=True):
                    yield spoken.replace("T…", TRON), slash.replace("T…", TRON)


def test_what_is_typed_means_the_same_in_both_languages() -> None:
    found = list(pairs())
    assert len(found) > 60
    for spoken, slash in found:
        assert not holds_chinese(slash)
        if "%s" not in slash:
            one, other = parse(spoken), parse(slash)
            assert type(one) is type(other), (spoken, slash)
            if isinstance(one, Usage) and isinstance(other, Usage):
                assert one.command == other.command
            continue
        meant = [(parse(spoken % sample), parse(slash % sample)) for sample in SAMPLES]
        carried_out = [both for both in meant if not isinstance(both[1], Mistake)]
        assert carried_out, slash
        for one, other in carried_out:
            assert type(one) is type(other), (spoken, slash)
