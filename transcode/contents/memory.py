"""Contents in memory: the same decisions without an engine, for tests."""

from collections.abc import AsyncIterator

from transcode.contents.port import ContentRow


class MemoryContents:
    """`transcode.contents.port.ContentStore` in dictionaries."""

    def __init__(self) -> None:
        self.rows: dict[str, ContentRow] = {}
        self.held: dict[str, set[int]] = {}

    async def get(self, digest: str) -> ContentRow | None:
        return self.rows.get(digest)

    async def holds(self, digest: str, holder: int) -> bool:
        return holder in self.held.get(digest, ())

    async def create(self, row: ContentRow) -> bool:
        return self.rows.setdefault(row.digest, row) is row

    async def change(
        self, before: ContentRow, after: ContentRow, *, takes: int | None = None, leaves: int | None = None
    ) -> bool:
        if not self._is_as(before):
            return False
        self.rows[before.digest] = after
        holders = self.held.setdefault(before.digest, set())
        if takes is not None:
            holders.add(takes)
        if leaves is not None:
            holders.discard(leaves)
        return True

    async def remove(self, row: ContentRow) -> bool:
        if not self._is_as(row):
            return False
        del self.rows[row.digest]
        return True

    async def digests(self) -> AsyncIterator[list[str]]:
        yield list(self.rows)

    def _is_as(self, row: ContentRow) -> bool:
        held = self.rows.get(row.digest)
        return held is not None and held.version == row.version
