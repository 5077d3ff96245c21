"""Engagement features equal what a plain loop computes, from acts and views that the log holds twice."""

import random
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, get_args

import pytest

from photolog.ids import now_ms
from schemas.events import Engagement, EngagementMeasured, Event, EventCameLate, PostEngaged, PostViewed
from schemas.topics import topic_of
from streams.flink_jobs import engagement
from tests.integration.flink.verification import verified
from tests.integration.flink_world import FlinkWorld, Told, eventually

LATENESS_MS = 30_000
HOUR_MS = 3_600_000
FACTS = 1_500
SPAN_MS = 26 * HOUR_MS
PARTITIONS = 4
Subject = tuple[str, int, int, int]
Place = tuple[Subject, int, int]


def facts(draw: random.Random, start_ms: int) -> list[PostEngaged | PostViewed]:
    found: list[PostEngaged | PostViewed] = []
    for number in range(FACTS):
        post, viewer = draw.randrange(1, 12), draw.randrange(1, 20)
        at = start_ms + number * SPAN_MS // FACTS - draw.randrange(0, 20_000)
        if draw.random() < 0.6:
            action = draw.choice([act for act in get_args(Engagement) if act != "tick"])
            found.append(PostEngaged(actor_id=viewer, post_id=post, owner_id=100 + post % 3, action=action, at_ms=at))
        else:
            found.append(
                PostViewed(
                    viewer_id=viewer, post_id=post, owner_id=100 + post % 3, surface="feed", at_ms=at,
                    sample_rate=draw.choice((1.0, 0.5)),
                )
            )  # fmt: skip
        if draw.random() < 0.1:
            found.append(found[-1])
    return found


def measured(kept: Iterable[PostEngaged | PostViewed]) -> dict[Place, list[float]]:
    """For each subject, window length and moment of closing: the five counts and the decayed rate."""
    found: defaultdict[Place, list[float]] = defaultdict(lambda: [0.0] * 6)
    for one in set(kept):
        viewer = one.actor_id if isinstance(one, PostEngaged) else one.viewer_id
        counts, weight = _counts(one)
        subjects: tuple[Subject, ...] = (
            ("post", one.post_id, one.owner_id, 0),
            ("author", 0, one.owner_id, 0),
            ("affinity", 0, one.owner_id, viewer),
        )
        for window in engagement.WINDOWS:
            first = (one.at_ms // window.slide_ms + 1) * window.slide_ms
            for end in range(first, first + window.length_ms, window.slide_ms):
                halved = 0.5 ** ((end - one.at_ms) / (window.length_ms / engagement.HALF_LIVES))
                for subject in subjects:
                    row = found[subject, window.length_ms, end + LATENESS_MS]
                    for place, count in enumerate((*counts, weight * halved)):
                        row[place] += count
    return found


def _counts(one: PostEngaged | PostViewed) -> tuple[tuple[float, ...], float]:
    if isinstance(one, PostViewed):
        return (0, 0, 0, 0, 1 / one.sample_rate), engagement.VIEW_WEIGHT / one.sample_rate
    signs = {"like": (1, 0, 0, 0), "unlike": (-1, 0, 0, 0), "comment": (0, 1, 0, 0), "share": (0, 0, 1, 0)}
    saves = {"save": (0, 0, 0, 1), "unsave": (0, 0, 0, -1)}
    return (*{**signs, **saves}[one.action], 0), engagement.WEIGHTS[one.action]


def place_of(one: EngagementMeasured) -> Place:
    return (one.measured, one.post_id, one.author_id, one.viewer_id), one.window_ms, one.valid_from_ms


@pytest.mark.timeout(600)  # on a machine that does much else besides
async def test_features_are_what_a_plain_loop_computes(
    flink: FlinkWorld, flink_environment: dict[str, str], pytestconfig: pytest.Config
) -> None:
    draw = random.Random(pytestconfig.getoption("--hypothesis-seed"))
    last = now_ms()
    start = last - SPAN_MS - 25 * HOUR_MS
    drawn = facts(draw, start)
    for begin in range(0, len(drawn), 200):
        part = drawn[begin : begin + 200]
        await flink.append(*part, partitions=[one.post_id % PARTITIONS for one in part])
    closing: list[Event] = [
        PostEngaged(actor_id=1, post_id=99, owner_id=99, action="like", at_ms=last) for _ in range(PARTITIONS)
    ]
    closing += [
        PostViewed(viewer_id=1, post_id=99, owner_id=99, surface="feed", at_ms=last, sample_rate=1.0)
        for _ in range(PARTITIONS)
    ]
    await flink.append(*closing, partitions=[*range(PARTITIONS), *range(PARTITIONS)])
    newest = max((one.at_ms // HOUR_MS + 24) * HOUR_MS for one in drawn) + LATENESS_MS

    async def is_told() -> bool:
        return any(one.event.valid_from_ms >= newest for one in await flink.read(EngagementMeasured))

    await eventually(is_told)
    await flink.checkpointed(engagement.NAME)
    late = {
        (one.event.source_topic, one.event.source_partition, one.event.source_offset)
        for one in await flink.read(EventCameLate)
        if one.event.job == engagement.NAME
    }
    told_of: list[Told[Any]] = [*await flink.read(PostEngaged), *await flink.read(PostViewed)]
    kept = [one.event for one in told_of if (topic_of(type(one.event)).name, one.partition, one.offset) not in late]
    expected = {place: row for place, row in measured(kept).items() if place[0][2] != 99 and place[2] <= newest}
    told: list[Told[Any]] = [
        one
        for one in await flink.read(EngagementMeasured)
        if one.event.author_id != 99 and one.event.valid_from_ms <= newest
    ]
    assert {place_of(one.event) for one in told} == expected.keys()
    assert await verified(flink_environment, engagement.NAME) > FACTS
    for one in told:
        event = one.event
        row = [event.likes, event.comments, event.shares, event.saves, event.views, event.rate]
        assert row == pytest.approx(expected[place_of(event)], abs=1e-6)
        slide = next(w.slide_ms for w in engagement.WINDOWS if w.length_ms == event.window_ms)
        assert event.valid_until_ms == event.valid_from_ms + slide
        assert one.key.decode() == f"{event.post_id}:{event.author_id}:{event.viewer_id}"
