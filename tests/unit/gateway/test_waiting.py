import asyncio
from collections.abc import Mapping

import httpx
import pytest

from gateway.read_models import READ_MODELS, Path, ReadModel, ReadModelMap
from gateway.routes import ENDPOINTS
from gateway.waiting import PositionWaiter
from photolog.errors import Invalid, PositionTimeout, StoreUnavailable
from photolog.positions import Position
from projections.stores.memory_feeds import MemoryTimelines
from projections.stores.memory_rows import MemoryRows
from projections.stores.port import Source, StoredPosition
from tests.unit.gateway.river import River, person


class CountedRows(MemoryRows):
    """Rows that count how often their positions are read."""

    reads = 0
    away = False

    async def positions(self, projection: str) -> Mapping[Source, StoredPosition]:
        self.reads += 1
        if self.away:
            raise StoreUnavailable("the rows are away")
        return await super().positions(projection)


def _waiter(rows: MemoryRows, timelines: MemoryTimelines | None = None, wait_ms: int = 10_000) -> PositionWaiter:
    return PositionWaiter(rows, timelines or MemoryTimelines(), wait_ms)


async def test_a_model_that_is_there_is_not_waited_for() -> None:
    rows = CountedRows()
    await rows.advance(Source("accounts", "accounts", 3), StoredPosition(13))
    waiter = _waiter(rows)
    await waiter.wait(["accounts"], [Position("accounts", 3, 12)])
    await waiter.wait(["accounts"], [Position("accounts", 3, 12)])
    assert rows.reads == 1, "what was seen once is remembered"


async def test_a_wait_ends_when_the_model_comes_there() -> None:
    rows = CountedRows()
    waiting = asyncio.create_task(_waiter(rows).wait(["accounts"], [Position("accounts", 3, 12)]))
    await asyncio.sleep(0.03)
    await rows.advance(Source("accounts", "accounts", 3), StoredPosition(12))
    await asyncio.sleep(0.06)
    assert not waiting.done(), "offset 12 is covered by next offset 13"
    await rows.advance(Source("accounts", "accounts", 3), StoredPosition(13))
    assert await asyncio.wait_for(waiting, 1) == ()


async def test_a_model_that_does_not_come_is_a_timeout() -> None:
    with pytest.raises(PositionTimeout):
        await _waiter(CountedRows(), wait_ms=30).wait(["accounts"], [Position("accounts", 0, 0)])


async def test_many_waits_share_one_poll() -> None:
    rows = CountedRows()
    waiter = _waiter(rows)
    tasks = [asyncio.create_task(waiter.wait(["accounts"], [Position("accounts", 3, offset)])) for offset in range(200)]
    await asyncio.sleep(0.1)
    await rows.advance(Source("accounts", "accounts", 3), StoredPosition(500))
    await asyncio.gather(*tasks)
    assert rows.reads < 30


async def test_polling_ends_with_the_waits() -> None:
    rows = CountedRows()
    with pytest.raises(PositionTimeout):
        await _waiter(rows, wait_ms=30).wait(["accounts"], [Position("accounts", 0, 0)])
    await asyncio.sleep(0.1)
    reads = rows.reads
    await asyncio.sleep(0.1)
    assert rows.reads == reads


async def test_the_feed_is_waited_for_through_what_the_posts_job_emitted() -> None:
    rows, timelines = CountedRows(), MemoryTimelines()
    waiting = asyncio.create_task(_waiter(rows, timelines).wait(["feed"], [Position("posts", 1, 5)]))
    await rows.advance(Source("posts", "posts", 1), StoredPosition(6, {("feed.fanout", 2): 40, ("posts", 1): 5}))
    await asyncio.sleep(0.06)
    assert not waiting.done()
    await timelines.advance(Source("feed", "feed.fanout", 2), StoredPosition(40))
    assert await asyncio.wait_for(waiting, 1) == ()


async def test_the_feed_is_waited_for_through_a_publication_that_the_posts_job_decided() -> None:
    rows, timelines = CountedRows(), MemoryTimelines()
    waiting = asyncio.create_task(_waiter(rows, timelines).wait(["feed"], [Position("posts", 1, 5)]))
    await rows.advance(Source("posts", "posts", 1), StoredPosition(6, {("posts", 1): 7}))
    await asyncio.sleep(0.06)
    assert not waiting.done(), "the publication is in the log and not yet fanned out"
    await rows.advance(Source("posts", "posts", 1), StoredPosition(7, {("posts", 1): 7, ("feed.fanout", 2): 40}))
    await asyncio.sleep(0.06)
    assert not waiting.done()
    await timelines.advance(Source("feed", "feed.fanout", 2), StoredPosition(40))
    assert await asyncio.wait_for(waiting, 1) == ()


