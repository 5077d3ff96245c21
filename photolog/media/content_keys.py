"""Digests of files as they are kept: keyed, so that whoever has a copy of a file cannot tell that it was here."""

import hmac
from hashlib import sha256

from photolog.settings import Settings, key_bytes

_PURPOSE = b"photolog content\n"


class ContentKey:
    """Makes kept digests.

    Args:
        key: a secret one, which may serve other purposes too.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, digest: str) -> str:
        """The kept form of a SHA-256 in hexadecimal: the same, keyed."""
        return hmac.new(self._key, _PURPOSE + bytes.fromhex(digest), sha256).hexdigest()


def content_key(settings: Settings) -> ContentKey:
    """The one of a deployment."""
    return ContentKey(key_bytes(settings.secrets.hash_key))
