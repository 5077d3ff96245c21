import httpx
import pytest

from gateway.coverage import Coverage
from gateway.read_models import ReadModelMap
from photolog.positions import Position
from projections.stores.counts import Counts
from projections.stores.port import Source, StoredPosition
from tests.unit.gateway.river import PARTITION, River, person

POSTS_AT = Source("posts", "posts", 1)
FEED_AT = Source("feed", "feed.fanout", 2)


async def test_each_model_tells_its_partitions_and_how_far_behind_the_log_it_is(
    client: httpx.AsyncClient, river: River
) -> None:
    ada = await person(client, "ada")
    outputs = {("feed.fanout", 3): 7}
    await river.rows.advance(
        Source("posts", "posts", 1), StoredPosition(5, outputs, Counts(consumed=5, applied=3, dead=2))
    )
    river.flowing = False
    await ada.request("PATCH", "/v1/me", json={"bio": "x"})
    answer = await ada.request("GET", "/v1/positions")
    assert answer.status_code == 200, answer.text
    models = {model["name"]: model["sources"] for model in answer.json()["models"]}
    assert models["accounts"] == [
        {
            "topic": "accounts",
            "partition": PARTITION,
            "next_offset": 1,
            "end_offset": 2,
            "lag": 1,
            "outputs": [],
            "counts": {"consumed": 0, "applied": 0, "duplicates": 0, "noops": 0, "dead": 0, "parked": 0},
        }
    ]
    assert models["posts"][0]["outputs"] == [{"topic": "feed.fanout", "partition": 3, "next_offset": 7}]
    assert models["posts"][0]["end_offset"] is None
    assert {name: count for name, count in models["posts"][0]["counts"].items() if count} == {
        "consumed": 5,
        "applied": 3,
        "dead": 2,
    }
    assert models["feed"] == []


async def test_a_position_is_judged_without_being_waited_for(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    river.flowing = False
    landed = await ada.request("PATCH", "/v1/me", json={"bio": "x"})
    asked = {"photolog-position": landed.headers["photolog-position"]}
    assert await _covers(ada, asked) == {"accounts": "no", "graph": "no"}
    await river.flow()
    assert await _covers(ada, asked) == {"accounts": "yes", "graph": "yes"}


async def test_what_leads_too_far_is_unknown(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    covers = await _covers(ada, {"photolog-position": "media.transcoding.requested/0@5"})
    assert covers == {"posts": "unknown", "media": "unknown", "feed": "unknown", "stories": "unknown"}


async def test_an_unchanged_report_costs_no_bytes(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    first = await ada.request("GET", "/v1/positions")
    again = await ada.request("GET", "/v1/positions", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


async def test_it_takes_an_accounts_or_an_operators_token_and_no_other(client: httpx.AsyncClient, river: River) -> None:
    operator = {"authorization": f"Bearer {river.services.tokens.for_operator('grace', 600)}"}
    assert (await client.get("/v1/positions", headers=operator)).status_code == 200
    assert (await client.get("/v1/positions")).status_code == 401
    ada = await person(client, "ada")
    await client.put(f"/v1/operator/accounts/{ada.account_id}/suspension", json={"reason": "spam"}, headers=operator)
    assert (await ada.request("GET", "/v1/positions")).status_code == 403


async def test_a_log_that_is_away_leaves_its_ends_unknown(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    river.log_away = True
    models = (await ada.request("GET", "/v1/positions")).json()["models"]
    (accounts,) = [source for model in models if model["name"] == "accounts" for source in model["sources"]]
    assert (accounts["next_offset"], accounts["end_offset"], accounts["lag"]) == (1, None, None)


async def test_a_topic_that_is_not_ours_is_refused(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    answer = await ada.request("GET", "/v1/positions", headers={"photolog-position": "secrets/0@1"})
    assert answer.status_code == 400
    assert answer.json()["field"] == "Photolog-Position"


@pytest.mark.parametrize(
    ("posts", "feed", "covered"),
    [
        (None, None, False),
        (StoredPosition(5), None, False),
        (StoredPosition(6), None, True),
        (StoredPosition(6, {("feed.fanout", 2): 40}), StoredPosition(39), False),
        (StoredPosition(6, {("feed.fanout", 2): 40}), StoredPosition(40), True),
        (StoredPosition(6, {("posts", 1): 7}), None, False),
        (StoredPosition(7, {("posts", 1): 7, ("feed.fanout", 2): 40}), StoredPosition(40), True),
    ],
)
def test_the_feed_covers_a_post_through_what_the_posts_job_appended(
    posts: StoredPosition | None, feed: StoredPosition | None, covered: bool
) -> None:
    applied = {
        "posts": {POSTS_AT: posts} if posts else {},
        "feed": {FEED_AT: feed} if feed else {},
    }
    assert Coverage(ReadModelMap(), applied).of_all("feed", [Position("posts", 1, 5)]) is covered


async def _covers(who: object, headers: dict[str, str]) -> dict[str, str]:
    answer = await who.request("GET", "/v1/positions", headers=headers)  # type: ignore[attr-defined]
    return {model["name"]: model["covers"] for model in answer.json()["models"] if model["covers"]}
