"""Subject keys: one for each account, wrapped by the master key, outside the log.

Erasing a key leaves a permanent marker, so that nobody can create another in its place.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Protocol

from photolog import seal
from photolog.engines.cassandra_session import CassandraSession

KEYRING_DDL = (
    "CREATE TABLE IF NOT EXISTS subject_keys (subject_id bigint PRIMARY KEY, wrapped_key blob, erased boolean)",
)
_KEPT_MAX = 50_000
_KEPT_SECONDS = 60.0


class Keys(Protocol):
    """The keys of the people whom personal fields are about: `SubjectKeyring`, or a dictionary's in tests."""

    async def ensure(self, subject_ids: Iterable[int]) -> None:
        """Bring these subjects' keys to hand."""

    def key_of(self, subject_id: int) -> bytes | None:
        """The key of a subject that `ensure` named."""


class SubjectKeyring:
    """Keys by subject, kept for a minute so that an erasure is noticed.

    Args:
        session: Cassandra.
        master_key: 32 bytes that wrap every subject's key.
        clock: seconds that only go forward.
    """

    def __init__(
        self, session: CassandraSession, master_key: bytes, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._session = session
        self._master_key = master_key
        self._clock = clock
        self._kept: OrderedDict[int, tuple[bytes | None, float]] = OrderedDict()

    async def create(self, subject_id: int) -> None:
        """Give a subject a key, unless it has one or was erased."""
        wrapped = seal.wrap(self._master_key, seal.new_key())
        await self._session.execute(
            "INSERT INTO subject_keys (subject_id, wrapped_key, erased) VALUES (?, ?, false) IF NOT EXISTS",
            (subject_id, wrapped),
            idempotent=False,
        )
        await self._load([subject_id])

    async def erase(self, subject_id: int) -> None:
        """Destroy a subject's key for good; doing it again changes nothing. Other processes notice within a minute.

        Raises:
            StoreUnavailable: it may be there still; do it again.
        """
        marked = "INSERT INTO subject_keys (subject_id, erased) VALUES (?, true) IF NOT EXISTS"
        if not (await self._session.execute(marked, (subject_id,), idempotent=False))[0].applied:
            destroyed = "UPDATE subject_keys SET wrapped_key = null, erased = true WHERE subject_id = ? IF EXISTS"
            await self._session.execute(destroyed, (subject_id,), idempotent=False)
        await self._load([subject_id])

    async def ensure(self, subject_ids: Iterable[int]) -> None:
        """Bring the keys of these subjects to hand, so that `key_of` answers for them.

        Raises:
            StoreUnavailable: they could not be read.
        """
        fresh_after = self._clock() - _KEPT_SECONDS
        stale = [subject for subject in set(subject_ids) if self._kept.get(subject, (None, -1e9))[1] < fresh_after]
        if stale:
            await self._load(stale)

    def key_of(self, subject_id: int) -> bytes | None:
        """The key of a subject that `ensure` named; None where it is erased or never was.

        Raises:
            KeyError: `ensure` did not name it.
        """
        return self._kept[subject_id][0]

    async def _load(self, subject_ids: list[int]) -> None:
        query = "SELECT wrapped_key, erased FROM subject_keys WHERE subject_id = ?"
        answers = await self._session.execute_all([(query, (subject,)) for subject in subject_ids])
        now = self._clock()
        for subject, rows in zip(subject_ids, answers, strict=True):
            alive = bool(rows) and rows[0].wrapped_key is not None and not rows[0].erased
            self._kept[subject] = (seal.unwrap(self._master_key, rows[0].wrapped_key) if alive else None, now)
            self._kept.move_to_end(subject)
        while len(self._kept) > max(_KEPT_MAX, len(subject_ids)):
            self._kept.popitem(last=False)
