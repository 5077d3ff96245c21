"""What is refused, and with which reason: through the real sandbox, whose one process lives through all of it."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.transcode import pictures
from tests.unit.transcode.pictures import heic, jpeg, png, quarters
from transcode.errors import SENTENCES, Reason, UnprocessableMedia
from transcode.frames import SandboxLimits
from transcode.sandbox import VariantPool
from transcode.sniff import PhotoType

JPEG, PNG, HEIC = PhotoType.JPEG, PhotoType.PNG, PhotoType.HEIC


@pytest.fixture
async def pool() -> AsyncIterator[VariantPool]:
    async with VariantPool(workers=1, limits=SandboxLimits(bytes_max=2_000_000)) as opened:
        yield opened


async def refusal(pool: VariantPool, data: bytes, kind: PhotoType) -> UnprocessableMedia:
    try:
        await pool.make(data, kind)
    except UnprocessableMedia as refused:
        return refused
    pytest.fail(f"{data[:40]!r}… was made")


def hostile_pictures() -> list[tuple[str, bytes, PhotoType, Reason]]:
    good = {JPEG: jpeg(quarters()), PNG: png(quarters()), HEIC: heic(quarters())}
    damaged = [
        (f"{kind.name} cut at {percent} %", data[: len(data) * percent // 100], kind, Reason.DAMAGED)
        for kind, data in good.items()
        for percent in (20, 50, 90)
    ]
    return [
        *damaged,
        ("nothing", b"", JPEG, Reason.EMPTY),
        ("text called .jpg", b"just some words\n" * 100, JPEG, Reason.NOT_AN_IMAGE),
        ("a page", b"<!doctype html><script>alert(1)</script>", PNG, Reason.NOT_AN_IMAGE),
        ("a GIF", pictures.saved(quarters(64, 64), "GIF"), JPEG, Reason.NOT_AN_IMAGE),
        ("a PNG called JPEG", good[PNG], JPEG, Reason.MISLABELLED),
        ("a JPEG called HEIC", good[JPEG], HEIC, Reason.MISLABELLED),
        ("JPEG magic, then a page", b"\xff\xd8\xff\xe0<html><script>alert(1)</script>" * 50, JPEG, Reason.DAMAGED),
        ("JPEG magic, then noise", b"\xff\xd8\xff" + bytes(range(256)) * 40, JPEG, Reason.DAMAGED),
        ("PNG header, then noise", good[PNG][:40] + bytes(range(256)) * 40, PNG, Reason.DAMAGED),
        ("HEIC brand, then noise", good[HEIC][:40] + bytes(range(256)) * 40, HEIC, Reason.DAMAGED),
        ("PNG bomb", pictures.png_bomb(30_000, 30_000), PNG, Reason.TOO_MANY_PIXELS),
        ("a JPEG that claims 65,500 × 65,500", claiming_size(good[JPEG], 65_500), JPEG, Reason.TOO_MANY_PIXELS),
        ("1 × 100,000", pictures.png_bomb(1, 100_000), PNG, Reason.EXTREME_SHAPE),
        ("100,000 × 1", pictures.png_bomb(100_000, 1), PNG, Reason.EXTREME_SHAPE),
        ("16 × 1 JPEG", jpeg(quarters(160, 10)), JPEG, Reason.EXTREME_SHAPE),
        ("16 × 1 HEIC", heic(quarters(1600, 100)), HEIC, Reason.EXTREME_SHAPE),
        ("too many bytes", good[JPEG].ljust(2_000_001, b"\0"), JPEG, Reason.TOO_MANY_BYTES),
    ]


def claiming_size(data: bytes, side: int) -> bytes:
    """A JPEG whose frame header says that it is larger than it is."""
    start = data.index(b"\xff\xc0") + 5
    return data[:start] + side.to_bytes(2, "big") * 2 + data[start + 4 :]


async def test_each_hostile_picture_has_its_reason_and_the_process_lives_on(pool: VariantPool) -> None:
    pids = pool.pids
    for name, data, kind, reason in hostile_pictures():
        found = await refusal(pool, data, kind)
        assert (name, found.reason) == (name, reason), found.diagnosis
        assert found.detail == SENTENCES[reason]
    assert (await pool.make(jpeg(quarters()), JPEG)).follows_plan
    assert pool.pids == pids


async def test_a_bomb_within_the_pixel_limit_is_only_a_picture(pool: VariantPool) -> None:
    result = await pool.make(pictures.png_bomb(10_000, 10_000), PNG)
    assert (result.width, result.height) == (10_000, 10_000)


@pytest.mark.parametrize("kind", PhotoType)
async def test_as_many_pixels_and_bytes_as_there_may_be_are_taken_and_one_more_is_not(kind: PhotoType) -> None:
    data = pictures.encoded(quarters(100, 80), kind)
    for pixels_max, bytes_max, reason in (
        (8_000, len(data), None),
        (7_999, len(data), Reason.TOO_MANY_PIXELS),
        (8_000, len(data) - 1, Reason.TOO_MANY_BYTES),
    ):
        async with VariantPool(workers=1, limits=SandboxLimits(bytes_max=bytes_max, pixels_max=pixels_max)) as pool:
            if reason is None:
                assert (await pool.make(data, kind)).width == 100
            else:
                assert (await refusal(pool, data, kind)).reason is reason


async def test_a_picture_that_needs_too_much_memory_is_refused_and_the_next_one_is_made() -> None:
    limits = SandboxLimits(memory_bytes_max=300 * 1024 * 1024)
    # Progressive, so that it cannot be decoded line by line.
    greedy = jpeg(quarters(6_000, 6_000), progressive=True, subsampling=0)
    async with VariantPool(workers=1, limits=limits) as pool:
        found = await refusal(pool, greedy, JPEG)
        assert found.reason is Reason.TOO_MUCH_MEMORY, found.diagnosis
        assert (await pool.make(jpeg(quarters()), JPEG)).follows_plan


async def test_variants_that_are_too_large_together_are_refused() -> None:
    async with VariantPool(workers=1, limits=SandboxLimits(output_bytes_max=1_000)) as pool:
        assert (await refusal(pool, jpeg(quarters()), JPEG)).reason is Reason.TOO_MUCH_OUTPUT


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Reason)
    assert all(sentence.endswith(".") for sentence in SENTENCES.values())
