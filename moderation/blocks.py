"""The block-list in memory: what is blocked, by digest, by perceptual hash and by a video's length."""

from collections.abc import Iterator

from schemas.events import ContentBlocked, ContentUnblocked
from transcode.fingerprints.clips import FRAMES_MAX, ClipPrint
from transcode.fingerprints.nearest import NearestIndex
from transcode.fingerprints.phash import unsigned

_BUCKET_MS = 1_000


class Blocks:
    """A fold of the block-list's events: doing one again changes nothing."""

    def __init__(self) -> None:
        self._by_digest: dict[str, ContentBlocked] = {}
        self._index = NearestIndex()
        self._numbers: dict[str, int] = {}
        self._digests: dict[int, str] = {}
        self._clips: dict[int, set[str]] = {}
        # The index wants places of the log, and this one's are in its own order, whatever partition they came from.
        self._place = 0

    def __len__(self) -> int:
        return len(self._by_digest)

    def apply(self, event: ContentBlocked | ContentUnblocked) -> None:
        """Take what was said of a content; what was said of it before holds no more."""
        self._forget(event.digest)
        if isinstance(event, ContentBlocked):
            self._remember(event)

    def exact(self, digest: str) -> ContentBlocked | None:
        """The block of this very file."""
        return self._by_digest.get(digest) if digest else None

    def near(self, phash: int) -> list[tuple[ContentBlocked, int]]:
        """Blocked photographs that may be the same, the nearest first, each with the bits by which it differs.

        Args:
            phash: 64 bits, unsigned.
        """
        found = self._index.near(phash)
        return [(self._by_digest[self._digests[one.content_id]], one.distance) for one in found]

    def clips(self, clip: ClipPrint) -> Iterator[tuple[ContentBlocked, ClipPrint]]:
        """Blocked videos of about the same length."""
        bucket = clip.duration_ms // _BUCKET_MS
        for one in (bucket - 1, bucket, bucket + 1):
            for digest in self._clips.get(one, ()):
                blocked = self._by_digest[digest]
                yield blocked, clip_of(blocked.duration_ms, blocked.frames)

    def _remember(self, event: ContentBlocked) -> None:
        self._by_digest[event.digest] = event
        if event.kind == "video":
            self._clips.setdefault(event.duration_ms // _BUCKET_MS, set()).add(event.digest)
        elif event.phash is not None:
            number = self._numbers.setdefault(event.digest, len(self._numbers))
            self._digests[number] = event.digest
            self._index.add(0, self._next_place(), number, unsigned(event.phash))

    def _forget(self, digest: str) -> None:
        event = self._by_digest.pop(digest, None)
        if event is None:
            return
        if event.kind == "video":
            self._clips[event.duration_ms // _BUCKET_MS].discard(digest)
        elif event.phash is not None:
            self._index.remove(0, self._next_place(), self._numbers[digest], unsigned(event.phash))

    def _next_place(self) -> int:
        self._place += 1
        return self._place


def clip_of(duration_ms: int, frames: list[int]) -> ClipPrint:
    """A video's fingerprint, from the signed longs of the log."""
    return ClipPrint(duration_ms, tuple(unsigned(frame) for frame in frames[:FRAMES_MAX]))