async def test_the_feed_is_waited_for_through_the_priority_lane_too() -> None:
    rows, timelines = CountedRows(), MemoryTimelines()
    waiting = asyncio.create_task(_waiter(rows, timelines).wait(["feed"], [Position("posts", 1, 5)]))
    outputs = {("feed.fanout", 2): 40, ("feed.fanout.priority", 1): 7}
    await rows.advance(Source("posts", "posts", 1), StoredPosition(6, outputs))
    await timelines.advance(Source("feed", "feed.fanout", 2), StoredPosition(40))
    await asyncio.sleep(0.06)
    assert not waiting.done()
    await timelines.advance(Source("feed", "feed.fanout.priority", 1), StoredPosition(7))
    assert await asyncio.wait_for(waiting, 1) == ()


async def test_a_model_farther_than_one_hop_is_named_and_not_waited_for() -> None:
    far = await _waiter(CountedRows()).wait(["feed", "accounts"], [Position("media.transcoding.completed", 0, 0)])
    assert far == ("feed",)


async def test_a_position_that_has_nothing_to_do_with_the_model_is_passed_over() -> None:
    assert await _waiter(CountedRows()).wait(["accounts"], [Position("likes", 0, 10**9)]) == ()


async def test_a_topic_that_is_not_ours_is_refused() -> None:
    with pytest.raises(Invalid):
        await _waiter(CountedRows()).wait(["accounts"], [Position("secrets", 0, 0)])


async def test_rows_that_are_away_end_the_wait() -> None:
    rows = CountedRows()
    rows.away = True
    with pytest.raises(StoreUnavailable):
        await _waiter(rows).wait(["accounts"], [Position("accounts", 0, 0)])


async def test_what_was_seen_is_known() -> None:
    rows = CountedRows()
    await rows.advance(Source("accounts", "accounts", 3), StoredPosition(13))
    waiter = _waiter(rows)
    assert waiter.known(["accounts"]) == ()
    await asyncio.sleep(0.02)
    assert waiter.known(["accounts"]) == (Position("accounts", 3, 12),)
    await waiter.close()


@pytest.mark.parametrize(
    ("topic", "model", "path"),
    [
        ("posts", "posts", Path.DIRECT),
        ("posts", "feed", "posts"),
        ("feed.fanout", "feed", Path.DIRECT),
        ("feed.fanout.priority", "feed", Path.DIRECT),
        ("media.transcoding.requested", "posts", Path.FAR),
        ("media.transcoding.completed", "feed", Path.FAR),
        ("graph", "feed", Path.UNRELATED),
        ("accounts", "likes", Path.UNRELATED),
    ],
)
def test_paths_from_topics_to_models(topic: str, model: str, path: Path | str) -> None:
    found = ReadModelMap().path(topic, model)
    assert (found.name if isinstance(found, ReadModel) else found) == path


def test_every_endpoint_names_models_that_exist() -> None:

    known = {model.name for model in READ_MODELS}
    assert {model for endpoint in ENDPOINTS for model in endpoint.models} <= known


async def test_a_client_may_carry_the_newest_header_alone(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    carried = "graph/2@0,likes/1@7"
    landed = await ada.request("PATCH", "/v1/me", json={"bio": "x"}, headers={"photolog-position": carried})
    assert landed.status_code == 200
    positions = landed.headers["photolog-position"].split(",")
    assert {"graph/2@0", "likes/1@7", f"accounts/2@{len(river.records) - 1}"} == set(positions)


async def test_a_carried_header_never_grows_beyond_its_bound(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    carried = ",".join(f"likes/{partition}@1" for partition in range(16))
    landed = await ada.request("PATCH", "/v1/me", json={"bio": "x"}, headers={"photolog-position": carried})
    positions = landed.headers["photolog-position"].split(",")
    assert len(positions) == 16
    assert positions[0].startswith("accounts/")


async def test_a_query_says_what_it_covers(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    await ada.request("GET", "/v1/me")
    await asyncio.sleep(0.02)
    read = await ada.request("GET", "/v1/me")
    assert read.headers["photolog-position"] == f"accounts/2@{len(river.records) - 1}"


async def test_timelines_that_are_away_are_not_waited_for_and_named() -> None:
    rows, timelines = CountedRows(), MemoryTimelines()

    async def away(projection: str) -> Mapping[Source, StoredPosition]:
        raise StoreUnavailable("redis is away")

    timelines.positions = away  # type: ignore[method-assign]
    await rows.advance(Source("posts", "posts", 1), StoredPosition(6, {("feed.fanout", 2): 40}))
    waiter = _waiter(rows, timelines)
    assert await waiter.wait(["feed", "posts"], [Position("posts", 1, 5)]) == ("feed",)
    assert await waiter.wait(["feed"], [Position("feed.fanout", 2, 39)]) == ("feed",)
    rows.away = True
    with pytest.raises(StoreUnavailable):
        await _waiter(rows, timelines).wait(["feed"], [Position("posts", 1, 5)])
