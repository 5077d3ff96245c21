"""Photographs are copied once, and are gone from the next backup when they are gone from the bucket."""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup.checking import check
from backup.manifest import MediaFile
from backup.media import MediaCopying, check_media, clean_media, objects_in, restore_media
from photolog.engines.object_store import ListedObject, ObjectHead, WholeObject
from photolog.errors import Corruption, Limited, StoreUnavailable
from tests.unit.backup.world import Heard, MemoryShelf, System, back_up, never, restore
from tests.unit.mortal import Killed, Mortal


@dataclass
class MemoryBucket:
    """Objects with their types, listed a few at a time."""

    objects: dict[str, tuple[bytes, str, str | None]] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)

    async def listed(self, prefix: str) -> AsyncIterator[list[ListedObject]]:
        keys = sorted(key for key in self.objects if key.startswith(prefix))
        for start in range(0, len(keys), 3):
            page = keys[start : start + 3]
            yield [ListedObject(key, self._etag(key), self.sizes.get(key, len(self.objects[key][0]))) for key in page]

    async def whole(self, key: str) -> WholeObject | None:
        self.read.append(key)
        if key not in self.objects:
            return None
        data, content_type, cache_control = self.objects[key]
        return WholeObject(data, self._etag(key), content_type, cache_control)

    async def head(self, key: str) -> ObjectHead | None:
        found = self.objects.get(key)
        return None if found is None else ObjectHead(len(found[0]), self._etag(key), found[1])

    async def put(self, key: str, data: bytes, content_type: str, cache_control: str | None = None) -> None:
        self.objects[key] = (data, content_type, cache_control)

    def _etag(self, key: str) -> str:
        return f'"{hash(self.objects[key][0]) & 0xFFFFFF:x}-1"'

    def change(self, chance: random.Random) -> None:
        """Somebody uploads, and somebody is erased."""
        for _ in range(chance.randrange(8)):
            kind = chance.choice(["raw", "processed", "exports"])
            key = f"{kind}/{chance.randrange(12)}/{chance.choice(['a', '9', 'a.b'])}"
            self.objects[key] = (chance.randbytes(5), "image/jpeg", chance.choice([None, "private"]))
        for key in list(self.objects):
            if chance.random() < 0.2:
                del self.objects[key]


async def copy(
    bucket: MemoryBucket, shelf: MemoryShelf, before: tuple[MediaFile, ...], run: int
) -> tuple[MediaFile, ...]:
    return await MediaCopying(bucket, shelf, str(run), lambda count: None, 4).run(before)


@given(st.integers(0, 2**32 - 1))
async def test_whatever_dies_the_photographs_of_the_last_backup_are_there_and_no_others(seed: int) -> None:
    chance, bucket, shelf = random.Random(seed), MemoryBucket(), MemoryShelf()
    before: tuple[MediaFile, ...] = ()
    broken_off = False
    for run in range(6):
        bucket.change(chance)
        calls = {"left": chance.randint(1, 12), "after": chance.random() < 0.5} if chance.random() < 0.4 else never()
        mortal = Mortal(shelf, calls, ("put",))
        try:
            after = await MediaCopying(bucket, mortal, str(run), lambda count: None, 4).run(before)
        except Killed:
            broken_off = True
            await check_media(shelf, before, lambda count: None)
            continue
        await clean_media(shelf, before, after, broken_off=broken_off)
        before, broken_off = after, False
        kept = {key: value for key, value in bucket.objects.items() if not key.startswith("exports/")}
        named = {one.name async for one in objects_in(shelf, after)}
        assert {name for name in shelf.files if name.startswith("media/")} == named
        fresh = MemoryBucket()
        await restore_media(shelf, fresh, after, lambda count: None)
        assert fresh.objects == kept


async def test_only_what_is_new_is_read() -> None:
    bucket, shelf = MemoryBucket(), MemoryShelf()
    for number in range(7):
        await bucket.put(f"raw/1/{number}", b"%d" % number, "image/png")
    before = await copy(bucket, shelf, (), 1)
    bucket.read.clear()
    await bucket.put("raw/1/4", b"changed", "image/png")
    await bucket.put("processed/9/small", b"new", "image/webp", "private")
    after = await copy(bucket, shelf, before, 2)
    assert sorted(bucket.read) == ["processed/9/small", "raw/1/4"]
    await check_media(shelf, after, lambda count: None)
    await check_media(shelf, before, lambda count: None)


async def test_what_is_there_is_not_put_back_again_and_damage_is_found() -> None:
    bucket, shelf, fresh = MemoryBucket(), MemoryShelf(), MemoryBucket()
    await bucket.put("raw/1/2", b"as it was", "image/png")
    files = await copy(bucket, shelf, (), 1)
    await fresh.put("raw/1/2", b"same size", "image/png")
    await restore_media(shelf, fresh, files, lambda count: None)
    assert fresh.objects["raw/1/2"][0] == b"same size"
    (name,) = (name for name in shelf.files if name.startswith("media/"))
    shelf.files[name] = b"otherwise"
    with pytest.raises(Corruption, match=name):
        await check_media(shelf, files, lambda count: None)
    with pytest.raises(Corruption, match=name):
        await restore_media(shelf, MemoryBucket(), files, lambda count: None)


async def test_an_object_that_does_not_fit_into_memory_is_refused() -> None:
    bucket = MemoryBucket(sizes={"raw/1/2": 1 << 40})
    await bucket.put("raw/1/2", b"a film", "video/mp4")
    with pytest.raises(Limited, match="raw/1/2 has 1099511627776 bytes"):
        await copy(bucket, MemoryShelf(), (), 1)


async def test_a_bucket_that_lists_in_another_order_is_not_misread() -> None:
    bucket = MemoryBucket()
    for key in ("raw/1", "raw/2", "raw/3"):
        await bucket.put(key, b"1", "image/png")

    async def backwards(prefix: str) -> AsyncIterator[list[ListedObject]]:
        yield [ListedObject(key, "e", 1) for key in ("raw/3", "raw/2")]

    bucket.listed = backwards  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable, match="order of keys"):
        await copy(bucket, MemoryShelf(), (), 1)


async def test_photographs_are_in_a_backup_from_the_first_run_on_that_asks_for_them() -> None:
    system, shelf, bucket, fresh = System().migrate(), MemoryShelf(), MemoryBucket(), MemoryBucket()
    await bucket.put("raw/1/2", b"a photograph", "image/png")
    assert (await back_up(system, shelf, bucket=bucket)).media == ()
    system.now_ms += 1
    manifest = await back_up(system, shelf, bucket=bucket, media=True)
    assert [one.objects for one in manifest.media] == [1]
    await check(manifest, shelf, Heard())
    await restore(shelf, System())
    await restore(shelf, System(), bucket=fresh)
    assert fresh.objects == bucket.objects


async def test_a_photograph_that_was_erased_is_gone_with_the_next_run_whether_that_asks_for_photographs_or_not() -> (
    None
):
    system, shelf, bucket = System().migrate(), MemoryShelf(), MemoryBucket()
    await bucket.put("raw/1/2", b"of somebody who left", "image/png")
    await back_up(system, shelf, bucket=bucket, media=True)
    system.now_ms += 1
    await bucket.put("raw/1/3", b"another", "image/png")
    del bucket.objects["raw/1/2"]
    await back_up(system, shelf, bucket=bucket)
    assert b"of somebody who left" not in shelf.files.values()
    assert b"another" in shelf.files.values()
