"""Claiming a user name: by lightweight transaction, and so that a crash half-way loses the name for nobody.

A name is reserved with the account's id, the id of its first event, and the password's hash. Until the log acknowledged
that event, whoever knows the password finishes the same sign-up: the same account, the same logical event. If nobody
does, the name falls free once no retry can append the event any more (a reservation's life has passed) and no account
came of it.
"""

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from gateway.services import Services
from gateway.vault.port import UsernameRow
from photolog.errors import Conflict, Invalid
from photolog.ids import new_event_id
from photolog.settings import key_bytes
from photolog.text import USERNAME_FORM
from projections.accounts import ACCOUNTS

_SLACK_MS = 3_600_000  # clocks of gateways differ, and a command under way ends


@dataclass(frozen=True, slots=True)
class Claim:
    """A name that is the caller's, with what its account begins with."""

    username: str
    account_id: int
    event_id: UUID
    password_hash: str


def folded_username(text: str) -> str:
    """The form in which a name is unique.

    Raises:
        Invalid: it is no user name.
    """
    folded = text.lower() if text.isascii() else text
    if not USERNAME_FORM.fullmatch(folded):
        raise Invalid(
            "invalid-username",
            "a user name is 3 to 30 of a-z, 0-9 and underscore, with single dots inside",
            "username",
        )
    return folded


async def claim_username(services: Services, username: str, password: str) -> Claim:
    """Reserve a name for a new account, or take up the caller's own unfinished reservation of it.

    Raises:
        Conflict: the name is somebody else's, or was an erased account's until lately.
    """
    name_hash = resting_hash(key_bytes(services.settings.secrets.hash_key), username)
    if await services.vault.usernames.resting(name_hash):
        raise _taken()
    password_hash = await services.passwords.hash(password)
    row = UsernameRow(
        username=username,
        account_id=services.ids.next(),
        state="reserved",
        event_id=new_event_id(),
        reserved_ms=services.clock_ms(),
        password_hash=password_hash,
    )
    standing = await services.vault.usernames.reserve(row)
    if standing.account_id == row.account_id:
        # An erasure lets a name rest before it releases it: whoever got it just now sees that.
        if await services.vault.usernames.resting(name_hash):
            await services.vault.usernames.release(username, row.account_id)
            raise _taken()
        return Claim(username, row.account_id, row.event_id, password_hash)
    if standing.state == "reserved" and not await _exists(services, standing.account_id):
        kept = standing.password_hash
        if kept is not None and await services.passwords.verify(kept, password):
            return Claim(username, standing.account_id, standing.event_id, kept)
        if _abandoned(services, standing) and await services.vault.usernames.take_over(row, standing.account_id):
            return Claim(username, row.account_id, row.event_id, password_hash)
    raise _taken()


def resting_hash(key: bytes, username: str) -> bytes:
    """What is kept of an erased account's user name, so that it rests without being known."""
    return hmac.digest(key, b"resting-username\n" + username.encode(), hashlib.sha256)


async def mark_taken(services: Services, claim: Claim) -> None:
    """The account exists: its name is possessed from now on. A crash before this changes nothing (`_exists`)."""
    await services.vault.usernames.take(claim.username, claim.account_id)


def _taken() -> Conflict:
    return Conflict("username-taken", "this user name is taken", "username")


def _abandoned(services: Services, row: UsernameRow) -> bool:
    life_ms = services.settings.limits.reservation_seconds * 1000 + _SLACK_MS
    return row.reserved_ms + life_ms < services.clock_ms()


async def _exists(services: Services, account_id: int) -> bool:
    return await services.rows.get(ACCOUNTS.key(account_id)) is not None
