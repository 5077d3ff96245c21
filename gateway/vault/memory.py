"""The vault in memory: the same decisions without an engine, for tests."""

from collections.abc import AsyncIterator

import msgspec

from gateway.vault.port import (
    CredentialRow,
    ErasureRow,
    ExportRow,
    GrantRow,
    ReservationRow,
    SessionRow,
    UploadRow,
    UsernameRow,
    Vault,
)


class MemoryUsernames:
    """`gateway.vault.port.Usernames` in a dictionary; nothing expires."""

    def __init__(self) -> None:
        self._rows: dict[str, UsernameRow] = {}
        self._resting: set[bytes] = set()

    async def get(self, username: str) -> UsernameRow | None:
        return self._rows.get(username)

    async def reserve(self, row: UsernameRow) -> UsernameRow:
        return self._rows.setdefault(row.username, row)

    async def take_over(self, row: UsernameRow, from_account_id: int) -> bool:
        held = self._rows.get(row.username)
        if held is None or held.state != "reserved" or held.account_id != from_account_id:
            return False
        self._rows[row.username] = row
        return True

    async def take(self, username: str, account_id: int) -> bool:
        held = self._rows.get(username)
        if held is None or held.account_id != account_id:
            return False
        self._rows[username] = msgspec.structs.replace(held, state="taken", password_hash=None)
        return True

    async def release(self, username: str, account_id: int) -> bool:
        held = self._rows.get(username)
        if held is None or held.account_id != account_id:
            return False
        del self._rows[username]
        return True

    async def rest(self, name_hash: bytes) -> None:
        self._resting.add(name_hash)

    async def resting(self, name_hash: bytes) -> bool:
        return name_hash in self._resting

    async def of(self, account_id: int) -> AsyncIterator[str]:
        for row in list(self._rows.values()):
            if row.account_id == account_id:
                yield row.username


class MemoryCredentials:
    """`gateway.vault.port.Credentials` in a dictionary."""

    def __init__(self) -> None:
        self._rows: dict[int, CredentialRow] = {}

    async def get(self, account_id: int) -> CredentialRow | None:
        return self._rows.get(account_id)

    async def create(self, row: CredentialRow) -> None:
        self._rows.setdefault(row.account_id, row)

    async def replace(self, row: CredentialRow, from_version: int) -> bool:
        held = self._rows.get(row.account_id)
        if held is None or held.version != from_version:
            return False
        self._rows[row.account_id] = row
        return True

    async def remove(self, account_id: int) -> None:
        self._rows.pop(account_id, None)


class MemorySessions:
    """`gateway.vault.port.Sessions` in a dictionary."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, int], SessionRow] = {}

    async def create(self, row: SessionRow) -> None:
        self._rows.setdefault((row.account_id, row.session_id), row)

    async def get(self, account_id: int, session_id: int) -> SessionRow | None:
        return self._rows.get((account_id, session_id))

    async def rotate(self, row: SessionRow, from_hash: bytes) -> bool:
        held = self._rows.get((row.account_id, row.session_id))
        if held is None or held.refresh_hash != from_hash:
            return False
        self._rows[row.account_id, row.session_id] = row
        return True

    async def revoke(self, account_id: int, session_id: int) -> bool:
        return self._rows.pop((account_id, session_id), None) is not None

    async def listed(self, account_id: int) -> list[SessionRow]:
        own = [row for row in self._rows.values() if row.account_id == account_id]
        return sorted(own, key=lambda row: -row.session_id)


class MemoryReservations:
    """`gateway.vault.port.Reservations` in a dictionary; nothing expires."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], ReservationRow] = {}

    async def get(self, scope: str, key: str) -> ReservationRow | None:
        return self._rows.get((scope, key))

    async def reserve(self, scope: str, key: str, row: ReservationRow) -> ReservationRow:
        return self._rows.setdefault((scope, key), row)

    async def keys_of(self, scope: str) -> AsyncIterator[str]:
        for held, key in list(self._rows):
            if held == scope:
                yield key

    async def remove(self, scope: str, key: str) -> None:
        self._rows.pop((scope, key), None)


