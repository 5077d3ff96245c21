"""The block-list: what was said last of a content holds."""

import msgspec

from projections.blocks import BLOCKED_CONTENTS, BLOCKS_PROJECTION, BlockedContentRow
from schemas import events as e
from tests.unit.projections.folding import START_MS, Folding

BLOCKED = e.ContentBlocked(
    digest="ab", rule="hate", operator="op", note="why", media_id=7, kind="video", phash=-3, duration_ms=9, frames=[1]
)
UNBLOCKED = e.ContentUnblocked(digest="ab", operator="op")


def content(*events: e.Event) -> BlockedContentRow | None:
    return Folding(BLOCKS_PROJECTION).apply(*events).row(BLOCKED_CONTENTS.key("ab"))


def test_a_blocked_content_is_listed_with_its_fingerprints_and_why() -> None:
    assert content(BLOCKED) == BlockedContentRow(
        digest="ab",
        rule="hate",
        operator="op",
        note="why",
        blocked_ms=START_MS,
        media_id=7,
        kind="video",
        phash=-3,
        duration_ms=9,
        frames=[1],
    )


def test_the_last_word_holds() -> None:
    assert content(BLOCKED, UNBLOCKED) is None
    assert content(UNBLOCKED) is None
    again = content(BLOCKED, UNBLOCKED, msgspec.structs.replace(BLOCKED, rule="spam"))
    assert again is not None
    assert again.rule == "spam"
