"""Sessions: families of refresh tokens, of which one is good at a time.

A refresh token names its session and carries a random secret; a keyed tag shows that we made it, and the vault holds
its hash. Using the good one replaces it. Using an older one means that two hold the family: it ends (RFC 9700 §4.14.2).
A retry of a refresh under the same Idempotency-Key gets the token that it missed: a successor is derived from the
token and that key, never stored.
"""

import base64
import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass

from gateway.services import Services
from photolog.errors import Unauthenticated
from photolog.settings import key_bytes

_PLACE = struct.Struct(">qq")
_SECRET_BYTES = 32
_TAG_BYTES = 16
_TOKEN_BYTES = _PLACE.size + _SECRET_BYTES + _TAG_BYTES
REFRESH_CHARACTERS_MAX = 128


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A genuine refresh token."""

    account_id: int
    session_id: int
    secret: bytes


class RefreshTokens:
    """Makes and reads refresh tokens.

    Args:
        key: keys tags and hashes; the same on every gateway.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def new(self, account_id: int, session_id: int) -> RefreshToken:
        """The first token of a session."""
        return RefreshToken(account_id, session_id, secrets.token_bytes(_SECRET_BYTES))

    def successor(self, token: RefreshToken, idempotency_key: str | None) -> RefreshToken:
        """What replaces a token; the same for the same key, unguessable without one."""
        if idempotency_key is None:
            return self.new(token.account_id, token.session_id)
        secret = self._digest(b"successor", token.secret + idempotency_key.encode())
        return RefreshToken(token.account_id, token.session_id, secret)

    def hash(self, token: RefreshToken) -> bytes:
        """What the vault keeps of a token."""
        return self._digest(b"refresh", _PLACE.pack(token.account_id, token.session_id) + token.secret)

    def rotation(self, idempotency_key: str | None) -> bytes | None:
        """What the vault keeps of a rotation's key."""
        return self._digest(b"rotation", idempotency_key.encode()) if idempotency_key else None

    def write(self, token: RefreshToken) -> str:
        """The form that a client holds."""
        payload = _PLACE.pack(token.account_id, token.session_id) + token.secret
        return base64.urlsafe_b64encode(payload + self._tag(payload)).rstrip(b"=").decode()

    def read(self, text: str) -> RefreshToken:
        """A token that we made, good or not.

        Raises:
            Unauthenticated: we did not make it.
        """
        try:
            raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except ValueError as error:
            raise invalid_refresh_token() from error
        payload, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
        if len(raw) != _TOKEN_BYTES or not hmac.compare_digest(tag, self._tag(payload)):
            raise invalid_refresh_token()
        account_id, session_id = _PLACE.unpack_from(payload)
        return RefreshToken(account_id, session_id, payload[_PLACE.size :])

    def _tag(self, payload: bytes) -> bytes:
        return self._digest(b"tag", payload)[:_TAG_BYTES]

    def _digest(self, use: bytes, message: bytes) -> bytes:
        return hmac.digest(self._key, b"session/" + use + b"\n" + message, hashlib.sha256)


def refresh_tokens(services: Services) -> RefreshTokens:
    """The refresh tokens of these settings."""
    return RefreshTokens(key_bytes(services.settings.secrets.hash_key))


def invalid_refresh_token() -> Unauthenticated:
    """The one answer to every refresh token that is not good, whatever is wrong with it."""
    return Unauthenticated("invalid-refresh-token", "the refresh token is not valid; log in again")


async def end_session(services: Services, account_id: int, session_id: int) -> None:
    """End a session: effective everywhere at the next request once this returns.

    The cache is told first, so that a retry after a crash finds the row and does both again; and again at the end,
    for a reader that found the row just before and a cache that had lost the first telling.
    """
    await services.authentication.revoked(account_id, session_id)
    if await services.vault.sessions.revoke(account_id, session_id):
        await services.authentication.revoked(account_id, session_id)


async def end_other_sessions(services: Services, account_id: int, kept_id: int | None) -> None:
    """End all sessions of an account but one."""
    for row in await services.vault.sessions.listed(account_id):
        if row.session_id != kept_id:
            await end_session(services, account_id, row.session_id)
