"""Trending hashtags equal what a plain loop counts, through disorder, late uses and a TaskManager that is killed."""

import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import psutil
import pytest

from photolog.ids import now_ms
from schemas.events import EventCameLate, HashtagsRanked, HashtagUsed, RankedHashtag
from streams.flink_jobs.trending import SLIDE_MS, TOP, WINDOW_MS, WORLD
from tests.integration.flink.verification import flink_command, verified
from tests.integration.flink_world import FlinkWorld, Told, eventually

LATENESS_MS = 30_000
USES = 9_000
SPAN_MS = 3 * 3_600_000
PARTITIONS = 4
CELLS = ("", "u33d", "gcpv", "9q8y")
Ranking = list[tuple[str, int]]


def stream(draw: random.Random, start_ms: int) -> list[tuple[HashtagUsed, int]]:
    """Uses as they come: on the whole in the order of time, each partition a little ahead of or behind the others, one
    in twenty much too late. Every owner has a partition."""
    skews = [draw.randrange(0, 20_000) for _ in range(PARTITIONS)]
    tags = [f"tag{number}" for number in range(900)]
    uses = []
    for number in range(USES):
        owner = draw.randrange(1, 400)
        at = start_ms + number * SPAN_MS // USES + skews[owner % PARTITIONS] - draw.randrange(0, 15_000)
        if draw.random() < 0.05:
            at -= draw.randrange(60_000, 2 * 3_600_000)
        tag = tags[min(int(draw.expovariate(1 / 120)), len(tags) - 1)]
        used = HashtagUsed(
            post_id=1_000 + number, owner_id=owner, hashtag=tag, coarse_cell=draw.choice(CELLS), at_ms=at
        )
        uses.append((used, owner % PARTITIONS))
    return uses


def rankings(uses: Iterable[HashtagUsed]) -> dict[tuple[str, int], Ranking]:
    """For each scope and window end the hashtags that most people used, counted one use after the other."""
    people: defaultdict[tuple[str, int], defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for use in uses:
        first_end = (use.at_ms // SLIDE_MS + 1) * SLIDE_MS
        for end in range(first_end, first_end + WINDOW_MS, SLIDE_MS):
            for scope in {WORLD, use.coarse_cell} - {""}:
                people[scope, end][use.hashtag].add(use.owner_id)
    return {
        place: sorted(((tag, len(users)) for tag, users in tags.items()), key=lambda one: (-one[1], one[0]))[:TOP]
        for place, tags in people.items()
    }


def told(lists: Iterable[HashtagsRanked]) -> dict[tuple[str, int], list[Ranking]]:
    found: defaultdict[tuple[str, int], list[Ranking]] = defaultdict(list)
    for one in lists:
        assert one.window_end_ms - one.window_start_ms == WINDOW_MS
        ranking = sorted(((entry.hashtag, entry.people) for entry in one.hashtags), key=lambda e: (-e[1], e[0]))
        found[one.scope, one.window_end_ms].append(ranking)
    return found


def late_by_their_own_partition(uses: Sequence[Told[HashtagUsed]]) -> set[tuple[int, int]]:
    """Those that came behind a use of their partition that closed their first window."""
    newest: Counter[int] = Counter()
    late = set()
    for one in uses:
        at = one.event.at_ms
        newest[one.partition] = max(newest[one.partition], at - LATENESS_MS)
        if (at // SLIDE_MS + 1) * SLIDE_MS - 1 <= newest[one.partition]:
            late.add((one.partition, one.offset))
    return late


@pytest.mark.timeout(600)  # on a machine that does much else besides
async def test_trending_is_what_a_plain_loop_counts(
    flink: FlinkWorld, flink_environment: dict[str, str], pytestconfig: pytest.Config
) -> None:
    draw = random.Random(pytestconfig.getoption("--hypothesis-seed"))
    start = now_ms() - SPAN_MS - 2 * WINDOW_MS
    uses = stream(draw, start)
    half = len(uses) // 2
    await _append(flink, uses[:half])
    await flink.checkpointed("trending")
    killed = flink.kill()
    for begin in range(half, len(uses), 500):
        await _append(flink, uses[begin : begin + 500])
        await asyncio.sleep(0.05)
    assert not psutil.pid_exists(killed) or psutil.Process(killed).status() == psutil.STATUS_ZOMBIE
    last = start + SPAN_MS + 2 * WINDOW_MS
    closing = [
        HashtagUsed(post_id=1, owner_id=1, hashtag="closing", coarse_cell="", at_ms=last) for _ in range(PARTITIONS)
    ]
    await flink.append(*closing, partitions=range(PARTITIONS))
    end = last // SLIDE_MS * SLIDE_MS

    newest = max((use.at_ms // SLIDE_MS + 1) * SLIDE_MS + WINDOW_MS - SLIDE_MS for use, _ in uses)

    async def is_told() -> bool:
        lists = await flink.read(HashtagsRanked)
        return any(one.event.window_end_ms >= newest for one in lists)

    await eventually(is_told)
    await flink.checkpointed("trending")
    assert await flink.restarts("trending") >= 1
    await _hold_against_a_loop(flink, end)
    assert await verified(flink_environment, "trending") > 100
    await _find_and_mend(flink, flink_environment, newest - WINDOW_MS)


async def _find_and_mend(flink: FlinkWorld, environment: dict[str, str], window_end_ms: int) -> None:
    """What was told wrong is found by computing it again, and told again."""
    wrong = HashtagsRanked(
        scope=WORLD,
        window_start_ms=window_end_ms - WINDOW_MS,
        window_end_ms=window_end_ms,
        hashtags=[RankedHashtag(hashtag="invented", people=1_000)],
    )
    await flink.append(wrong, at_ms=window_end_ms)
    answer = await flink_command(environment, "verify", "trending", "--repair", "--json")
    assert answer.returncode == 1, answer.stderr
    line, summary = map(json.loads, answer.stdout.splitlines())
    assert line["place"] == [WORLD, window_end_ms]
    assert summary["wrong"] == 1
    told_last = [one.event for one in await flink.read(HashtagsRanked) if one.event.window_end_ms == window_end_ms]
    assert [one for one in told_last if one.scope == WORLD][-1].hashtags[0].hashtag != "invented"


async def _append(flink: FlinkWorld, uses: Sequence[tuple[HashtagUsed, int]]) -> None:
    await flink.append(*(use for use, _ in uses), partitions=[partition for _, partition in uses])


async def _hold_against_a_loop(flink: FlinkWorld, end: int) -> None:
    everything = await flink.read(HashtagUsed)
    kept = [one.event for one in await flink.read(EventCameLate) if one.event.job == "trending"]
    late = {(one.source_partition, one.source_offset) for one in kept}
    assert late >= late_by_their_own_partition(everything)
    assert len(late) > USES // 50
    at = {(one.partition, one.offset): one.event.at_ms for one in everything}
    assert all(at[one.source_partition, one.source_offset] == one.at_ms for one in kept)
    expected = rankings(one.event for one in everything if (one.partition, one.offset) not in late)
    found = told(one.event for one in await flink.read(HashtagsRanked))
    closed = {place: ranking for place, ranking in expected.items() if place[1] < end}
    assert {place for place in found if place[1] < end} == closed.keys()
    for place, ranking in closed.items():
        # It may be told again after the kill: then the very same.
        for one in found[place]:
            assert set(one) ^ set(ranking) == set(), place
            assert one == ranking
