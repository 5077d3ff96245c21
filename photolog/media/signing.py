"""Signed addresses: who holds one may see what its viewer may see, for a short while.

The signature is HMAC-SHA256 over the path, the end of its life and the viewer. Several keys may be accepted, so that
one can be replaced while addresses under it are still about: the first signs.
"""

import base64
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from photolog.errors import Forbidden

_PURPOSE = b"photolog/media-address/1\n"
_KEY_PURPOSE = b"photolog/media-addresses"
_QUERY = re.compile(r"expires=([1-9][0-9]{0,11})(?:&viewer=([1-9][0-9]{0,18}))?&signature=([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Permit:
    """What a good signature says.

    Args:
        viewer_id: for whom the address was made; None for somebody without account.
    """

    viewer_id: int | None


class AddressSigner:
    """Signs paths and reads signatures.

    Args:
        keys: at least one; the first signs, each is accepted.
        clock_ms: Unix milliseconds.
    """

    def __init__(self, keys: Sequence[bytes], clock_ms: Callable[[], int]) -> None:
        if not keys:
            raise ValueError("nothing can be signed without a key")
        self._keys = tuple(keys)
        self._clock_ms = clock_ms

    def sign(self, path: str, viewer_id: int | None, seconds: int) -> str:
        """The path with its signature.

        Args:
            path: of an address at the edge.
            viewer_id: who may see it; None for what anybody may.
            seconds: how long it is good.
        """
        expires = self._clock_ms() // 1_000 + seconds
        viewer = "" if viewer_id is None else f"&viewer={viewer_id}"
        signature = _signature(self._keys[0], path, expires, viewer_id)
        return f"{path}?expires={expires}{viewer}&signature={signature}"

    def verify(self, path: str, query: str) -> Permit:
        """What the signature of a path permits.

        Raises:
            Forbidden: it was not made by us for this path, or its time is over.
        """
        parts = _QUERY.fullmatch(query)
        if parts is None:
            raise _not_ours()
        expires, viewer_id = int(parts[1]), int(parts[2]) if parts[2] else None
        # Every key is tried, so that the time this takes does not tell which of them fits.
        fits = [hmac.compare_digest(_signature(key, path, expires, viewer_id), parts[3]) for key in self._keys]
        if not any(fits):
            raise _not_ours()
        if self._clock_ms() >= expires * 1_000:
            raise Forbidden("address-expired", "the time of this address is over; ask for a new one")
        return Permit(viewer_id)


def derived_key(key: bytes) -> bytes:
    """A key for addresses, from one that serves another purpose."""
    return hmac.digest(key, _KEY_PURPOSE, "sha256")


def _signature(key: bytes, path: str, expires: int, viewer_id: int | None) -> str:
    said = f"{path}\n{expires}\n{'' if viewer_id is None else viewer_id}".encode()
    return base64.urlsafe_b64encode(hmac.digest(key, _PURPOSE + said, "sha256")).rstrip(b"=").decode()


def _not_ours() -> Forbidden:
    return Forbidden("bad-signature", "this address was not made by us, or was changed")
