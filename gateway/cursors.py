"""Cursors: where a list goes on, opaque to clients and signed, so that only our own come back."""

import base64
import hashlib
import hmac

import msgspec

from photolog.errors import Invalid

_TAG_BYTES = 12
CURSOR_CHARACTERS_MAX = 512
Value = int | str


class Cursors:
    """Makes and reads cursors.

    Args:
        key: what signs them; the same on every gateway.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encode(self, kind: str, values: tuple[Value, ...]) -> str:
        """A cursor.

        Args:
            kind: the list it belongs to, such as `followers:12`; it is read back under the same kind only.
            values: the sort key of the last item shown.
        """
        payload = msgspec.msgpack.encode(values)
        return base64.urlsafe_b64encode(self._tag(kind, payload) + payload).rstrip(b"=").decode()

    def decode(self, kind: str, text: str) -> tuple[Value, ...]:
        """The values of a cursor.

        Raises:
            Invalid: it is not ours, or belongs to another list.
        """
        try:
            # The alphabet is checked (base64 skips foreign characters) by encoding again and comparing.
            raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            genuine = base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == text
            tag, payload = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
            if genuine and hmac.compare_digest(tag, self._tag(kind, payload)):
                return msgspec.msgpack.decode(payload, type=tuple[Value, ...])
        except (ValueError, msgspec.DecodeError) as error:
            raise _malformed() from error
        raise _malformed()

    def _tag(self, kind: str, payload: bytes) -> bytes:
        message = len(kind).to_bytes(2, "big") + kind.encode() + payload
        # A keyed BLAKE2b is a MAC by itself (RFC 7693), and a page of the feed has no time for OpenSSL's HMAC.
        return hashlib.blake2b(message, digest_size=_TAG_BYTES, key=self._key, person=b"cursor").digest()


def _malformed() -> Invalid:
    return Invalid("malformed-cursor", "the cursor is not one that this list gave", "cursor")
