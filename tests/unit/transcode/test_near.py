"""Which photographs show the files of another one: real photographs, and what people do to them."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from PIL import Image

from photolog.engines.object_store import ObjectAbsent
from photolog.log.record import StoredRecord
from projections.media import MediaRow
from projections.tables import RowKey
from schemas.events import Event, MediaTranscodingCompleted, MediaTranscodingFailed, MediaVariant
from schemas.serde import SCHEMAS, Serde
from tests.unit.projections.test_media import photograph as folded
from tests.unit.transcode.fingerprints.photographs import photograph, prints_of, resized, saved
from tests.unit.transcode.test_ladder import footage
from transcode.clip_prints import ClipPrints
from transcode.contents.holding import Contents
from transcode.contents.memory import MemoryContents
from transcode.contents.port import Content, ContentRow
from transcode.fingerprints.clips import ClipPrint, keys
from transcode.fingerprints.following import FollowedIndex
from transcode.fingerprints.nearest import NearestIndex
from transcode.fingerprints.phash import signed
from transcode.ladder import ladder
from transcode.made_video import MadeVideo
from transcode.near import NearFiles
from transcode.plan import Made, clip_prints_key, processed_key, thumbprint_key, variant_plan

SERDE = Serde({event: number for number, event in enumerate(SCHEMAS, start=1)})
OWN = ContentRow(digest="f" * 64, content_id=9, state="making", renewed_ms=0, version=1)


class Bucket:
    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    async def get(self, key: str) -> bytes:
        if key not in self.held:
            raise ObjectAbsent(key)
        return self.held[key]


class Records:
    def __init__(self) -> None:
        self.rows: dict[int, MediaRow] = {}

    async def get_many(self, keys: Sequence[RowKey[Any]]) -> list[Any]:
        return [self.rows.get(cast(int, key.values[0])) for key in keys]


class Gallery:
    """Contents that are there, and photographs that come."""

    def __init__(self) -> None:
        self.index, self.videos, self.records, self.bucket = NearestIndex(), NearestIndex(), Records(), Bucket()
        self.store = MemoryContents()
        files: Any = self.bucket
        self.contents = Contents(self.store, files)
        self.near = NearFiles(self.index, self.videos, self.records, self.bucket, self.contents)

    async def hang(self, content_id: int, data: bytes) -> Content:
        """Have a photograph there."""
        made, digest = self.made(data), f"{content_id:064x}"
        answer = completed(content_id, made, digest)
        content = Content(content_type="image/jpeg", answer=answer)
        row = ContentRow(
            digest=digest, content_id=content_id, state="ready", renewed_ms=0, version=1, holders=1, content=content
        )
        assert await self.store.create(row)
        self.index.add(0, content_id, content_id, made.prints.phash)
        media = folded(msgspec.structs.replace(answer, media_id=7))
        assert media is not None
        self.records.rows[content_id] = msgspec.structs.replace(media, media_id=content_id)
        self.bucket.held[thumbprint_key(content_id)] = made.prints.thumbprint
        return content

    def made(self, data: bytes) -> Made:
        return Made(*Image.open(io.BytesIO(data)).size, (), prints_of(data))

    def show(self, content_id: int, made: MadeVideo) -> None:
        """Have a video there."""
        digest, clip = f"{content_id:064x}", made.prints.clip
        answer = MediaTranscodingCompleted(
            media_id=7,
            owner_id=1,
            width=made.plan.width,
            height=made.plan.height,
            variants=[],
            kind="video",
            duration_ms=clip.duration_ms,
            digest=digest,
            frames=list(map(signed, clip.frames)),
        )
        media, content = folded(answer), Content(content_type="video/mp4", answer=answer)
        assert media is not None
        self.records.rows[content_id] = msgspec.structs.replace(media, media_id=content_id)
        self.store.rows[digest] = ContentRow(
            digest=digest, content_id=content_id, state="ready", renewed_ms=0, version=1, holders=1, content=content
        )
        self.videos.add_all(0, content_id, content_id, keys(clip))
        self.bucket.held[clip_prints_key(content_id)] = made.prints.packed()

    async def base_of_video(self, made: MadeVideo) -> int | None:
        found = await self.near.video(made, OWN)
        return None if found is None else found[0].content_id

    async def base(self, data: bytes) -> int | None:
        found = await self.near.photograph(self.made(data), OWN)
        return None if found is None else found[0].content_id


def completed(media_id: int, made: Made, digest: str, **changes: Any) -> MediaTranscodingCompleted:
    variants = [
        MediaVariant(
            name=one.name,
            content_type=one.content_type,
            width=one.width,
            height=one.height,
            size_bytes=1,
            object_key=processed_key(media_id, one.name),
        )
        for one in variant_plan(made.width, made.height)
    ]
    answer = MediaTranscodingCompleted(
        media_id=media_id,
        owner_id=1,
        width=made.width,
        height=made.height,
        variants=variants,
        phash=signed(made.prints.phash),
        digest=digest,
        content_id=media_id,
    )
    return msgspec.structs.replace(answer, **changes)


def film(wide: int = 960, sound: str = "SHA256=one", thumbprints: tuple[bytes, ...] | None = None) -> MadeVideo:
    """A film of three photographs, so many pixels wide."""
    found = [prints_of(saved(photograph(name))) for name in ("astronaut.png", "coffee.png", "rocket.jpg")]
    clip = ClipPrint(3_000, tuple(one.phash for one in found))
    kept = thumbprints or tuple(one.thumbprint for one in found)
    return MadeVideo(ladder(footage(wide, wide * 9 // 16, seconds=3.0)), (), ClipPrints(clip, kept, sound))


@pytest.fixture
async def gallery() -> Gallery:
    gallery = Gallery()
    for number, name in enumerate(("astronaut.png", "coffee.png", "rocket.jpg"), start=1):
        await gallery.hang(number, saved(photograph(name)))
    return gallery


@pytest.mark.parametrize(("number", "name"), [(1, "astronaut.png"), (2, "coffee.png"), (3, "rocket.jpg")])
async def test_a_photograph_encoded_again_or_made_smaller_shows_the_one_that_is_there(
    gallery: Gallery, number: int, name: str
) -> None:
    assert await gallery.base(saved(photograph(name), quality=75)) == number
    smaller = resized(photograph(name), photograph(name).width * 3 // 4)
    assert await gallery.base(saved(smaller)) == number
    digest = f"{number:064x}"
    assert gallery.store.rows[digest].holders == 2  # held once, however often it is asked for


async def test_a_larger_photograph_is_never_shown_by_a_smaller_one(gallery: Gallery) -> None:
    small = resized(photograph("coffee.png"), photograph("coffee.png").width // 2)
    await gallery.hang(4, saved(small))
    assert await gallery.base(saved(small, quality=80)) in (2, 4)
    del gallery.records.rows[2]
    assert await gallery.base(saved(photograph("coffee.png"), quality=80)) is None


async def test_another_photograph_or_a_cut_one_shows_its_own(gallery: Gallery) -> None:
    assert await gallery.base(saved(photograph("chelsea.png"))) is None
    picture = photograph("coffee.png")
    width, height = picture.size
    cropped = picture.crop((width // 20, height // 20, width - width // 20, height - height // 20))
    assert await gallery.base(saved(cropped)) is None


async def test_a_video_that_looks_and_sounds_the_same_shows_the_one_that_is_there(gallery: Gallery) -> None:
    first = film()
    gallery.show(8, first)
    assert await gallery.base_of_video(film(wide=640)) == 8
    assert await gallery.base_of_video(film(sound="SHA256=another")) is None
    assert await gallery.base_of_video(film(wide=1280)) is None, "it would come out smaller"
    changed = (*first.prints.thumbprints[:-1], prints_of(saved(photograph("coffee.png"))).thumbprint)
    assert await gallery.base_of_video(film(thumbprints=changed)) is None


async def test_what_has_no_thumbprint_any_more_is_passed_over(gallery: Gallery) -> None:
    del gallery.bucket.held[thumbprint_key(1)]
    assert await gallery.base(saved(photograph("astronaut.png"), quality=75)) is None


async def test_what_is_going_is_passed_over(gallery: Gallery) -> None:
    digest = f"{1:064x}"
    gallery.store.rows[digest] = msgspec.structs.replace(gallery.store.rows[digest], state="going")
    assert await gallery.base(saved(photograph("astronaut.png"), quality=75)) is None


def test_the_index_has_what_shows_its_own_files_and_nothing_else() -> None:
    index = FollowedIndex(cast(Any, None), SERDE)
    made = Gallery().made(saved(photograph("coffee.png")))
    own = completed(1, made, "a" * 64)
    linked = completed(2, made, "a" * 64, content_id=1, variants=own.variants)
    near = completed(3, made, "b" * 64, variants=own.variants)
    apart = completed(4, made, "c" * 64, content_id=0)
    failed = MediaTranscodingFailed(media_id=5, owner_id=1, reason="x", detail="")
    events: list[Event] = [own, linked, near, apart, failed]
    records = [
        StoredRecord("media.transcoding.completed", 0, at, b"1", SERDE.encode(event, lambda _: None), (), 0)
        for at, event in enumerate(events)
    ]
    poison = StoredRecord("media.transcoding.completed", 0, 9, b"1", b"poison", (), 0)
    index.take([*records, poison, *records])
    assert [near.content_id for near in index.photographs.near(made.prints.phash)] == [1]


def test_the_index_is_kept_from_one_process_to_the_next(tmp_path: Path) -> None:
    path = tmp_path / "fingerprints"
    index = FollowedIndex(cast(Any, None), SERDE, path)
    index.photographs.add(3, 7, 1, 5)
    index.save()
    again = FollowedIndex(cast(Any, None), SERDE, path)
    assert again.photographs.positions == {3: 8}
    assert len(again.photographs) == 1
    path.write_bytes(b"damaged")
    assert len(FollowedIndex(cast(Any, None), SERDE, path).photographs) == 0
