"""The client's calls on saves, shares, replies, likes of comments, likers, reports and telemetry, at a gateway."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TypeVar

import httpx

from gateway.appending import encode
from gateway.endpoint import Command
from photolog.client import Client
from photolog.client.engagement import Observation
from schemas import events as e
from tests.unit.gateway.river import PASSWORD, River

T = TypeVar("T")
POST = 501


async def all_of(items: AsyncIterator[T]) -> list[T]:
    return [item async for item in items]


async def joined(gateway: httpx.AsyncClient, name: str) -> tuple[Client, str]:
    """A person's client, and their id."""
    client = Client(gateway, gateway)
    account_id = await client.sign_up(name, PASSWORD, name, False)
    await client.log_in(name, PASSWORD)
    return client, account_id


async def publish(river: River, owner_id: int) -> str:
    """A published post."""
    created = e.PostCreated(
        post_id=POST,
        owner_id=owner_id,
        media_ids=[1],
        alt_texts=None,
        caption=None,
        mentions=None,
        location=None,
        hashtags=[],
        audience="public",
    )
    published = e.PostPublished(post_id=POST, owner_id=owner_id, published_ms=1, delivery="push", media=[])
    await river.append_all(await encode(river.services, Command((created, published))))
    return str(POST)


async def test_what_is_done_through_the_client_is_there() -> None:
    river = River()
    async with river.client() as gateway:
        (ada, ada_id), (ben, ben_id) = await joined(gateway, "ada"), await joined(gateway, "ben")
        post_id = await publish(river, int(ada_id))
        await ben.like(post_id)
        await ben.save(post_id)
        assert await ben.share(post_id, "story") != await ben.share(post_id, "story")
        first = await ada.comment(post_id, "mine")
        reply = await ben.comment(post_id, "so true", first)
        await ada.comment(post_id, "indeed", reply)
        await ben.like_comment(post_id, first)
        await ben.report("comment", first, "spam", post_id=post_id, note="look")
        now = datetime.fromtimestamp(river.now_ms / 1_000, UTC)
        seen = Observation(type="dwell", post_id=post_id, surface="feed", at=now, dwell_ms=1_500)
        assert await ben.observe([seen, Observation(type="view", post_id="1", surface="feed", at=now)]) == 2

        assert [one.id for one in await all_of(ada.likers(post_id))] == [ben_id]
        answers = await all_of(ada.replies(post_id, first))
        assert [(one.text, one.answers and one.answers.id) for one in answers] == [
            ("so true", None),
            ("indeed", ben_id),
        ]
        (comment,) = await all_of(ben.comments(post_id))
        assert (comment.replies, comment.viewer and comment.viewer.liked) == (2, True)
        (saved,) = await all_of(ben.saved())
        assert (saved.id, saved.viewer.saved, saved.counts.saves) == (post_id, True, None)
        assert (saved.counts.comments, saved.counts.shares) == (3, 2)
        assert [one.text for one in saved.top_comments] == ["mine"]
        recorded = [river.recorded(offset).event for offset in range(len(river.records))]
        assert sum(isinstance(event, e.ContentReported) for event in recorded) == 1
        assert sum(isinstance(event, e.PostDwelt) for event in recorded) == 1
        await ben.unsave(post_id)
        await ben.unlike_comment(post_id, first)
        assert await all_of(ben.saved()) == []
        assert [one.viewer and one.viewer.liked for one in await all_of(ben.comments(post_id))] == [False]
