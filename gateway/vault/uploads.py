"""Uploads in Cassandra, each for some days after it was begun."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from gateway.vault.port import UploadRow
from photolog.engines.cassandra_session import CassandraSession

UPLOADS_COLUMNS = {
    "media_id": "bigint PRIMARY KEY",
    "owner_id": "bigint",
    "client_upload_id": "text",
    "upload_id": "text",
    "object_key": "text",
    "content_type": "text",
    "size_bytes": "bigint",
    "state": "text",
    "created_ms": "bigint",
    "purpose": "text",
    "sha256": "text",
}
UPLOADS_DDL = (
    f"CREATE TABLE IF NOT EXISTS uploads ({', '.join(f'{name} {kind}' for name, kind in UPLOADS_COLUMNS.items())})",
    """
CREATE TABLE IF NOT EXISTS upload_names (
    owner_id bigint,
    client_upload_id text,
    media_id bigint,
    PRIMARY KEY ((owner_id, client_upload_id))
)""",
)
UPLOAD_SECONDS = 7 * 86_400
_FIELDS = tuple(field.name for field in msgspec.structs.fields(UploadRow))
_CREATE = (
    f"INSERT INTO uploads ({', '.join(_FIELDS)}) VALUES ({', '.join('?' * len(_FIELDS))}) IF NOT EXISTS USING TTL ?"
)
_NAME = "INSERT INTO upload_names (owner_id, client_upload_id, media_id) VALUES (?, ?, ?) IF NOT EXISTS USING TTL ?"
_GET = f"SELECT {', '.join(_FIELDS)} FROM uploads WHERE media_id = ?"
_MOVE = "UPDATE uploads USING TTL ? SET state = ? WHERE media_id = ? IF state = ?"
_ATTACH = "UPDATE uploads USING TTL ? SET upload_id = ? WHERE media_id = ? IF upload_id = ?"
_ALL = f"SELECT {', '.join(_FIELDS)} FROM uploads"
_REMOVE = "DELETE FROM uploads WHERE media_id = ? IF EXISTS"
_UNNAME = "DELETE FROM upload_names WHERE owner_id = ? AND client_upload_id = ? IF EXISTS"


class CassandraUploads:
    """`gateway.vault.port.Uploads` in Cassandra."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def get(self, media_id: int) -> UploadRow | None:
        rows = await self._session.execute(_GET, (media_id,))
        # A changed column outlives the rest by what the change came later; the row is gone with its owner.
        return _row(rows[0]) if rows and rows[0].owner_id is not None else None

    async def create(self, row: UploadRow) -> UploadRow:
        """The row comes before its name: whoever loses the name finds the winner's row."""
        values = (*(getattr(row, field) for field in _FIELDS), UPLOAD_SECONDS)
        await self._session.execute(_CREATE, values, idempotent=False)
        if row.client_upload_id is None:
            return row
        named = (row.owner_id, row.client_upload_id, row.media_id, UPLOAD_SECONDS)
        answer = (await self._session.execute(_NAME, named, idempotent=False))[0]
        if answer.applied or answer.media_id == row.media_id:
            return row
        return await self.get(answer.media_id) or row

    async def move(self, media_id: int, from_state: str, to_state: str) -> bool:
        values = (UPLOAD_SECONDS, to_state, media_id, from_state)
        return bool((await self._session.execute(_MOVE, values, idempotent=False))[0].applied)

    async def attach(self, media_id: int, upload_id: str, instead_of: str = "") -> bool:
        values = (UPLOAD_SECONDS, upload_id, media_id, instead_of)
        return bool((await self._session.execute(_ATTACH, values, idempotent=False))[0].applied)

    async def of(self, owner_id: int) -> AsyncIterator[UploadRow]:
        async for page in self._session.pages(_ALL):
            for found in page:
                if found.owner_id == owner_id:
                    yield _row(found)

    async def remove(self, row: UploadRow) -> None:
        if row.client_upload_id is not None:
            await self._session.execute(_UNNAME, (row.owner_id, row.client_upload_id), idempotent=False)
        await self._session.execute(_REMOVE, (row.media_id,), idempotent=False)


def _row(found: Any) -> UploadRow:
    values = {field: getattr(found, field) for field in _FIELDS}
    if values["purpose"] is None:
        del values["purpose"]  # it was begun before there was more than one
    return msgspec.convert(values, UploadRow)
