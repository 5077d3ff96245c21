"""Contents in Cassandra: a partition for each digest, in which a content and its holders change together.

The content itself is the row of holder 0, which nobody is. Every write is a lightweight transaction on that row's
version, so that two that mean to change it cannot both.
"""

from collections.abc import AsyncIterator

import msgspec

from photolog.engines.cassandra_session import CassandraSession
from transcode.contents.port import Content, ContentRow

CONTENTS_DDL = (
    """
CREATE TABLE IF NOT EXISTS contents (
    digest text,
    holder bigint,
    content_id bigint,
    state text,
    renewed_ms bigint,
    version bigint,
    holders int,
    content blob,
    PRIMARY KEY ((digest), holder)
)""",
)
_ITSELF = 0
_GET = (
    "SELECT content_id, state, renewed_ms, version, holders, content FROM contents "
    f"WHERE digest = ? AND holder = {_ITSELF}"
)
_HOLDS = "SELECT holder FROM contents WHERE digest = ? AND holder = ?"
_CREATE = (
    "INSERT INTO contents (digest, holder, content_id, state, renewed_ms, version, holders, content) "
    f"VALUES (?, {_ITSELF}, ?, ?, ?, ?, ?, ?) IF NOT EXISTS"
)
_CHANGE = (
    "UPDATE contents SET content_id = ?, state = ?, renewed_ms = ?, version = ?, holders = ?, content = ? "
    f"WHERE digest = ? AND holder = {_ITSELF} IF version = ?"
)
_TAKE = f"BEGIN BATCH {_CHANGE}; INSERT INTO contents (digest, holder) VALUES (?, ?); APPLY BATCH"
_LEAVE = f"BEGIN BATCH {_CHANGE}; DELETE FROM contents WHERE digest = ? AND holder = ?; APPLY BATCH"
_REMOVE = f"DELETE FROM contents WHERE digest = ? AND holder = {_ITSELF} IF version = ?"
_DIGESTS = "SELECT DISTINCT digest FROM contents"
_decode = msgspec.msgpack.Decoder(Content).decode


class CassandraContents:
    """`transcode.contents.port.ContentStore` in Cassandra."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def get(self, digest: str) -> ContentRow | None:
        rows = await self._session.execute(_GET, (digest,), serial=True)
        if not rows:
            return None
        found = rows[0]
        return ContentRow(
            digest=digest,
            content_id=found.content_id,
            state=found.state,
            renewed_ms=found.renewed_ms,
            version=found.version,
            holders=found.holders,
            content=None if found.content is None else _decode(found.content),
        )

    async def holds(self, digest: str, holder: int) -> bool:
        return bool(await self._session.execute(_HOLDS, (digest, holder), serial=True))

    async def create(self, row: ContentRow) -> bool:
        return await self._decided(_CREATE, (row.digest, *_values(row)))

    async def change(
        self, before: ContentRow, after: ContentRow, *, takes: int | None = None, leaves: int | None = None
    ) -> bool:
        change = (*_values(after), before.digest, before.version)
        if takes is not None:
            return await self._decided(_TAKE, (*change, before.digest, takes))
        if leaves is not None:
            return await self._decided(_LEAVE, (*change, before.digest, leaves))
        return await self._decided(_CHANGE, change)

    async def remove(self, row: ContentRow) -> bool:
        return await self._decided(_REMOVE, (row.digest, row.version))

    async def digests(self) -> AsyncIterator[list[str]]:
        async for page in self._session.pages(_DIGESTS):
            yield [row.digest for row in page]

    async def _decided(self, statement: str, values: tuple[object, ...]) -> bool:
        return bool((await self._session.execute(statement, values, idempotent=False))[0].applied)


def _values(row: ContentRow) -> tuple[object, ...]:
    content = None if row.content is None else msgspec.msgpack.encode(row.content)
    return (row.content_id, row.state, row.renewed_ms, row.version, row.holders, content)
