"""Which bytes a file has, in 32 of them: equal digests are equal files."""

import hashlib
import io

DIGEST_BYTES = 32


def digest(file: io.BufferedIOBase) -> bytes:
    """SHA-256 of a file from where it stands to its end, read in pieces, so that a long video is never in memory.

    Args:
        file: open for reading bytes. For bytes that are at hand, `io.BytesIO`; nothing is copied then.
    """
    return hashlib.file_digest(file, "sha256").digest()
