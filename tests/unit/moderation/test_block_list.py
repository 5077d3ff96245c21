"""The block-list: the same file, the same photograph again, one that looks like it, a video, and a log that moves."""

from typing import Any

import msgspec
import pytest
from PIL import ImageEnhance

from photolog.errors import LogUnavailable, StoreUnavailable
from photolog.log.record import StoredRecord
from photolog.media.thumbprints import blocked_thumbprint_key
from schemas import events as e
from schemas.topics import BLOCKS
from tests.unit.moderation.world import ListWorld
from tests.unit.transcode.fingerprints.photographs import photograph, prints_of, resized, saved
from tests.unit.transcode.fingerprints.test_clips import clip, panned, printed
from transcode.fingerprints.phash import signed
from transcode.fingerprints.prints import Prints

BLOCKED = "ab" * 32
CAT = saved(photograph("chelsea.png"))


@pytest.fixture
def world() -> ListWorld:
    return ListWorld()


def flipped(prints: Prints, bits: int) -> Prints:
    """The same prints, with a hash so many bits away."""
    return msgspec.structs.replace(prints, phash=prints.phash ^ ((1 << bits) - 1))


async def test_the_same_file_is_refused_with_the_rule_of_its_block(world: ListWorld) -> None:
    world.block(BLOCKED)
    judgement = await world.judged(digest=BLOCKED)
    assert (judgement.verdict, judgement.rule) == ("refused", "hate")
    assert (await world.judged()).verdict == "allowed"


@pytest.mark.parametrize(
    "again",
    [saved(photograph("chelsea.png"), quality=60), saved(resized(photograph("chelsea.png"), 700)), CAT],
    ids=["encoded again", "smaller", "the same"],
)
async def test_a_blocked_photograph_is_refused_however_it_is_encoded_or_scaled(world: ListWorld, again: bytes) -> None:
    world.block(BLOCKED, prints_of(CAT))
    judgement = await world.judged(prints_of(again))
    assert (judgement.verdict, judgement.rule) == ("refused", "hate")


async def test_what_only_looks_like_a_blocked_photograph_is_looked_at_where_it_is_very_near(world: ListWorld) -> None:
    world.block(BLOCKED, prints_of(CAT))
    brighter = prints_of(saved(ImageEnhance.Brightness(photograph("chelsea.png")).enhance(1.1)))
    found = [
        await world.judged(msgspec.structs.replace(brighter, phash=flipped(prints_of(CAT), bits).phash))
        for bits in (4, 5, 10)
    ]
    assert [one.verdict for one in found] == ["review", "allowed", "allowed"]
    assert (await world.judged(prints_of(saved(photograph("coffee.png"))))).verdict == "allowed"


@pytest.mark.parametrize("lost", [True, False])
async def test_without_a_thumbprint_to_hold_against_an_operator_decides(world: ListWorld, lost: bool) -> None:
    world.block(BLOCKED, prints_of(CAT))
    if lost:
        del world.bucket.objects[blocked_thumbprint_key(BLOCKED)]
    else:
        world.bucket.objects[blocked_thumbprint_key(BLOCKED)] = b"no thumbprint"
    assert (await world.judged(flipped(prints_of(CAT), 9))).verdict == "review"


async def test_a_video_that_is_nearly_a_blocked_one_is_never_refused_unseen(world: ListWorld) -> None:
    frames, other = printed(clip()), printed([panned("coffee.png", step) for step in range(12)])
    shown: dict[str, Any] = {
        "kind": "video",
        "duration_ms": frames.duration_ms,
        "frames": [signed(one) for one in frames.frames],
    }
    world.block(BLOCKED, **shown)
    assert (await world.judged(**shown)).verdict == "review"
    assert (await world.judged(**shown | {"frames": [signed(one) for one in other.frames]})).verdict == "allowed"
    assert (await world.judged(**shown | {"duration_ms": frames.duration_ms + 5_000})).verdict == "allowed"
    assert (await world.judged(**shown, digest=BLOCKED)).verdict == "refused"


async def test_it_judges_by_what_the_log_holds_when_it_is_asked(world: ListWorld) -> None:
    """A takedown that was acknowledged stands in the log, so that what completes later is stopped."""
    found = [(await world.judged(prints_of(CAT))).verdict]
    world.block(BLOCKED, prints_of(CAT))
    found.append((await world.judged(prints_of(CAT))).verdict)
    world.records.append(e.ContentUnblocked(digest=BLOCKED, operator="op"))
    found.append((await world.judged(prints_of(CAT))).verdict)
    world.block(BLOCKED, prints_of(CAT))
    world.block(BLOCKED, prints_of(CAT), rule="spam")
    again = await world.judged(prints_of(CAT))
    assert [*found, again.verdict, again.rule] == ["allowed", "refused", "allowed", "refused", "spam"]


async def test_an_engine_that_is_away_is_no_verdict(world: ListWorld) -> None:
    world.block(BLOCKED, prints_of(CAT))
    world.records.away = True
    with pytest.raises(LogUnavailable):
        await world.judged(prints_of(CAT))
    world.records.away, world.bucket.away = False, True
    with pytest.raises(StoreUnavailable):
        await world.judged(prints_of(CAT))
    world.bucket.away = False
    assert (await world.judged(prints_of(CAT))).verdict == "refused"


async def test_what_is_no_block_does_not_keep_the_next_from_being_read(world: ListWorld) -> None:
    world.records.append_record(StoredRecord(BLOCKS.name, 0, 0, b"x", b"poison", (), 1))
    world.block(BLOCKED)
    assert (await world.judged(digest=BLOCKED)).verdict == "refused"
