"""Each bound of an upload: reached it is taken, passed it is refused."""

from typing import Any

import msgspec
import pytest

from gateway.accepted_media import accepted
from gateway.commands import uploads as commands
from gateway.commands.uploads import PARTS_MAX, BeginUpload, CompleteUpload, FinishedPart
from gateway.joining import PART_BYTES, part_sizes
from gateway.queries.uploads import WAIT_SECONDS_MAX, UploadQuery
from photolog.errors import Conflict, Invalid
from photolog.media.originals import UNFINISHED_MS_MAX
from photolog.settings import LimitSettings
from schemas.events import Purpose
from tests.unit.gateway_social.test_uploads import JPEG, begin, send
from tests.unit.gateway_social.world import World
from transcode.sniff import PhotoType, VideoType
from transcode.sniff_sound import SoundType

MEBIBYTE = 2**20
SHOWN: tuple[Purpose, ...] = ("post", "reel", "story")
BYTES_MAX: list[tuple[str, Purpose, int]] = [
    *((kind, purpose, 20 * MEBIBYTE) for kind in PhotoType for purpose in SHOWN if purpose != "reel"),
    *((kind, purpose, 100 * MEBIBYTE) for kind in VideoType for purpose in SHOWN),
    *((kind, "voice", 10 * MEBIBYTE) for kind in SoundType),
]


@pytest.mark.parametrize(("content_type", "purpose", "most"), BYTES_MAX)
def test_a_file_has_at_most_the_bytes_of_its_kind(content_type: str, purpose: Purpose, most: int) -> None:
    limits = LimitSettings()
    assert accepted(content_type, purpose, most, limits).value == content_type
    with pytest.raises(Invalid) as refused:
        accepted(content_type, purpose, most + 1, limits)
    assert (refused.value.kind, refused.value.field) == ("file-too-large", "size_bytes")


def test_a_bound_that_was_set_is_the_one_that_holds() -> None:
    limits = LimitSettings(photo_bytes_max=2_000, video_bytes_max=3_000, voice_bytes_max=4_000)
    for content_type, purpose, most in (
        ("image/png", "post", 2_000),
        ("video/mp4", "reel", 3_000),
        ("audio/ogg", "voice", 4_000),
    ):
        assert accepted(content_type, purpose, most, limits)  # type: ignore[arg-type]
        with pytest.raises(Invalid, match=f"at most {most} bytes"):
            accepted(content_type, purpose, most + 1, limits)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "taken", "refused"),
    [
        (BeginUpload, {"content_type": "image/jpeg", "size_bytes": 1}, {"content_type": "image/jpeg", "size_bytes": 0}),
        (
            BeginUpload,
            {"content_type": "image/jpeg", "size_bytes": 1, "client_upload_id": "x" * 100},
            {"content_type": "image/jpeg", "size_bytes": 1, "client_upload_id": "x" * 101},
        ),
        (BeginUpload, {"content_type": "x" * 100, "size_bytes": 1}, {"content_type": "x" * 101, "size_bytes": 1}),
        (FinishedPart, {"number": PARTS_MAX, "etag": "x" * 200}, {"number": PARTS_MAX, "etag": "x" * 201}),
        (FinishedPart, {"number": PARTS_MAX, "etag": "x"}, {"number": PARTS_MAX + 1, "etag": "x"}),
        (FinishedPart, {"number": 1, "etag": "x"}, {"number": 0, "etag": "x"}),
        (
            CompleteUpload,
            {"parts": [{"number": 1, "etag": "x"}] * PARTS_MAX},
            {"parts": [{"number": 1, "etag": "x"}] * (PARTS_MAX + 1)},
        ),
        (UploadQuery, {"wait": WAIT_SECONDS_MAX}, {"wait": WAIT_SECONDS_MAX + 1}),
    ],
)
def test_a_body_is_read_up_to_its_bounds_and_not_beyond(body: type, taken: Any, refused: Any) -> None:
    assert msgspec.convert(taken, body)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(refused, body)


def test_the_largest_file_has_as_many_parts_as_may_be_named() -> None:
    largest = max(most for _, _, most in BYTES_MAX)
    assert len(part_sizes(largest)) <= PARTS_MAX
    assert len(part_sizes(PARTS_MAX * PART_BYTES)) == PARTS_MAX
    assert len(part_sizes(PARTS_MAX * PART_BYTES + 1)) == PARTS_MAX + 1


@pytest.mark.parametrize(("late_ms", "kind"), [(0, None), (1, "upload-expired")])
async def test_an_upload_may_be_completed_until_a_day_after_it_was_begun(
    world: World, late_ms: int, kind: str | None
) -> None:
    ada = await world.person()
    begun = await begin(world, ada, len(JPEG))
    body = send(world, begun, JPEG)
    world.now_ms += UNFINISHED_MS_MAX + late_ms
    if kind is None:
        assert (await world.command(ada, commands.complete, body, media_id=begun.media_id)).events
        return
    with pytest.raises(Conflict) as refused:
        await world.command(ada, commands.complete, body, media_id=begun.media_id)
    assert refused.value.kind == kind
