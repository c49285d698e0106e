"""How far the worker has followed the chain, and how much of that the store knows."""

from oracle.model import Cursor

UNSTORED_BLOCKS, UNSTORED_S = 100, 1.0
"""The cursor in the store is at most so many empty blocks, and about so long, behind."""


class Progress:
    """The last block taken in. Empty blocks are many, and reading them again costs little: the store's cursor follows from time to time."""

    def __init__(self) -> None:
        self.cursor: Cursor | None = None
        self._stored: Cursor | None = None
        self._stored_s = 0.0

    @property
    def height(self) -> int:
        """Of the last block taken in; 0 before the first."""
        return 0 if self.cursor is None else self.cursor.height

    @property
    def unstored(self) -> Cursor | None:
        """The cursor, where the store has an older one."""
        return None if self.cursor == self._stored else self.cursor

    def resume(self, cursor: Cursor | None) -> None:
        """Begin where the store says."""
        self.cursor = self._stored = cursor

    def is_due(self, cursor: Cursor, now_s: float) -> bool:
        """Whether the store is to hear of this block although nothing happened in it."""
        stored = self._stored
        return stored is None or cursor.height - stored.height >= UNSTORED_BLOCKS or now_s - self._stored_s >= UNSTORED_S

    def was_stored(self, cursor: Cursor, now_s: float) -> None:
        """The store has the block."""
        self._stored, self._stored_s = cursor, now_s
