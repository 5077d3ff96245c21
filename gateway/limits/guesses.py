"""Wrong passwords: few and slow for who guesses, without locking the owner out.

A password costs a token before it is looked at, so that many at once cost many; one that is right gets it back. So do
those that could not be judged. Three buckets count what was wrong: for the name from this address, for the name from
everywhere, and for the address whatever the name. From an address where the account was signed in lately only the
first one counts: an attack from elsewhere does not keep its owner out. A name that nobody has is treated like any.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from gateway.limits.limiter import empty_of, refusal
from gateway.limits.port import Bucket, BucketStore
from gateway.services import Services
from photolog.errors import Forbidden, StoreUnavailable, Unauthenticated
from photolog.ids import slot_of
from photolog.settings import LimitSettings, key_bytes
from projections.stores.port import CacheWrite, VersionedCache

_DIGEST_BYTES = 12
_CLASS = "login"
logger = structlog.get_logger(__name__)


class PasswordGuesses:
    """Counts wrong passwords.

    Args:
        buckets: where they are counted.
        cache: where accounts were signed in; while it is away, nowhere.
        limits: the rates.
        key: keys the digests of names.
    """

    def __init__(self, buckets: BucketStore, cache: VersionedCache, limits: LimitSettings, key: bytes) -> None:
        self._buckets = buckets
        self._cache = cache
        self._limits = limits
        self._key = key

    @asynccontextmanager
    async def of_name(self, username: str, account_id: int | None, address: str) -> AsyncIterator[None]:
        """Around the check of a log-in's password, which raises Unauthenticated where it is wrong.

        Args:
            username: as it was given, in lower case.
            account_id: whose name it is; None for nobody's.
            address: the digest of the client's address.

        Raises:
            TooSoon: there were too many wrong ones.
        """
        limits, name = self._limits, self._digest(username)
        buckets = [Bucket(f"{name}.{address}", "guesses", limits.rate_guesses)]
        if not await self._signed_in_at(account_id, address):
            buckets.append(Bucket(name, "guesses-name", limits.rate_guesses_name))
            buckets.append(Bucket(address, "guesses-address", limits.rate_guesses_address))
        async with self._guess(buckets):
            yield

    @asynccontextmanager
    async def in_session(self, session_id: int) -> AsyncIterator[None]:
        """Around the check of a signed-in caller's password, which raises Forbidden where it is wrong."""
        async with self._guess([Bucket(f"session.{session_id}", "guesses", self._limits.rate_guesses)]):
            yield

    async def signed_in(self, account_id: int, address: str, now_ms: int) -> None:
        """Remember that an account is signed in at an address, for as long as caches live."""
        try:
            await self._cache.merge([CacheWrite(places_key(account_id), address, now_ms, b"")])
        except StoreUnavailable as error:
            logger.warning("cache-away", cause=str(error))

    async def _signed_in_at(self, account_id: int | None, address: str) -> bool:
        """Asked for nobody's name too, so that it takes as long."""
        try:
            ((known,),) = await self._cache.read([(places_key(account_id or 0), (address,))])
        except StoreUnavailable as error:
            logger.warning("cache-away", cause=str(error))
            return False
        return known == b""

    @asynccontextmanager
    async def _guess(self, buckets: Sequence[Bucket]) -> AsyncIterator[None]:
        if not self._limits.rates:
            yield
            return
        taken = await self._buckets.take(buckets)
        if not taken.granted:
            raise refusal(empty_of(buckets, taken.debts_us), _CLASS)
        wrong = False
        try:
            yield
        except (Unauthenticated, Forbidden):
            wrong = True
            raise
        finally:
            if not wrong:
                await self._buckets.give_back(buckets)

    def _digest(self, username: str) -> str:
        return hashlib.blake2b(b"name\n" + username.encode(), key=self._key, digest_size=_DIGEST_BYTES).hexdigest()


def password_guesses(services: Services) -> PasswordGuesses:
    """The counts of these services."""
    settings = services.settings
    return PasswordGuesses(services.buckets, services.cache, settings.limits, key_bytes(settings.secrets.hash_key))


def places_key(account_id: int) -> str:
    """The cache entry that holds the addresses, as digests, at which an account was signed in lately."""
    return f"places:{{{slot_of(account_id)}}}:{account_id}"
