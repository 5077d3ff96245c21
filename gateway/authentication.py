"""Who calls, and whether they still may: asked exactly, on every request, in one round trip to the cache.

A session's state has two forms in the cache: "alive until T", written by whoever read its row, and "revoked", written
by whoever ended it. Revoked has the highest version there is, so a reader that read the row just before its end
cannot undo it; and "alive" is believed for a minute only, so that a cache that lost a write cannot keep a dead session
longer. A cache that is away or knows nothing is never an answer: the rows decide, and without them nobody gets in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from gateway.tokens import AccessTokens
from gateway.vault.port import Sessions
from photolog.errors import Forbidden, StoreUnavailable, Unauthenticated
from photolog.ids import slot_of
from projections.accounts import ACCOUNTS
from projections.card_json import Standing
from projections.cards import account_key, account_standing, account_writes
from projections.stores.port import MISSING, CacheWrite, Missing, RowStore, VersionedCache

ALIVE_MS = 60_000
_REVOKED = b"revoked"
_REVOKED_VERSION = 1 << 52  # above any Unix milliseconds, and exact in Lua's numbers
logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls."""

    role: Literal["anonymous", "account", "operator"] = "anonymous"
    account_id: int | None = None
    session_id: int | None = None
    operator: str | None = None

    @property
    def scope(self) -> str:
        """Whose Idempotency-Keys these are. Anonymous callers share one scope: their keys should be random."""
        if self.role == "account":
            return str(self.account_id)
        return f"operator:{self.operator}" if self.role == "operator" else "anonymous"


ANONYMOUS = Caller()


class Authentication:
    """Tells who calls.

    Args:
        tokens: reads access tokens.
        cache: sessions and accounts, cached.
        rows: accounts.
        sessions: sessions.
        clock_ms: Unix milliseconds.
    """

    def __init__(
        self,
        tokens: AccessTokens,
        cache: VersionedCache,
        rows: RowStore,
        sessions: Sessions,
        clock_ms: Callable[[], int],
    ) -> None:
        self._tokens = tokens
        self._cache = cache
        self._rows = rows
        self._sessions = sessions
        self._clock_ms = clock_ms

    async def caller(self, wanted: str, authorization: bytes | None) -> Caller:
        """The caller of an endpoint.

        Args:
            wanted: the endpoint's `auth`.
            authorization: the header's value.

        Raises:
            Unauthenticated: a token is needed and none that is good came, or one came that is not, or the account is
                gone.
            Forbidden: the account is suspended, or an operator's endpoint is not for accounts.
            StoreUnavailable: neither cache nor rows could tell.
        """
        if wanted == "none" or (wanted == "optional" and authorization is None):
            return ANONYMOUS
        claims = self._tokens.read(_bearer(authorization))
        if wanted == "operator" and claims.role != "operator":
            raise Forbidden("forbidden", "this needs an operator's token")
        if wanted in ("operator", "any") and claims.role == "operator":
            return Caller("operator", operator=claims.sub)
        if claims.role != "account" or claims.sid is None:
            raise Forbidden("forbidden", "this needs an account's token")
        account_id, session_id = int(claims.sub), int(claims.sid)
        await self._require(account_id, session_id)
        return Caller("account", account_id, session_id)

    async def require_active(self, account_id: int, gone: Unauthenticated) -> None:
        """Raise Forbidden for a suspended account, and `gone` for a deleted one."""
        (value,) = await self._cached([account_key(account_id)])
        _require_active(await self._standing(account_id, value), gone)

    async def revoked(self, account_id: int, session_id: int) -> None:
        """Make the end of a session known. To be called once its row is gone, before anybody is told.

        Raises:
            StoreUnavailable: it is not known everywhere yet; do it again.
        """
        key, field = _session_place(account_id, session_id)
        await self._cache.merge([CacheWrite(key, field, _REVOKED_VERSION, _REVOKED)])

    async def _require(self, account_id: int, session_id: int) -> None:
        session, account = await self._cached([_session_place(account_id, session_id), account_key(account_id)])
        if not await self._alive(account_id, session_id, session):
            raise _ended()
        _require_active(await self._standing(account_id, account), _ended())

    async def _cached(self, keys: list[tuple[str, str]]) -> list[bytes | Missing | None]:
        """One value for each (key, field), in one round trip; an absent cache knows nothing."""
        try:
            found = await self._cache.read([(key, (field,)) for key, field in keys])
        except StoreUnavailable as error:
            logger.warning("cache-away", cause=str(error))
            return [MISSING] * len(keys)
        return [values[0] for values in found]

    async def _alive(self, account_id: int, session_id: int, cached: bytes | Missing | None) -> bool:
        now_ms = self._clock_ms()
        if cached == _REVOKED:
            return False
        if isinstance(cached, bytes) and int(cached) > now_ms:
            return True
        if await self._sessions.get(account_id, session_id) is None:
            return False
        key, field = _session_place(account_id, session_id)
        await self._keep([CacheWrite(key, field, now_ms, b"%d" % (now_ms + ALIVE_MS))])
        return True

    async def _standing(self, account_id: int, cached: bytes | Missing | None) -> Standing:
        """An account that is not there yet was just made: nobody was told that it is anything but active."""
        if not isinstance(cached, Missing):
            return account_standing(cached)
        key = ACCOUNTS.key(account_id)
        kept = (await self._rows.load([key]))[key]
        writes = account_writes(account_id, kept)
        await self._keep(writes)
        return account_standing(writes[0].value)

    async def _keep(self, writes: Sequence[CacheWrite]) -> None:
        """Fill the cache. That it is away harms nobody: the next request asks the rows again."""
        try:
            await self._cache.merge(writes)
        except StoreUnavailable as error:
            logger.warning("cache-away", cause=str(error))


def _session_place(account_id: int, session_id: int) -> tuple[str, str]:
    return f"session:{{{slot_of(account_id)}}}:{session_id}", "state"


def _bearer(authorization: bytes | None) -> str:
    scheme, _, token = (authorization or b"").partition(b" ")
    if scheme.lower() != b"bearer" or not token:
        raise Unauthenticated("unauthenticated", "this needs an access token: Authorization: Bearer …")
    return token.strip().decode("latin-1")


def _require_active(standing: Standing, gone: Unauthenticated) -> None:
    if standing == "deleted":
        raise gone
    if standing == "suspended":
        raise Forbidden("account-suspended", "the account is suspended")


def _ended() -> Unauthenticated:
    return Unauthenticated("session-ended", "the session has ended; log in again")
