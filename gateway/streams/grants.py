"""Who may subscribe: signed tokens that name a grant, and the grant's row, which decides.

The tokens are JSON Web Tokens as gateway/tokens.py makes them, under a key of their own, so that no account's token is
a grant and no grant's opens anything else.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from gateway.vault.port import GrantRow, Grants
from photolog.errors import Conflict, Unauthenticated

_ALGORITHM = "HS256"
_HEADER = {"alg": _ALGORITHM, "typ": "JWT"}
_TOKEN_CHARACTERS_MAX = 1_024
_ID_BYTES = 8
_NAME = re.compile(r"[\w .@/-]{1,64}")


class GrantClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says; times are Unix seconds."""

    iss: Literal["photolog"]
    sub: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
    role: Literal["grant"]
    iat: int
    exp: int


class GrantKeeper:
    """Makes grants and tells whether a token's is good.

    Args:
        grants: their rows.
        key: the key that signs accounts' tokens; that of grants is derived from it.
        clock_ms: Unix milliseconds.
    """

    def __init__(self, grants: Grants, key: bytes, clock_ms: Callable[[], int]) -> None:
        self._grants = grants
        self._key = OctKey.import_key(hashlib.blake2b(b"", key=key, digest_size=32, person=b"grant-tokens").digest())
        self._clock_ms = clock_ms

    async def create(
        self, name: str, types: tuple[str, ...], sample_max: float, lifetime_seconds: int
    ) -> tuple[GrantRow, str]:
        """Make a grant.

        Returns:
            The grant and its token, which cannot be had a second time.

        Raises:
            Conflict: the name is none.
        """
        if not _NAME.fullmatch(name):
            raise Conflict("malformed-name", "a name is 1 to 64 letters, digits, spaces and .@/_-", "name")
        grant_id, now_ms = secrets.token_hex(_ID_BYTES), self._clock_ms()
        expires_ms = now_ms + lifetime_seconds * 1_000
        times = {"iat": now_ms // 1_000, "exp": expires_ms // 1_000}
        token = jwt.encode(_HEADER, {"iss": "photolog", "sub": grant_id, "role": "grant", **times}, self._key)
        row = GrantRow(
            grant_id=grant_id,
            name=name,
            types=types,
            sample_max=sample_max,
            token_digest=_digest(token),
            created_ms=now_ms,
            expires_ms=expires_ms,
        )
        if not await self._grants.create(row):
            raise Conflict("id-taken", "the id that was drawn is taken; try again")
        return row, token

    async def revoke(self, grant_id: str) -> bool:
        """End a grant for good; False where there is none."""
        return await self._grants.revoke(grant_id, self._clock_ms())

    async def listed(self) -> list[GrantRow]:
        """All grants, the newest first."""
        return sorted(await self._grants.listed(), key=lambda row: (-row.created_ms, row.grant_id))

    async def admitted(self, authorization: bytes | None) -> GrantRow:
        """The grant of a request.

        Args:
            authorization: the header's value.

        Raises:
            Unauthenticated: it holds no token of a grant, or the grant is over.
        """
        scheme, _, token = (authorization or b"").decode("latin-1").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("unauthenticated", "this needs a grant's token: Authorization: Bearer …")
        claims = self._verified(token.strip())
        row = await self._grants.get(claims.sub)
        if row is None or not hmac.compare_digest(row.token_digest, _digest(token.strip())):
            raise _invalid()
        reason = over(row, self._clock_ms())
        if reason is not None:
            raise Unauthenticated(reason, "the grant is over")
        return row

    async def current(self) -> dict[str, GrantRow]:
        """All grants by id, to look after those in use."""
        return {row.grant_id: row for row in await self._grants.listed()}

    def _verified(self, token: str) -> GrantClaims:
        if len(token) > _TOKEN_CHARACTERS_MAX:
            raise _invalid()
        try:
            return msgspec.convert(jwt.decode(token, self._key, algorithms=[_ALGORITHM]).claims, GrantClaims)
        except (JoseError, ValueError, msgspec.ValidationError) as error:
            raise _invalid() from error


def over(row: GrantRow | None, now_ms: int) -> Literal["grant-revoked", "grant-expired"] | None:
    """Why a grant is good no more; None while it is."""
    if row is None or row.revoked_ms is not None:
        return "grant-revoked"
    return "grant-expired" if row.expires_ms <= now_ms else None


def _digest(token: str) -> bytes:
    return hashlib.blake2b(token.encode("latin-1"), digest_size=32, person=b"grant-token").digest()


def _invalid() -> Unauthenticated:
    return Unauthenticated("invalid-token", "this is no grant's token")
