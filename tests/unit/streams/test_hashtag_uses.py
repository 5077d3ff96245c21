"""Trends hear of a hashtag when its post is published where anybody may see it, once."""

from typing import Any

import msgspec
import pytest

from schemas import events as e
from tests.unit.streams.flat_facts import told
from tests.unit.streams.river import NOW_MS, River
from tests.unit.streams.scenario import ANNA, BERT, account, post, ready

TAGS = ["straße", "東京"]


def tagged(post_id: int, owner_id: int, media_id: int, **changes: Any) -> e.PostCreated:
    return msgspec.structs.replace(post(post_id, owner_id, media_id), hashtags=TAGS, **changes)


async def river_with(*events: e.Event) -> River:
    river = River()
    river.append(account(ANNA), account(BERT, private=True))
    await river.pump()
    river.append(*events)
    await river.pump()
    return river


def uses(river: River) -> list[e.Event]:
    return list(told(river, "hashtag.uses").values())


async def test_each_hashtag_of_a_published_post_is_told_with_its_cell() -> None:
    river = await river_with(tagged(101, ANNA, 501, coarse_cell="u33d"), ready(501, ANNA))
    assert uses(river) == [
        e.HashtagUsed(post_id=101, owner_id=ANNA, hashtag=tag, coarse_cell="u33d", at_ms=NOW_MS) for tag in TAGS
    ]


async def test_a_post_without_a_place_has_an_empty_cell() -> None:
    river = await river_with(tagged(101, ANNA, 501), ready(501, ANNA))
    assert [use.coarse_cell for use in uses(river)] == ["", ""]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([tagged(101, ANNA, 501)], id="not published yet"),
        pytest.param([tagged(101, ANNA, 501, audience="followers"), ready(501, ANNA)], id="for followers"),
        pytest.param([tagged(101, BERT, 501), ready(501, BERT)], id="of a private account"),
        pytest.param([tagged(101, 99, 501), ready(501, 99)], id="of an account that is not known"),
        pytest.param(
            [
                e.AccountSuspended(account_id=ANNA, reason="spam", operator="o"),
                tagged(101, ANNA, 501),
                ready(501, ANNA),
            ],
            id="of a suspended account",
        ),
        pytest.param(
            [e.AccountDeleted(account_id=ANNA), tagged(101, ANNA, 501), ready(501, ANNA)], id="of a deleted account"
        ),
    ],
)
async def test_what_not_everybody_may_see_is_not_told(events: list[e.Event]) -> None:
    assert uses(await river_with(*events)) == []


async def test_a_barred_hashtag_is_not_told() -> None:
    barred = e.HashtagBarred(hashtag=TAGS[0], reason="blocked", operator="o")
    river = River()
    river.append(account(ANNA), barred)
    await river.pump()
    river.append(tagged(101, ANNA, 501), ready(501, ANNA))
    await river.pump()
    assert [use.hashtag for use in uses(river)] == TAGS[1:]  # type: ignore[attr-defined]


async def test_a_second_decision_about_a_post_tells_nothing() -> None:
    river = await river_with(tagged(101, ANNA, 501), ready(501, ANNA))
    again = e.PostPublished(
        post_id=101, owner_id=ANNA, published_ms=NOW_MS + 5, delivery="push", media=[], hashtags=["other"]
    )
    river.append(again, at_ms=NOW_MS + 5)
    await river.pump()
    assert len(river.log.of("hashtag.uses")) == 2


async def test_a_later_caption_changes_nothing_of_what_was_used() -> None:
    river = await river_with(tagged(101, ANNA, 501), ready(501, ANNA))
    river.append(e.PostCaptionChanged(post_id=101, owner_id=ANNA, caption="#c", mentions=[], hashtags=["c"]))
    river.rows._positions.clear()
    river.timelines._positions.clear()
    river.restart()
    await river.pump(batch_records=100)
    assert [use.hashtag for use in uses(river)] == TAGS  # type: ignore[attr-defined]
    assert len(river.log.of("hashtag.uses")) == 4, "the same two again, under the same ids"
