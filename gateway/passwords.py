"""Passwords: argon2id (RFC 9106), hashed on threads of their own and only a few at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from photolog.errors import Corruption, StoreUnavailable

PASSWORD_CHARACTERS_MIN = 8
PASSWORD_CHARACTERS_MAX = 128
# The OWASP Password Storage Cheat Sheet's recommendation for argon2id; a stored hash made under others still verifies.
_TIME_COST, _MEMORY_KIB, _LANES = 2, 19 * 1024, 1
T = TypeVar("T")
_THREADS = 2
_WAITING_MAX = 64


class Passwords:
    """Hashes and verifies passwords.

    A hash costs tens of milliseconds and megabytes by design, so a flood of log-ins may use `_THREADS` cores and
    queue `_WAITING_MAX` deep, no more.

    Args:
        hasher: its parameters; a hash made under others is still verified, and `outdated`.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(_TIME_COST, _MEMORY_KIB, _LANES)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="passwords")
        self._waiting = 0
        # What a log-in under an unknown name is checked against, so that it takes as long as any other.
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """The encoded argon2id hash.

        Raises:
            StoreUnavailable: too many are waiting already.
        """
        return await self._run(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one; None stands for nobody's and takes the same time."""
        matches = await self._run(self._matches, password_hash or self._nobody, password)
        return matches and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        """Whether the hash was made under other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except VerificationError:
            return False
        except InvalidHashError as error:
            raise Corruption("a stored password hash is malformed") from error

    async def _run(self, function: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= _WAITING_MAX:
            raise StoreUnavailable("too many passwords are being checked")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, partial(function, *arguments))
        finally:
            self._waiting -= 1
