"""The scan finds what is left wherever it is, and finds nothing once an account is erased."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from leaving.scan import Place, Scan, ScanReport, totals
from photolog.log.dead_letters import dead_letter
from photolog.log.record import StoredRecord
from projections.cards import CARD, account_key
from projections.stores.memory_cache import MemoryCache
from projections.stores.port import CacheWrite
from schemas import events as e
from tests.unit.leaving.world import ANNA, BERT, NAME, World
from tests.unit.streams.river import encoded

CANARY = "mine on theirs"


class MemoryEntries:
    """`leaving.cache_entries.CacheEntries` of a memory cache, in Redis's stored form."""

    def __init__(self, cache: MemoryCache) -> None:
        self._cache = cache

    async def entries(self) -> AsyncIterator[tuple[str, dict[str, bytes]]]:
        for key, entry in self._cache._entries.items():
            fields = {
                name: b"%d" % version if value is None else b"%d|%b" % (version, value)
                for name, (version, value) in entry.fields.items()
            }
            yield key, fields


async def scanned(world: World, *words: str, account_id: int = ANNA) -> ScanReport:
    return await Scan(world.resources(), MemoryEntries(world.river.cache), account_id, words).report()


def at(report: ScanReport, place: str) -> Place:
    return next((found for found in report.places if found.place == place), Place(place=place))


async def erased(world: World) -> World:
    await world.begin()
    await world.erase()
    return world


async def test_an_account_that_is_not_erased_is_found_everywhere(world: World) -> None:
    report = await scanned(world, CANARY)
    assert not report.clean
    assert not report.marked
    for place in (
        "log/accounts",
        "log/posts",
        "log/comments",
        "rows/accounts",
        "rows/posts",
        "rows/likes",
        "rows/comments_by_post",
        "rows/comment_likes",
        "rows/replies",
        "rows/reports_by_week",
        "rows/saved_posts",
        "rows/followers",
        "rows/followings",
        "rows/follow_requests",
        "rows/sent_requests",
        "rows/blocks",
        "rows/mutes",
        "objects",
        "unfinished-uploads",
        "vault.credentials",
        "vault.reservations",
        "vault.sessions",
        "vault.subject_keys",
        "vault.uploads",
        "vault.usernames",
        "caches",
    ):
        assert at(report, place).left > 0, place


async def test_an_erased_account_is_nowhere(world: World) -> None:
    report = await scanned(await erased(world), CANARY, NAME, "light and shade")
    assert [found for found in report.places if found.left] == []
    assert report.clean
    assert report.marked
    assert at(report, "log/comments").sealed == 3
    assert at(report, "log/reports").sealed == 1
    assert at(report, "log/accounts").sealed == 4
    assert totals(report)["references"] > 0


async def test_a_key_that_came_back_is_found(world: World) -> None:
    await erased(world)
    world.river.keys.erased.clear()
    report = await scanned(world)
    assert at(report, "log/comments").left == 3
    assert at(report, "vault.subject_keys").left == 1
    assert not report.clean


async def test_a_decryptable_dead_letter_is_found_and_a_sealed_one_is_not(world: World) -> None:
    record = encoded(e.CommentCreated(comment_id=1, post_id=2, author_id=ANNA, text="poison"))
    stored = StoredRecord(record.topic, 0, 0, record.key, record.value, record.headers, 1)
    world.river.log.append(dead_letter(stored, "comments.dead", "comments", "fold raised"))
    assert at(await scanned(world), "log/comments.dead").left == 1
    report = await scanned(await erased(world))
    assert at(report, "log/comments.dead") == Place(place="log/comments.dead", sealed=1, references=1)
    assert report.clean


@pytest.mark.parametrize(
    ("place", "leave"),
    [
        ("objects", lambda world: world.objects.objects.update({f"raw/{ANNA}/1": (b"", "")})),
        ("objects", lambda world: world.objects.objects.update({"processed/501/w320.jpeg": (b"", "")})),
        ("rows/likes", lambda world: world.river.append(e.PostLiked(actor_id=ANNA, post_id=105))),
        ("caches", lambda world: world.river.cache._entries.clear()),
    ],
    ids=["original", "variant", "like", "card"],
)
async def test_one_thing_that_is_left_is_found(world: World, place: str, leave: Any) -> None:
    await erased(world)
    leave(world)
    await world.river.pump()
    if place == "caches":
        form = b'0{"id":"11","username":"anna"}'
        await world.river.cache.merge([CacheWrite(account_key(ANNA)[0], CARD, 99, form)])
    report = await scanned(world)
    found = {one.place for one in report.places if one.left}
    # A like is in the post's list and in the cache of likes too.
    assert found == ({place, "rows/likers", "caches"} if place == "rows/likes" else {place})


async def test_a_word_is_found_in_other_peoples_rows(world: World) -> None:
    await erased(world)
    world.river.append(e.CommentCreated(comment_id=990, post_id=105, author_id=BERT, text=f"goodbye {NAME}"))
    await world.river.pump()
    assert (await scanned(world)).clean
    assert at(await scanned(world, NAME), "rows/comments_by_post").left == 1


async def test_others_are_not_taken_for_the_account(world: World) -> None:
    world.river.keys.erased.add(424242)
    report = await scanned(world, account_id=424242)
    assert totals(report) == {"left": 0, "sealed": 0, "references": 0, "unreadable": 0}
