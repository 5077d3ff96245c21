"""Who calls, and whether they still may: asked exactly, on every request, in one round trip to the cache.

A session's state has three forms in the cache: "alive until T", written by whoever read its row and found its account
not marked as erased; "leaving", written by whoever marked the account or found the mark; and "revoked", written by
whoever ended the session. Each of the latter has a version above all before, so that a reader that read the rows just
before cannot undo it; and "alive" is believed for a minute only, so that a cache that lost a write cannot keep a dead
session longer. A cache that is away or knows nothing is never an answer: the rows decide, and without them nobody gets
in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from gateway.tokens import AccessTokens
from gateway.vault.port import Erasures, GrantRow, Sessions
from photolog.errors import Forbidden, StoreUnavailable, Unauthenticated
from photolog.ids import slot_of
from projections.accounts import ACCOUNTS
from projections.card_json import Standing
from projections.cards import account_key, account_standing, account_writes
from projections.stores.port import MISSING, CacheWrite, Missing, RowStore, VersionedCache

_REVOKED, _LEAVING = b"revoked", b"leaving"
_REVOKED_VERSION = 1 << 52  # above any Unix milliseconds, and exact in Lua's numbers
_LEAVING_VERSION = _REVOKED_VERSION - 1
logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `leaving` where the account is marked as erased: its owner may look on until its row says so, too."""

    role: Literal["anonymous", "account", "operator", "grant"] = "anonymous"
    account_id: int | None = None
    session_id: int | None = None
    operator: str | None = None
    leaving: bool = False
    grant: GrantRow | None = None

    @property
    def scope(self) -> str:
        """Whose Idempotency-Keys these are. Anonymous callers share one scope: their keys should be random."""
        if self.role == "account":
            return str(self.account_id)
        if self.grant is not None:
            return f"grant:{self.grant.grant_id}"
        return f"operator:{self.operator}" if self.role == "operator" else "anonymous"


ANONYMOUS = Caller()


class Authentication:
    """Tells who calls.

    Args:
        tokens: reads access tokens.
        cache: sessions and accounts, cached.
        rows: accounts.
        sessions: sessions.
        erasures: the marks.
        alive_seconds: how long a session is believed to be alive, and its account not marked, without asking the rows.
        clock_ms: Unix milliseconds.
    """

    def __init__(
        self,
        tokens: AccessTokens,
        cache: VersionedCache,
        rows: RowStore,
        sessions: Sessions,
        erasures: Erasures,
        alive_seconds: int,
        clock_ms: Callable[[], int],
    ) -> None:
        self._tokens = tokens
        self._cache = cache
        self._rows = rows
        self._sessions = sessions
        self._erasures = erasures
        self._alive_ms = alive_seconds * 1_000
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
        leaving = await self._require(account_id, session_id)
        return Caller("account", account_id, session_id, leaving=leaving)

    async def require_active(self, account_id: int, gone: Unauthenticated) -> None:
        """Raise Forbidden for a suspended account, saying what for, and `gone` for a deleted one."""
        (value,) = await self._cached([account_key(account_id)])
        standing = await self._standing(account_id, value)
        account = await self._rows.get(ACCOUNTS.key(account_id)) if standing == "suspended" else None
        _require_active(standing, gone, account.suspended_for if account else None)

    async def revoked(self, account_id: int, session_id: int) -> None:
        """Make the end of a session known. To be called once its row is gone, before anybody is told.

        Raises:
            StoreUnavailable: it is not known everywhere yet; do it again.
        """
        key, field = _session_place(account_id, session_id)
        await self._cache.merge([CacheWrite(key, field, _REVOKED_VERSION, _REVOKED)])

    async def marked(self, account_id: int) -> None:
        """Make known that an account is marked, to every session that there is. To be called once the mark stands.

        A session that is opened later is asked for first when its account is marked.

        Raises:
            StoreUnavailable: it is not known everywhere yet; do it again.
        """
        places = [_session_place(account_id, row.session_id) for row in await self._sessions.listed(account_id)]
        await self._cache.merge([CacheWrite(key, field, _LEAVING_VERSION, _LEAVING) for key, field in places])

    async def _require(self, account_id: int, session_id: int) -> bool:
        """Whether the account is marked. Raises where it, or the session, is gone."""
        session, account = await self._cached([_session_place(account_id, session_id), account_key(account_id)])
        state = await self._state(account_id, session_id, session)
        if state == _REVOKED:
            raise _ended()
        _require_active(await self._standing(account_id, account), _ended())
        return state == _LEAVING

    async def _cached(self, keys: list[tuple[str, str]]) -> list[bytes | Missing | None]:
        """One value for each (key, field), in one round trip; an absent cache knows nothing."""
        try:
            found = await self._cache.read([(key, (field,)) for key, field in keys])
        except StoreUnavailable as error:
            logger.warning("cache-away", cause=str(error))
            return [MISSING] * len(keys)
        return [values[0] for values in found]

    async def _state(self, account_id: int, session_id: int, cached: bytes | Missing | None) -> bytes:
        now_ms = self._clock_ms()
        if cached in (_REVOKED, _LEAVING):
            return cached
        # Not longer than a session may live here: whoever wrote it may have been ahead of everybody's clock.
        if isinstance(cached, bytes) and now_ms < int(cached) <= now_ms + self._alive_ms:
            return cached
        # The session first: one that is opened after its account was marked then finds the mark.
        if await self._sessions.get(account_id, session_id) is None:
            return _REVOKED
        state, version = b"%d" % (now_ms + self._alive_ms), now_ms
        if await self._erasures.get(account_id) is not None:
            state, version = _LEAVING, _LEAVING_VERSION
        key, field = _session_place(account_id, session_id)
        await self._keep([CacheWrite(key, field, version, state)])
        return state

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


def _require_active(standing: Standing, gone: Unauthenticated, rule: str | None = None) -> None:
    if standing == "deleted":
        raise gone
    if standing == "suspended":
        raise Forbidden("account-suspended", "the account is suspended" + (f": {rule}" if rule else ""))


def _ended() -> Unauthenticated:
    return Unauthenticated("session-ended", "the session has ended; log in again")
