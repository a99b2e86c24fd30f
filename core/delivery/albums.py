"""Albums: pictures and files that belong together, though they come message by message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from core.kernel.clock import Clock
from core.system.store import Store

# As Telegram has them.
MAX_PIECES: Final = 10
_KEPT: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Piece:
    """A message of an album. album: Telegram's name of it. kind: photo, video and so on, as the Bot
    API calls it. file_id: Telegram's. words: under it, as Telegram's HTML; empty where they are
    kept by nobody."""

    chat_id: int
    message_id: int
    album: str
    kind: str
    file_id: str
    words: str = ""


class Albums:
    """Knows which messages belong together, for some days."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def note(self, piece: Piece) -> None:
        """A message came that is one of an album. Once, however often it is delivered."""
        await self._store.execute(
            "INSERT INTO album_piece (chat_id, message_id, album, kind, file_id, words, at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            piece.chat_id,
            piece.message_id,
            piece.album,
            piece.kind,
            piece.file_id,
            piece.words,
            self._clock.now(),
        )

    async def pieces(self, chat_id: int, album: str) -> tuple[Piece, ...]:
        """All that came of an album so far, in its order."""
        found = await self._store.fetch(
            "SELECT chat_id, message_id, album, kind, file_id, words FROM album_piece"
            " WHERE chat_id = $1 AND album = $2 ORDER BY message_id LIMIT $3",
            chat_id,
            album,
            MAX_PIECES,
        )
        return tuple(Piece(*row) for row in found)

    async def forget_old(self) -> int:
        """Drop what came days ago; how many messages."""
        return await self._store.execute(
            "DELETE FROM album_piece WHERE at < $1", self._clock.now() - _KEPT
        )
