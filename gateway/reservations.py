"""Idempotency: what a command under a key decided is kept before it is appended, and a retry repeats exactly that.

A reservation holds the records' very bytes and the answer. So a retry, also one after a crash between reservation and
append, appends the same logical event again (consumers know it by its id) and gives the same answer.
"""

import hashlib
import hmac

from gateway.vault.port import ReservationRow, Reservations
from photolog.errors import Invalid


class Idempotency:
    """Commands under an Idempotency-Key.

    Args:
        reservations: where they are kept.
        key: keys the hash of a request, so that a reservation tells nothing of what was sent.
    """

    def __init__(self, reservations: Reservations, key: bytes) -> None:
        self._reservations = reservations
        self._key = key

    def fingerprint(self, method: str, path: str, body: bytes) -> bytes:
        """What tells one request from another under the same key."""
        message = f"{method} {path}\n".encode() + body
        return hmac.digest(self._key, b"idempotency\n" + message, hashlib.sha256)

    async def earlier(self, scope: str, key: str, fingerprint: bytes) -> ReservationRow | None:
        """What an earlier request under this key decided, None for the first.

        Raises:
            Invalid: the earlier request was another one.
        """
        row = await self._reservations.get(scope, key)
        return _same(row, fingerprint) if row else None

    async def reserve(self, scope: str, key: str, row: ReservationRow) -> ReservationRow:
        """Keep a decision. Of two concurrent requests both get the first one's back.

        Raises:
            Invalid: another request took the key meanwhile.
        """
        return _same(await self._reservations.reserve(scope, key, row), row.body_hash)


def _same(row: ReservationRow, fingerprint: bytes) -> ReservationRow:
    if not hmac.compare_digest(row.body_hash, fingerprint):
        raise Invalid("idempotency-key-reused", "this key was used for another request before", "Idempotency-Key")
    return row
