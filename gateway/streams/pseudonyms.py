"""Ids as analysts get them: pseudonyms that are the same within a grant and tell nothing to another.

A grant's key is derived from the deployment's when it is needed and kept nowhere. The kind of thing is part of what is
hashed, so that no account looks like a post.
"""

import hashlib

from schemas.events import Form

_DIGEST_BYTES = 8


class Pseudonyms:
    """The pseudonyms of one grant.

    Args:
        master: the deployment's key.
        grant_id: the grant.
    """

    def __init__(self, master: bytes, grant_id: str) -> None:
        # A keyed BLAKE2b is a MAC by itself (RFC 7693).
        self._key = hashlib.blake2b(grant_id.encode(), key=master, digest_size=32, person=b"grant").digest()

    def of(self, kind: Form, number: int) -> str:
        """The pseudonym of an id: sixteen hexadecimal digits."""
        message = number.to_bytes(8, "big", signed=True)
        person = kind.encode()
        return hashlib.blake2b(message, key=self._key, digest_size=_DIGEST_BYTES, person=person).hexdigest()
