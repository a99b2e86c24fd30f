"""Names that read alike: what a reader takes for the same is written the same. Pure.

After the skeletons of Unicode's report 39, for the letters of which names are made: letters of
other scripts that look like Latin ones, forms of compatibility, marks, and what nobody sees.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# Small letters, by what they look like; those of Cyrillic and Greek also as their capitals do.
_LIKE: Final = {
    "a": "аαɑ", "b": "вβьƅ", "c": "сϲ", "d": "ԁđ", "e": "еεҽ", "f": "ғ", "g": "ɡց", "h": "нһհ",
    "j": "јϳ", "k": "кκ", "l": "iı1|!іιΙӏł", "m": "м", "n": "ηпո", "o": "0оοσøօө", "p": "рρ",
    "q": "ԛգ", "r": "гᴦ", "s": "ѕꜱ", "t": "тτ", "u": "υսц", "v": "νѵ", "w": "ωԝшѡ", "x": "хχ",
    "y": "уγү", "z": "ζᴢ",
}  # fmt: skip
_TABLE: Final = str.maketrans({one: plain for plain, like in _LIKE.items() for one in like})
_TOGETHER: Final = (("rn", "m"), ("vv", "w"))
# Shorter ones are everybody's: a customer called Li is nobody else. Of Chinese characters two are a
# whole name.
_LETTERS: Final = 6
_CHARACTERS: Final = 2


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody as Telegram shows them. username: empty where there is none; None: they were never
    heard, and the name is what others call them."""

    user_id: int
    name: str
    username: str | None = ""


def skeleton(name: str) -> str:
    """What a name looks like: two with the same are taken for each other. Marks, blanks and signs
    are left out."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_TABLE)
    text = "".join(char for char in unicodedata.normalize("NFKD", plain) if char.isalnum())
    for letters, like in _TOGETHER:
        text = text.replace(letters, like)
    return text


def looks_like(somebody: Named, staff: Iterable[Named]) -> Named | None:
    """Whose name or username somebody goes by, as it reads; None for nobody's."""
    theirs = {one for text in (somebody.name, somebody.username) if (one := _telling(text))}
    for colleague in staff:
        if colleague.user_id == somebody.user_id:
            continue
        if theirs & {_telling(colleague.name), _telling(colleague.username)}:
            return colleague
    return None


def _telling(name: str | None) -> str:
    """The skeleton of a name that says who somebody is; empty for one that many have."""
    found = skeleton(name or "")
    characters = sum(unicodedata.category(char) == "Lo" for char in found)
    return found if characters >= _CHARACTERS or len(found) >= _LETTERS else ""
