"""Where a backup lies: files under names, each written whole or not at all."""

from collections.abc import AsyncIterator
from typing import Protocol


class Shelf(Protocol):
    """A folder or a part of a bucket (backup/shelves.py), or a dictionary in tests. Every call may raise
    StoreUnavailable."""

    @property
    def label(self) -> str:
        """What a person calls it."""

    async def put(self, name: str, data: bytes) -> None:
        """Write a file, or replace one; it is there for good when this returns."""

    async def get(self, name: str) -> bytes | None:
        """A whole file, None where there is none."""

    def names(self, prefix: str) -> AsyncIterator[list[str]]:
        """The names that begin with a prefix, which ends with a slash; some at a time, in no order."""

    async def delete(self, name: str) -> None:
        """Remove a file; nothing happens where it is gone."""
