"""A digest is the file's, however it is read."""

import hashlib
import io
from pathlib import Path

from transcode.fingerprints.digest import DIGEST_BYTES, digest


def test_it_is_sha_256_of_bytes_and_of_files_alike(tmp_path: Path) -> None:
    data = bytes(range(256)) * 20_000
    path = tmp_path / "video"
    path.write_bytes(data)
    with path.open("rb") as file:
        assert digest(file) == digest(io.BytesIO(data)) == hashlib.sha256(data).digest()
    assert len(digest(io.BytesIO())) == DIGEST_BYTES


def test_one_bit_makes_another() -> None:
    assert digest(io.BytesIO(b"photograph")) != digest(io.BytesIO(b"photogrbph"))
