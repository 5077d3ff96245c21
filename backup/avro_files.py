"""Avro object container files, which every tool for Avro reads, and the digests that tell whether one is whole.

Blocks are deflated, since that is the one codec that every implementation of Avro must have.
Source: the Avro specification, "Object Container Files".
"""

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import fastavro

from photolog.errors import Corruption

_LEVEL = 1  # three percent larger than the usual 6, at a fraction of the time
_DIGEST_BYTES = 16


def digest_of(data: bytes) -> str:
    """The digest of a file: BLAKE2b, 16 bytes, in hexadecimal."""
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).hexdigest()


def written(schema: Any, rows: Iterable[Mapping[str, Any]], told: Mapping[str, str], marker: bytes = b"") -> bytes:
    """A file of these rows.

    Args:
        schema: of a row, parsed.
        rows: one mapping for each.
        told: what the file's own header says beside the schema.
        marker: 16 bytes that stand behind each block; none for random ones. The same marker makes the same file of the
            same rows.
    """
    file = io.BytesIO()
    fastavro.writer(
        file, schema, rows, codec="deflate", codec_compression_level=_LEVEL, metadata=dict(told), sync_marker=marker
    )
    return file.getvalue()


def checked(name: str, data: bytes | None, digest: str) -> bytes:
    """A file's bytes, if they are those that were written.

    Raises:
        Corruption: they are not, or there is no such file.
    """
    if data is None:
        raise Corruption(f"{name} is missing from the backup")
    if digest_of(data) != digest:
        raise Corruption(f"{name} is damaged: its digest is {digest_of(data)}, not {digest}")
    return data


def rows_in(name: str, data: bytes) -> Iterator[dict[str, Any]]:
    """The rows of a file, one after the other.

    Args:
        name: what an error calls it.
        data: the file.

    Raises:
        Corruption: it is no such file.
    """
    try:
        yield from cast(Iterable[dict[str, Any]], fastavro.reader(io.BytesIO(data)))
    # fastavro raises whatever the bytes lead it into; all of it means the same here.
    except Exception as error:
        raise Corruption(f"{name} is no Avro file of ours: {error!r}") from error


def told_in(name: str, data: bytes) -> dict[str, str]:
    """What a file's own header says. Raises Corruption."""
    try:
        return dict(fastavro.reader(io.BytesIO(data)).metadata)
    except Exception as error:
        raise Corruption(f"{name} is no Avro file of ours: {error!r}") from error
