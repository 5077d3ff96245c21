"""From a request to rows and back, and feeds of then, by the command line on the real log."""

import asyncio
import json
import sys
from typing import Any

import pytest

from infra.local.home import REPOSITORY
from lineage.bootstrap import connect
from lineage.decoding import event_id_of
from lineage.reading import Placed, silent
from photolog.ids import now_ms
from photolog.log.slices import Slice
from photolog.positions import parse_positions
from photolog.settings import Settings
from photolog.timestamps import rfc3339
from schemas.topics import GRAPH
from tests.integration.gateways import Person, gateway
from tests.integration.workers import Hand, WorkerProcess, published, without_deployment

Lines = list[dict[str, Any]]


async def command(environment: dict[str, str], *arguments: str) -> Lines:
    """What a command prints as JSON; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.app", *arguments, "--json",
        cwd=REPOSITORY, env={**without_deployment(), **environment}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return [json.loads(line) for line in output.splitlines()]


async def event_at(settings: Settings, header: str) -> str:
    """The id of the event that stands at the position in the graph that a header tells."""
    position = next(one for one in parse_positions(header) if one.topic == GRAPH.name)
    async with connect(settings, silent, open_personal=False) as back:
        one = Slice(position.topic, position.partition, position.offset, position.offset + 1)
        async for batch in back.log.reader.read([one]):
            for record in batch.records:
                return str(event_id_of(Placed(record, 0)))
    raise AssertionError(f"nothing stands at {header}")


async def followed(bob: Person, ada: Person, method: str = "PUT") -> str:
    """Follow or unfollow under a request id of one's own; where it landed."""
    headers = {"x-request-id": f"bob-follows-{ada.account_id}", "photolog-position": f"{ada.position},{bob.position}"}
    await bob.request("GET", f"/v1/accounts/{ada.account_id}", headers={"photolog-position": ada.position})
    answer = await bob.request(method, f"/v1/accounts/{ada.account_id}/follow", headers=headers)
    assert answer.is_success, answer.text
    return answer.headers["photolog-position"]


@pytest.mark.timeout(120)
async def test_a_request_is_followed_to_its_rows_and_a_row_back_and_a_feed_is_shown_as_it_was(
    workers: list[WorkerProcess], hand: Hand, migrated: dict[str, str], settings: Settings
) -> None:
    async with gateway(settings) as one:
        ada, bob = await one.person(), await one.person()
        follow_id = await event_at(settings, await followed(bob, ada))
        post_id = await published(hand, int(ada.account_id))
        before_ms = now_ms()
        await asyncio.sleep(0.05)
        await followed(bob, ada, "DELETE")
    await hand.settled()
    told = await command(migrated, "lineage", follow_id)
    event = next(line for line in told if line["told"] == "event")
    assert (event["type"], event["correlation_id"]) == ("follow.created", f"bob-follows-{ada.account_id}")
    counts = {line["row"]: line for line in told if line["told"] == "row"}
    pair = "/".join(sorted((ada.account_id, bob.account_id), key=int))
    assert counts[f"graph:pairs:{pair}"]["before"] is None
    (followers,) = (line for row, line in counts.items() if f":graph_counts:{ada.account_id}/followers" in row)
    assert followers["after"]["count"] == (followers["before"] or {"count": 0})["count"] + 1

    back = await command(migrated, "lineage", "--row", f"posts:{post_id}")
    types = [line["type"] for line in back if line["told"] == "event"]
    assert types == ["post.created", "post.published"]
    assert back[-1]["state"]["status"] == "published"
    assert back[-1]["state"]["caption"].startswith("<sealed ")
    decided = next(line for line in back if line.get("type") == "post.published")
    story = await command(migrated, "lineage", decided["cause"])
    followed_on = [(line["depth"], line["type"]) for line in story if line["told"] == "event"]
    assert followed_on[1:] == [(1, "post.published"), (2, "feed.fanout.requested")]
    assert any(line["told"] == "row" and line["row"] == f"posts:posts:{post_id}" for line in story)

    then = await command(migrated, "feed-at", bob.username, rfc3339(before_ms))
    assert [(line["post_id"], line["author"]) for line in then] == [(str(post_id), ada.username)]
    assert await command(migrated, "feed-at", bob.account_id, "0s") == []
