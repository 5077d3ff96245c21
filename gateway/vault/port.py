"""The vault: what lives outside the log, small, listed and backed up. Adapters: Cassandra's beside this, memory.

Every write that decides something is a lightweight transaction; a row that one writes is written by nothing else.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

import msgspec

from photolog.log.record import EncodedRecord
from schemas.events import Purpose


class UsernameRow(msgspec.Struct, frozen=True, kw_only=True):
    """A user name and the account that has it, or is about to.

    Args:
        state: `reserved` until the log acknowledged the account's creation, then `taken`.
        event_id: of that creation, so that whoever finishes it appends the same logical event.
        password_hash: only while reserved: who knows the password may finish the sign-up.
    """

    username: str
    account_id: int
    state: Literal["reserved", "taken"]
    event_id: UUID
    reserved_ms: int
    password_hash: str | None = None


class CredentialRow(msgspec.Struct, frozen=True, kw_only=True):
    """An account's password; `version` counts its changes."""

    account_id: int
    username: str
    password_hash: str
    version: int


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A family of refresh tokens: one log-in on one device. It is alive as long as its row is there.

    Args:
        refresh_hash: keyed hash of the one refresh token that is good.
        previous_hash: of the one before it.
        rotation_key: keyed hash of the Idempotency-Key of the last rotation, so that its retry gets its token again.
    """

    account_id: int
    session_id: int
    created_ms: int
    last_used_ms: int
    user_agent: str
    refresh_hash: bytes
    previous_hash: bytes | None = None
    rotation_key: bytes | None = None


class ReservationRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a command under an Idempotency-Key decided: the bytes to append and the answer to give.

    Args:
        body_hash: keyed hash of method, path and body.
        records: to be appended, again by each retry.
        status: of the answer.
        answer: its JSON, empty for none.
        wait_for: projections that must have applied the records first.
    """

    body_hash: bytes
    records: tuple[EncodedRecord, ...]
    status: int
    answer: bytes
    wait_for: tuple[str, ...] = ()


class UploadRow(msgspec.Struct, frozen=True, kw_only=True):
    """An upload: the photograph's id, who sends it, and how far it is.

    Args:
        client_upload_id: the client's own name for it; the same one gives the same upload.
        upload_id: S3's id of the multipart upload; empty until it is known.
        state: `open` until its parts are joined; `completed` once its transcoding is requested; `aborted`.
        purpose: what it is for.
        sha256: the digest that the whole file was said to have, in hexadecimal digits; None where nothing was said.
    """

    media_id: int
    owner_id: int
    client_upload_id: str | None
    upload_id: str
    object_key: str
    content_type: str
    size_bytes: int
    state: Literal["open", "completed", "aborted"]
    created_ms: int
    purpose: Purpose = "post"
    sha256: str | None = None


class ErasureRow(msgspec.Struct, frozen=True, kw_only=True):
    """That an account is erased, for ever, and how far its erasure is. No row, no erasure.

    Args:
        step: what is to be done next, of those that leaving/erasure.py names; `finished` at the end.
        version: counts the row's changes.
        requested_ms: when the owner asked for it.
        step_ms: when the step began, by the clock of the worker that began it.
        removed: how much was removed, by place.
        positions: (topic, partition, offset) that every read model must have passed before the step; once it is
            finished, where the last deletion events landed.
        finished_ms: when it was verified.
        receipt: what was done, signed (photolog/receipts.py); there once it is finished.
    """

    account_id: int
    step: str = "hide"
    version: int = 0
    requested_ms: int
    step_ms: int
    removed: dict[str, int] = {}
    positions: tuple[tuple[str, int, int], ...] = ()
    finished_ms: int | None = None
    receipt: str | None = None


class ExportRow(msgspec.Struct, frozen=True, kw_only=True):
    """An account's export of its data, on its way or ready, until it expires.

    Args:
        version: counts the row's changes.
        requested_ms: when it was asked for.
        claimed_ms: until when a worker has it; another may take it then.
        finished_ms: when it was ready; None before.
        size_bytes: of the archive.
    """

    account_id: int
    export_id: int
    version: int = 0
    requested_ms: int
    claimed_ms: int = 0
    finished_ms: int | None = None
    size_bytes: int = 0

    @property
    def object_key(self) -> str:
        """Where the archive is in the bucket."""
        return f"exports/{self.account_id}/{self.export_id}.zip"


class GrantRow(msgspec.Struct, frozen=True, kw_only=True):
    """What an analyst may subscribe to, and until when. The token itself is nowhere: its digest tells it from others.

    Args:
        grant_id: as the token names it.
        name: who has it, for operators.
        types: names of event types.
        sample_max: the largest share of the events.
        token_digest: of the one token that is good.
        revoked_ms: since when it is no good any more.
    """

    grant_id: str
    name: str
    types: tuple[str, ...]
    sample_max: float
    token_digest: bytes
    created_ms: int
    expires_ms: int
    revoked_ms: int | None = None


