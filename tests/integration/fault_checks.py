"""What must hold once a fault is over: the log has what was acknowledged, and the read models are what the log says."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.read_models import READ_MODELS
from schemas import events as e
from schemas.topics import topic_named
from tests.integration.fault_wishes import Resident
from tests.integration.fault_world import FaultWorld
from tests.integration.workers import Hand, WorkerProcess, eventually
from tests.replay.naive import NaivePost, NaiveWorld

RECOVERY_SECONDS = 150.0
FEED_PAGE = 17
_ORDER = ("media", "posts", "feed")
"""Jobs that append come before those that fold what they appended."""


async def holds(world: FaultWorld, hand: Hand, workers: Sequence[WorkerProcess]) -> None:
    """Assert that after all is caught up nothing is lost, nothing is there twice, and every answer is right."""
    await caught_up(hand, workers)
    await asyncio.to_thread(world.log.read)
    hold_log(world)
    counts = _Counts(
        Counter(post_id for _, post_id in world.log.world.likes),
        Counter(post_id for post_id, _ in world.log.world.comments),
    )
    await asyncio.gather(*(_hold_person(world, who, counts) for who in world.residents))


async def caught_up(hand: Hand, workers: Sequence[WorkerProcess]) -> float:
    """Return once every lag is zero, by positions and by what the workers show; the seconds it took."""
    began = time.monotonic()
    ordered = sorted(READ_MODELS, key=lambda model: _ORDER.index(model.name) if model.name in _ORDER else len(_ORDER))
    places = [(model.name, topic_named(topic)) for model in ordered for topic in model.folds]
    partitions = hand.settings.kafka.partitions

    async def nothing_is_left() -> bool:
        return all([await hand.caught_up(projection, topic) for projection, topic in places])

    async def no_lag_is_shown() -> bool:
        shown = [item for worker in workers for item in (await asyncio.to_thread(worker.lags)).items()]
        return len(shown) == len(dict(shown)) == len(places) * partitions and not any(lag for _, lag in shown)

    await eventually(nothing_is_left, RECOVERY_SECONDS)
    await eventually(no_lag_is_shown, RECOVERY_SECONDS)
    return time.monotonic() - began


def hold_log(world: FaultWorld) -> None:
    """What was acknowledged stands in the log, at the place that the answer named, and nothing else does."""
    log, people = world.log, {who.account_id for who in world.residents}
    misplaced = [done for done in world.acknowledged if log.places.get(done.position) != done.deed]
    assert misplaced == []
    # A command that was sent again under its key is one deed.
    acknowledged = Counter(deed for deed, _ in {(done.deed, done.key) for done in world.acknowledged})
    in_log = Counter({deed: times for deed, times in log.deeds.items() if deed[1][0] in people})
    assert in_log == acknowledged, f"more in the log: {in_log - acknowledged}; less: {acknowledged - in_log}"


@dataclass(frozen=True, slots=True)
class _Counts:
    """How many likes and comments each post has."""

    likes: Counter[int]
    comments: Counter[int]


async def _hold_person(world: FaultWorld, who: Resident, counts: _Counts) -> None:
    naive = world.log.world
    own = {post_id: post for post_id, post in naive.posts.items() if post.owner_id == who.account_id}
    cards = await _items(world, who, "/v1/feed", FEED_PAGE)
    _hold_ids([int(card["id"]) for card in cards], naive.feed(who.account_id), f"the feed of {who.account_id}")
    grid = await _items(world, who, f"/v1/accounts/{who.account_id}/posts", 50)
    _hold_ids([int(card["id"]) for card in grid], sorted(alive(own), reverse=True), f"the grid of {who.account_id}")
    for card in cards + grid:
        _hold_card(naive, counts, who, card)
    await _hold_graph(world, who, sum(post.status == "published" for post in own.values()))
    for post_id in sorted(alive(own))[-3:]:
        found = await _items(world, who, f"/v1/posts/{post_id}/comments", 50)
        assert [int(comment["id"]) for comment in found] == _comments(world, who, post_id)


def _hold_ids(found: Sequence[int], expected: Sequence[int], what: str) -> None:
    missing, unexpected = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    assert list(found) == list(expected), f"{what} lacks {missing}, has {unexpected} besides, or is in another order"


def alive(posts: dict[int, NaivePost]) -> list[int]:
    """Those that were not deleted."""
    return [post_id for post_id, post in posts.items() if post.status != "deleted"]


def _hold_card(naive: NaiveWorld, counts: _Counts, who: Resident, card: dict[str, Any]) -> None:
    post_id = int(card["id"])
    found = (card["counts"]["likes"], card["counts"]["comments"], card["viewer"]["liked"], card["status"])
    liked, status = (who.account_id, post_id) in naive.likes, naive.posts[post_id].status
    expected = (counts.likes[post_id], counts.comments[post_id], liked, status)
    assert found == expected, f"post {post_id} as {who.account_id} sees it: {found} instead of {expected}"


async def _hold_graph(world: FaultWorld, who: Resident, posts: int) -> None:
    naive, account_id = world.log.world, who.account_id
    shown = (await world.request(who, "GET", "/v1/me")).json()["counts"]
    following = {followee for follower, followee in naive.follows if follower == account_id}
    followers = {follower for follower, followee in naive.follows if followee == account_id}
    counts = {name: shown[name] for name in ("followers", "following", "posts")}
    assert counts == {"followers": len(followers), "following": len(following), "posts": posts}
    for name, expected in (("following", following), ("followers", followers)):
        found = await _items(world, who, f"/v1/accounts/{account_id}/{name}", 50)
        assert {int(account["id"]) for account in found} == expected
        assert len(found) == len(expected)


def _comments(world: FaultWorld, who: Resident, post_id: int) -> list[int]:
    """Newest first, without those of people whom a block hides from the reader."""
    naive = world.log.world
    authors = {ids[2]: ids[0] for kind, ids in world.log.deeds if kind is e.CommentCreated}
    return sorted(
        (
            comment_id
            for under, comment_id in naive.comments
            if under == post_id
            and not {(who.account_id, authors[comment_id]), (authors[comment_id], who.account_id)} & naive.blocks.keys()
        ),
        reverse=True,
    )


async def _items(world: FaultWorld, who: Resident, path: str, limit: int) -> list[dict[str, Any]]:
    """All pages of a list. Of a page of the feed that ran out of time, what it is complete for."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = await world.request(who, "GET", f"{path}?limit={limit}{cursor}")
        assert answer.status_code == 200, f"{path}: {answer.text}"
        page = answer.json()
        found += page["items"][: _certain(page)]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def _certain(page: dict[str, Any]) -> int | None:
    """How many of a page's items, the first ones, are in their place; None where all of them are."""
    if "complete" not in page:
        return None
    return int(page["complete"]["items"]) if page["complete"] else 0
