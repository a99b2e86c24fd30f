from __future__ import annotations

import re
from typing import Any

import pytest

from sandbox.process import ConfigError, config_pages

DESK, SHOP = "http://127.0.0.1:1/", "https://shop.example/token/"


@pytest.mark.parametrize(
    ("pages", "found"),
    [
        ({}, {}),
        ({"shop": SHOP, "desk": DESK}, {"desk": DESK, "shop": SHOP}),
        ({"supplier": DESK}, {"supplier": DESK}),
    ],
)
def test_pages_are_read_in_their_order(pages: dict[str, str], found: dict[str, str]) -> None:
    assert list(config_pages({"pages": pages}).items()) == list(found.items())
    assert config_pages({}) == {}


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ([], "must be an object"),
        (None, "must be an object"),
        ({"bank": DESK}, "desk, chat, shop, supplier"),
        ({"desk": 1}, "pages.desk must be"),
        ({"desk": "javascript:alert(1)"}, "pages.desk must be"),
        ({"shop": ""}, "pages.shop must be"),
    ],
)
def test_pages_that_cannot_be_led_to_are_named(pages: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        config_pages({"pages": pages})
