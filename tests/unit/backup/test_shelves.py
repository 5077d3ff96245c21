"""A folder that holds a backup: files are there whole or not at all, and for their owner only."""

import stat
from pathlib import Path

import pytest

from backup.shelves import BucketShelf, FolderShelf, shelf_at
from photolog.errors import Corruption, Invalid, StoreUnavailable
from photolog.settings import S3Settings

S3 = S3Settings(region="nowhere-1", bucket="photographs", endpoint_url="http://nowhere.example")


async def names(shelf: FolderShelf, prefix: str) -> set[str]:
    return {name async for found in shelf.names(prefix) for name in found}


async def test_what_was_put_is_got_listed_and_deleted(tmp_path: Path) -> None:
    shelf = FolderShelf(tmp_path / "made" / "here")
    assert await shelf.get("log/likes/0/a") is None
    assert await names(shelf, "log/") == set()
    await shelf.put("log/likes/0/a", b"1")
    await shelf.put("log/likes/0/a", b"2")
    await shelf.put("log/likes.dead/0/b", b"3")
    await shelf.put("manifest.json", b"4")
    assert await shelf.get("log/likes/0/a") == b"2"
    assert await names(shelf, "log/") == {"log/likes/0/a", "log/likes.dead/0/b"}
    assert await names(shelf, "log/likes/0/") == {"log/likes/0/a"}
    await shelf.delete("log/likes/0/a")
    await shelf.delete("log/likes/0/a")
    assert await shelf.get("log/likes/0/a") is None


async def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    await FolderShelf(tmp_path / "kept").put("tables/1/credentials", b"secret")
    (file,) = (path for path in (tmp_path / "kept").rglob("*") if path.is_file())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700


async def test_a_file_that_cannot_be_written_whole_is_the_one_that_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = FolderShelf(tmp_path)
    await shelf.put("manifest.json", b"whole")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreUnavailable, match="No space left"):
        await shelf.put("manifest.json", b"other")
    assert await shelf.get("manifest.json") == b"whole"


@pytest.mark.parametrize("name", ["../outside", "media/e/raw/../../../../outside", "/outside"])
async def test_no_name_leads_out_of_it(tmp_path: Path, name: str) -> None:
    shelf = FolderShelf(tmp_path / "kept")
    for asked in (shelf.put(name, b"1"), shelf.get(name), shelf.delete(name)):
        with pytest.raises(Corruption, match="outside"):
            await asked


def test_a_place_is_a_folder_or_a_part_of_a_bucket(tmp_path: Path) -> None:
    assert isinstance(shelf_at(str(tmp_path), S3), FolderShelf)
    bucket = shelf_at("s3://vault/nightly/", S3)
    assert isinstance(bucket, BucketShelf)
    assert bucket.label == "s3://vault/nightly"


@pytest.mark.parametrize("place", ["s3://", "s3://vault", "s3://vault/", "s3:///nightly"])
def test_a_whole_bucket_is_no_place(place: str) -> None:
    with pytest.raises(Invalid, match="give s3://bucket/prefix"):
        shelf_at(place, S3)