class Usernames(Protocol):
    """User names. Names are given in their folded form."""

    async def get(self, username: str) -> UsernameRow | None:
        """Who has the name; sees every finished reservation."""

    async def reserve(self, row: UsernameRow) -> UsernameRow:
        """Reserve a free name. Returns the row that stands, ours or the one that was there."""

    async def take_over(self, row: UsernameRow, from_account_id: int) -> bool:
        """Replace a reservation that another account left behind; False where it changed meanwhile."""

    async def take(self, username: str, account_id: int) -> bool:
        """Turn the account's reservation into possession; False where the reservation is not its."""

    async def release(self, username: str, account_id: int) -> bool:
        """Forget a name and whose it was; False where it is not the account's."""

    async def rest(self, name_hash: bytes) -> None:
        """Keep a name, known by its keyed hash alone, from being claimed for a while."""

    async def resting(self, name_hash: bytes) -> bool:
        """Whether the name of this hash may not be claimed yet."""

    def of(self, account_id: int) -> AsyncIterator[str]:
        """Every name of an account. Reads all names: for checks, not for requests."""


class Credentials(Protocol):
    """Passwords by account."""

    async def get(self, account_id: int) -> CredentialRow | None: ...

    async def create(self, row: CredentialRow) -> None:
        """Store a new account's password; one that is there stays."""

    async def replace(self, row: CredentialRow, from_version: int) -> bool:
        """Store another hash; False where the version is not `from_version` any more."""

    async def remove(self, account_id: int) -> None:
        """Forget an account's password and user name."""


class Sessions(Protocol):
    """Sessions by account."""

    async def create(self, row: SessionRow) -> None: ...

    async def get(self, account_id: int, session_id: int) -> SessionRow | None: ...

    async def rotate(self, row: SessionRow, from_hash: bytes) -> bool:
        """Store the row if the session is alive and its good token is the one of `from_hash`."""

    async def revoke(self, account_id: int, session_id: int) -> bool:
        """End a session for good; False where there is none."""

    async def listed(self, account_id: int) -> list[SessionRow]:
        """The account's sessions, newest first; log-in bounds how many there are."""


class Reservations(Protocol):
    """Commands under an Idempotency-Key, for a reservation's life."""

    async def get(self, scope: str, key: str) -> ReservationRow | None: ...

    async def reserve(self, scope: str, key: str, row: ReservationRow) -> ReservationRow:
        """Store a command's outcome. Returns the one that stands, ours or the winner's."""

    def keys_of(self, scope: str) -> AsyncIterator[str]:
        """Every key of a scope. Reads all that is reserved: for erasures and checks, not for requests."""

    async def remove(self, scope: str, key: str) -> None:
        """Forget a command."""


class Uploads(Protocol):
    """Uploads, until some days after they were begun."""

    async def get(self, media_id: int) -> UploadRow | None: ...

    async def create(self, row: UploadRow) -> UploadRow:
        """Begin an upload. Returns the row that stands: an earlier one of the same owner and client_upload_id."""

    async def move(self, media_id: int, from_state: str, to_state: str) -> bool:
        """Change the state; False where it is not `from_state`."""

    async def attach(self, media_id: int, upload_id: str, instead_of: str = "") -> bool:
        """Note S3's id of the multipart upload, the first one or another; False where that was done before."""

    def of(self, owner_id: int) -> AsyncIterator[UploadRow]:
        """Every upload of an owner. Reads all uploads: for erasures, exports and checks, not for requests."""

    async def remove(self, row: UploadRow) -> None:
        """Forget an upload and its name."""


class Erasures(Protocol):
    """Erasures by account: the marker that every command looks for, and the progress of the work behind it."""

    async def begin(self, row: ErasureRow) -> ErasureRow:
        """Mark an account as erased, for ever. Returns the row that stands, ours or the one that was there."""

    async def get(self, account_id: int) -> ErasureRow | None:
        """The account's erasure; sees every finished `begin`."""

    async def move(self, row: ErasureRow) -> bool:
        """Store the next version of a row; False where another worker did."""

    async def unfinished(self) -> list[int]:
        """Accounts whose erasure is not finished."""

    async def close(self, account_id: int) -> None:
        """List a finished erasure no more."""


class Exports(Protocol):
    """Exports by account; an account has one at a time."""

    async def begin(self, row: ExportRow) -> ExportRow:
        """Ask for an export. Returns the row that stands, ours or the one that was there."""

    async def get(self, account_id: int) -> ExportRow | None:
        """The account's export."""

    async def move(self, row: ExportRow) -> bool:
        """Store the next version of a row; False where another worker did, or it is gone."""

    async def all(self) -> list[int]:
        """Accounts that have an export, in whatever state."""

    async def remove(self, account_id: int) -> None:
        """Forget the account's export."""


class Grants(Protocol):
    """Grants of analysts. They are few, and stay listed when they are over."""

    async def create(self, row: GrantRow) -> bool:
        """Store a new grant; False where its id is taken."""

    async def get(self, grant_id: str) -> GrantRow | None:
        """The grant; sees every finished revocation."""

    async def revoke(self, grant_id: str, at_ms: int) -> bool:
        """End a grant for good, at the first time that was given; False where there is none."""

    async def listed(self) -> list[GrantRow]:
        """All grants, in no order."""


@dataclass(frozen=True, slots=True)
class Vault:
    """All of it."""

    usernames: Usernames
    credentials: Credentials
    sessions: Sessions
    reservations: Reservations
    uploads: Uploads
    erasures: Erasures
    exports: Exports
    grants: Grants
