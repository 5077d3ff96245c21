"""What a picture is made of: the best stored file of its record, read from the bucket once for all who want it now."""

from collections.abc import Sequence
from typing import Protocol

from edge.collapsing import Collapsing
from edge.errors import UnreadableSource
from photolog.engines.object_store import ObjectAbsent
from photolog.media.likenesses import LIKENESSES
from schemas.events import MediaVariant

SOURCE_BYTES_MAX = 32 * 1_024 * 1_024


class Bucket(Protocol):
    """The bucket as the edge sees it: `photolog.engines.object_store`, or a dictionary in tests."""

    async def get(self, key: str) -> bytes:
        """A whole object. Raises ObjectAbsent where there is none."""

    async def read_range(self, key: str, start: int, length: int) -> bytes:
        """Part of an object. Raises ObjectAbsent where there is none."""


class Sources:
    """Reads sources.

    Args:
        bucket: where they are.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._collapsing: Collapsing[str, bytes] = Collapsing(bucket.get)

    async def read(self, source: MediaVariant) -> bytes:
        """Its bytes.

        Raises:
            UnreadableSource: it is not there, or larger than any that we write.
            StoreUnavailable: the bucket did not answer.
        """
        if source.size_bytes > SOURCE_BYTES_MAX:
            raise UnreadableSource(f"{source.object_key} has {source.size_bytes} bytes")
        try:
            return await self._collapsing.get(source.object_key)
        except ObjectAbsent as error:
            raise UnreadableSource(f"{source.object_key} is not there") from error


def best_source(variants: Sequence[MediaVariant]) -> MediaVariant | None:
    """The stored file to make pictures of; None where a record has none that shows it whole."""
    by_name = {one.name: one for one in variants}
    return next((by_name[name] for name in LIKENESSES if name in by_name), None)
