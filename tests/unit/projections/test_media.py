"""Media: the first final answer stands."""

import msgspec

from projections.media import MEDIA, MEDIA_PROJECTION, MediaRow
from schemas import events as e
from tests.unit.projections.folding import Folding

VARIANT = e.MediaVariant(
    name="w320.webp", content_type="image/webp", width=320, height=240, size_bytes=9_000, object_key="processed/7/w320"
)
COMPLETED = e.MediaTranscodingCompleted(media_id=7, owner_id=11, width=4_000, height=3_000, variants=[VARIANT])
FAILED = e.MediaTranscodingFailed(media_id=7, owner_id=11, reason="not-an-image", detail="no magic number")


def photograph(*events: e.Event) -> MediaRow | None:
    return Folding(MEDIA_PROJECTION).apply(*events).row(MEDIA.key(7))


def test_a_decoded_photograph_is_ready_with_its_variants() -> None:
    row = photograph(COMPLETED)
    assert row is not None
    assert (row.status, row.width, row.height, row.reason) == ("ready", 4_000, 3_000, None)
    assert msgspec.json.decode(row.variants, type=list[e.MediaVariant]) == [VARIANT]


def test_a_photograph_that_cannot_be_decoded_has_failed_and_says_why() -> None:
    row = photograph(FAILED)
    assert row is not None
    assert (row.status, row.reason, row.detail) == ("failed", "not-an-image", "no magic number")
    assert msgspec.json.decode(row.variants) == []


def test_a_blurhash_is_kept_and_its_absence_too() -> None:
    with_blurhash = photograph(msgspec.structs.replace(COMPLETED, blurhash="LKO2"))
    assert with_blurhash is not None
    assert with_blurhash.blurhash == "LKO2"
    of_before = photograph(COMPLETED)
    assert of_before is not None
    assert of_before.blurhash is None


def test_the_first_answer_is_final() -> None:
    assert photograph(COMPLETED, FAILED) == photograph(COMPLETED)
    assert photograph(FAILED, COMPLETED) == photograph(FAILED)