class MemoryUploads:
    """`gateway.vault.port.Uploads` in a dictionary; nothing expires."""

    def __init__(self) -> None:
        self._rows: dict[int, UploadRow] = {}
        self._names: dict[tuple[int, str], int] = {}

    async def get(self, media_id: int) -> UploadRow | None:
        return self._rows.get(media_id)

    async def create(self, row: UploadRow) -> UploadRow:
        if row.client_upload_id is not None:
            named = self._names.setdefault((row.owner_id, row.client_upload_id), row.media_id)
            if named != row.media_id:
                return self._rows[named]
        return self._rows.setdefault(row.media_id, row)

    async def move(self, media_id: int, from_state: str, to_state: str) -> bool:
        held = self._rows.get(media_id)
        if held is None or held.state != from_state:
            return False
        self._rows[media_id] = msgspec.convert({**msgspec.structs.asdict(held), "state": to_state}, UploadRow)
        return True

    async def attach(self, media_id: int, upload_id: str, instead_of: str = "") -> bool:
        held = self._rows.get(media_id)
        if held is None or held.upload_id != instead_of:
            return False
        self._rows[media_id] = msgspec.structs.replace(held, upload_id=upload_id)
        return True

    async def of(self, owner_id: int) -> AsyncIterator[UploadRow]:
        for row in list(self._rows.values()):
            if row.owner_id == owner_id:
                yield row

    async def remove(self, row: UploadRow) -> None:
        self._rows.pop(row.media_id, None)
        if row.client_upload_id is not None:
            self._names.pop((row.owner_id, row.client_upload_id), None)


class MemoryErasures:
    """`gateway.vault.port.Erasures` in a dictionary."""

    def __init__(self) -> None:
        self._rows: dict[int, ErasureRow] = {}
        self._open: set[int] = set()

    async def begin(self, row: ErasureRow) -> ErasureRow:
        self._open.add(row.account_id)
        return self._rows.setdefault(row.account_id, row)

    async def get(self, account_id: int) -> ErasureRow | None:
        return self._rows.get(account_id)

    async def move(self, row: ErasureRow) -> bool:
        held = self._rows.get(row.account_id)
        if held is None or held.version != row.version - 1:
            return False
        self._rows[row.account_id] = row
        return True

    async def unfinished(self) -> list[int]:
        return sorted(self._open)

    async def close(self, account_id: int) -> None:
        self._open.discard(account_id)


class MemoryExports:
    """`gateway.vault.port.Exports` in a dictionary."""

    def __init__(self) -> None:
        self._rows: dict[int, ExportRow] = {}

    async def begin(self, row: ExportRow) -> ExportRow:
        return self._rows.setdefault(row.account_id, row)

    async def get(self, account_id: int) -> ExportRow | None:
        return self._rows.get(account_id)

    async def move(self, row: ExportRow) -> bool:
        held = self._rows.get(row.account_id)
        if held is None or held.version != row.version - 1:
            return False
        self._rows[row.account_id] = row
        return True

    async def all(self) -> list[int]:
        return sorted(self._rows)

    async def remove(self, account_id: int) -> None:
        self._rows.pop(account_id, None)


class MemoryGrants:
    """`gateway.vault.port.Grants` in a dictionary."""

    def __init__(self) -> None:
        self._rows: dict[str, GrantRow] = {}

    async def create(self, row: GrantRow) -> bool:
        return self._rows.setdefault(row.grant_id, row) is row

    async def get(self, grant_id: str) -> GrantRow | None:
        return self._rows.get(grant_id)

    async def revoke(self, grant_id: str, at_ms: int) -> bool:
        held = self._rows.get(grant_id)
        if held is not None and held.revoked_ms is None:
            self._rows[grant_id] = msgspec.structs.replace(held, revoked_ms=at_ms)
        return held is not None

    async def listed(self) -> list[GrantRow]:
        return list(self._rows.values())


def memory_vault() -> Vault:
    """An empty vault."""
    return Vault(
        MemoryUsernames(),
        MemoryCredentials(),
        MemorySessions(),
        MemoryReservations(),
        MemoryUploads(),
        MemoryErasures(),
        MemoryExports(),
        MemoryGrants(),
    )
