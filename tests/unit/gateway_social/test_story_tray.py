"""Trays, views and viewers of stories over HTTP: who is shown what, in which order, and until when."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from gateway.story_tray import story_tray
from photolog.timestamps import rfc3339
from projections.stores.memory_rows import MemoryRows
from schemas import events as e
from tests.unit.gateway.river import Person, River, person
from tests.unit.gateway_social.matrix_world import happen, story_events

DAY_MS = 86_400_000
VIEWERS = ("owner", "close friend", "follower", "muting", "pending", "blocked", "blocking", "stranger")


@dataclass
class Town:
    """People and their stories, behind the gateway's real application."""

    river: River
    client: httpx.AsyncClient
    people: dict[str, Person] = field(default_factory=dict)

    async def join(self, *names: str, **fields: Any) -> None:
        for name in names:
            self.people[name] = await person(self.client, name.replace(" ", "_"), **fields)

    def id(self, name: str) -> int:
        return int(self.people[name].account_id)

    async def follow(self, follower: str, *followees: str, pending: bool = False) -> None:
        for followee in followees:
            await happen(
                self.river,
                e.FollowCreated(
                    follower_id=self.id(follower),
                    followee_id=self.id(followee),
                    wanted_status="pending" if pending else "active",
                ),
            )

    async def tell(self, owner: str, audience: e.StoryAudience = "everyone", life_ms: int = DAY_MS) -> str:
        """A story that is there from now on."""
        self.river.now_ms += 1_000
        story_id, media_id = (self.river.services.ids.next() for _ in range(2))
        ends_ms = self.river.now_ms + life_ms
        await happen(self.river, *story_events(story_id, self.id(owner), media_id, audience, ends_ms))
        return str(story_id)

    async def tray(self, viewer: str) -> dict[str, Any]:
        answer = await self.people[viewer].request("GET", "/v1/stories/tray")
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def order(self, viewer: str) -> list[tuple[str, bool]]:
        """Whose stories are in a tray, and whether any is unseen."""
        items = (await self.tray(viewer))["items"]
        return [(one["account"]["username"], one["unseen"]) for one in items]

    async def see(self, viewer: str, *story_ids: str, age_ms: int = 0) -> httpx.Response:
        at = rfc3339(self.river.now_ms - age_ms)
        views = [{"story_id": story_id, "at": at} for story_id in story_ids]
        return await self.people[viewer].request("POST", "/v1/stories/views", json={"views": views})

    async def count(self, story_id: str, *viewers: str, views: int | None = None) -> None:
        """What is computed of views: each of these is one more."""
        for number, viewer in enumerate(viewers, start=1):
            await happen(
                self.river,
                e.StoryViewCounted(
                    story_id=int(story_id),
                    owner_id=0,
                    viewer_id=self.id(viewer),
                    viewed_ms=self.river.now_ms + number,
                    views=views or number,
                    expires_ms=self.river.now_ms + DAY_MS,
                ),
            )

    def viewed(self) -> list[tuple[int, int]]:
        """The views in the log."""
        found = [self.river.recorded(offset).event for offset in range(len(self.river.records))]
        return [(event.viewer_id, event.story_id) for event in found if isinstance(event, e.StoryViewed)]


@contextlib.asynccontextmanager
async def a_town(*names: str) -> AsyncIterator[Town]:
    river = River()
    async with river.client() as client:
        town = Town(river, client)
        await town.join(*names)
        yield town


@contextlib.asynccontextmanager
async def a_circle(private: bool) -> AsyncIterator[Town]:
    """An owner, and everything that somebody can be to them."""
    async with a_town(*VIEWERS[1:]) as town:
        await town.join("owner", private=private)
        await town.follow("pending", "owner", pending=True)
        for viewer in ("close friend", "follower", "muting", "blocked", "blocking"):
            await town.follow(viewer, "owner")
        owner = town.id("owner")
        await happen(
            town.river,
            e.CloseFriendAdded(owner_id=owner, friend_id=town.id("close friend")),
            # Being on the list alone opens nothing.
            e.CloseFriendAdded(owner_id=owner, friend_id=town.id("stranger")),
            e.CloseFriendAdded(owner_id=owner, friend_id=town.id("blocked")),
            e.AccountMuted(muter_id=town.id("muting"), muted_id=owner),
            e.AccountBlocked(blocker_id=owner, blocked_id=town.id("blocked")),
            e.AccountBlocked(blocker_id=town.id("blocking"), blocked_id=owner),
        )
        yield town


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
async def test_whom_a_tray_shows_whose_stories(private: bool) -> None:
    async with a_circle(private) as town:
        open_id = await town.tell("owner")
        await town.tell("owner", "close_friends")
        found = {viewer: await town.tray(viewer) for viewer in VIEWERS}
        shown = {viewer: [one["stories"] for one in tray["items"]] for viewer, tray in found.items()}
        assert shown == {viewer: [] for viewer in VIEWERS} | {"close friend": [2], "follower": [1]}
        assert {viewer: tray["own"] and tray["own"]["stories"] for viewer, tray in found.items()} == dict.fromkeys(
            VIEWERS, None
        ) | {"owner": 2}
        assert found["follower"]["items"][0]["first_unseen"] == open_id
        assert (await town.client.get("/v1/stories/tray")).status_code == 401


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
async def test_whose_views_of_which_stories_are_taken(private: bool) -> None:
    async with a_circle(private) as town:
        open_id, close_id = await town.tell("owner"), await town.tell("owner", "close_friends")
        answers = set()
        for viewer in VIEWERS:
            for story_id in (open_id, close_id, "4242424242", "9999999999999999999"):
                answer = await town.see(viewer, story_id)
                answers.add((answer.status_code, answer.content))
        assert len(answers) == 1, "the answer does not tell who sees what"
        seen = {(viewer, story_id) for viewer, story_id in town.viewed()}
        sees_open = ["close friend", "follower", "muting", *([] if private else ["pending", "stranger"])]
        sees_close = ["close friend", *([] if private else ["stranger"])]
        assert seen == {(town.id(one), int(open_id)) for one in sees_open} | {
            (town.id(one), int(close_id)) for one in sees_close
        }


async def test_unseen_first_by_the_newest_story_and_seen_ones_go_back() -> None:
    async with a_town("ada", "ben", "cem", "viewer") as town:
        await town.follow("viewer", "ada", "ben", "cem")
        first = {name: await town.tell(name) for name in ("ada", "ben", "cem")}
        second = await town.tell("ada")
        assert await town.order("viewer") == [("ada", True), ("cem", True), ("ben", True)]
        await town.see("viewer", first["cem"])
        assert await town.order("viewer") == [("ada", True), ("ben", True), ("cem", False)]
        await town.see("viewer", first["ada"])
        items = (await town.tray("viewer"))["items"]
        assert (items[0]["account"]["username"], items[0]["first_unseen"]) == ("ada", second)
        await town.see("viewer", second, first["ben"])
        assert await town.order("viewer") == [("ada", False), ("cem", False), ("ben", False)]
        await town.tell("ben")
        assert await town.order("viewer") == [("ben", True), ("ada", False), ("cem", False)]


async def test_a_lost_cache_fills_again_and_once_warm_no_row_is_read() -> None:
    async with a_town("ada", "ben", "viewer") as town:
        await town.follow("viewer", "ada", "ben")
        seen, _ = await town.tell("ada"), await town.tell("ben", "close_friends")
        await happen(town.river, e.CloseFriendAdded(owner_id=town.id("ben"), friend_id=town.id("viewer")))
        await town.see("viewer", seen)
        before = await town.tray("viewer")
        assert len(before["items"]) == 2
        town.river.cache.flush()
        town.river.seen.flush()
        assert await town.tray("viewer") == before
        alone = replace(town.river.services, rows=MemoryRows())
        again = await story_tray(alone, town.id("viewer"))
        assert [place.owner_id for place in again.places] == [town.id("ben"), town.id("ada")]
        town.river.cache.flush()
        town.river.seen.flush()
        town.river.cache.away = True
        again = await story_tray(town.river.services, town.id("viewer"))
        assert [place.owner_id for place in again.places] == [town.id("ben"), town.id("ada")]


async def test_what_was_deleted_or_taken_back_is_in_no_tray() -> None:
    async with a_town("ada", "ben", "viewer") as town:
        await town.follow("viewer", "ada", "ben")
        gone, closed = await town.tell("ada"), await town.tell("ben", "close_friends")
        ben, viewer = town.id("ben"), town.id("viewer")
        await happen(town.river, e.CloseFriendAdded(owner_id=ben, friend_id=viewer))
        assert len(await town.order("viewer")) == 2
        await happen(town.river, e.StoryDeleted(story_id=int(gone), owner_id=town.id("ada")))
        assert await town.order("viewer") == [("ben", True)]
        await happen(town.river, e.CloseFriendRemoved(owner_id=ben, friend_id=viewer))
        assert await town.order("viewer") == []
        await town.see("viewer", gone, closed)
        assert town.viewed() == []


async def test_a_story_is_there_to_its_millisecond_whatever_the_clock_does() -> None:
    async with a_town("ada", "viewer") as town:
        await town.follow("viewer", "ada")
        story_id = await town.tell("ada", life_ms=60_000)
        ends_ms = town.river.now_ms + 60_000
        assert await town.order("viewer") == [("ada", True)]
        for now_ms, there in (
            (ends_ms - 1, True),
            (ends_ms, False),
            (ends_ms - 30_000, True),
            (ends_ms + 300_000, False),
        ):
            town.river.now_ms = now_ms
            own = (await town.tray("ada"))["own"]
            assert (await town.order("viewer") != [], own is not None) == (there, there)
        await town.see("viewer", story_id)
        assert town.viewed() == []


async def test_a_view_is_one_event_however_often_it_is_sent() -> None:
    async with a_town("ada", "viewer") as town:
        story_id = await town.tell("ada")
        for _ in range(2):
            answer = await town.see("viewer", story_id, story_id, age_ms=500)
            assert (answer.status_code, answer.json()) == (202, {"accepted": 2})
        views = [record for record in town.river.records if record.topic == "story.views"]
        assert len({dict(record.headers)["ce_id"] for record in views}) == 1
        assert (await town.see("ada", story_id)).status_code == 202
        assert set(town.viewed()) == {(town.id("viewer"), int(story_id))}


async def test_a_batch_that_cannot_be_meant_is_refused_whole() -> None:
    async with a_town("ada", "viewer") as town:
        story_id = await town.tell("ada")
        assert (await town.see("viewer", story_id, age_ms=-3_600_000)).status_code == 422
        viewer = town.people["viewer"]
        for views in ([], [{"story_id": story_id, "at": "yesterday"}], [{"story_id": story_id, "at": "x"}] * 101):
            answer = await viewer.request("POST", "/v1/stories/views", json={"views": views})
            assert answer.status_code in (400, 422)
        assert town.viewed() == []


async def test_while_the_log_is_away_a_view_is_refused_at_once() -> None:
    async with a_town("ada", "viewer") as town:
        story_id = await town.tell("ada")
        town.river.log_away = True
        assert (await town.see("viewer", story_id)).status_code == 503


async def test_the_owner_alone_is_told_who_saw_a_story() -> None:
    async with a_circle(private=False) as town:
        story_id = await town.tell("owner")
        path = f"/v1/stories/{story_id}/viewers"
        assert (await town.people["owner"].request("GET", path)).json() == {
            "summary": {"views": 0, "text": None, "newest": []},
            "items": [],
            "next_cursor": None,
        }
        await town.count(story_id, "stranger", "blocked", "follower", "close friend")
        told = (await town.people["owner"].request("GET", f"{path}?limit=2")).json()
        assert told["summary"]["text"] == "Viewed by @close_friend, @follower and 2 others"
        assert [one["username"] for one in told["items"]] == ["close_friend", "follower"]
        rest = (await town.people["owner"].request("GET", f"{path}?limit=2&cursor={told['next_cursor']}")).json()
        # Whom a block hides is counted and not named.
        assert [one["username"] for one in rest["items"]] == ["stranger"]
        for viewer in VIEWERS[1:]:
            hidden = await town.people[viewer].request("GET", path)
            nothing = await town.people[viewer].request("GET", "/v1/stories/4242424242/viewers")
            differing = ("correlation_id",)
            told_hidden = {name: value for name, value in hidden.json().items() if name not in differing}
            told_nothing = {name: value for name, value in nothing.json().items() if name not in differing}
            assert (hidden.status_code, told_hidden) == (404, told_nothing)
        assert (await town.client.get(path)).status_code == 401


async def test_a_great_count_is_told_as_it_is() -> None:
    async with a_town("ada", "ben", "cem") as town:
        story_id = await town.tell("ada")
        await town.count(story_id, "ben")
        await town.count(story_id, "cem", views=1_249)
        told = (await town.people["ada"].request("GET", f"/v1/stories/{story_id}/viewers")).json()
        assert told["summary"]["views"] == 1_249
        assert told["summary"]["text"] == "Viewed by @cem, @ben and 1,247 others"


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
async def test_whom_playback_shows_which_stories(private: bool) -> None:
    async with a_circle(private) as town:
        ids = [await town.tell("owner"), await town.tell("owner", "close_friends"), await town.tell("owner")]
        path = f"/v1/accounts/{town.people['owner'].account_id}/stories"
        played: dict[str, Any] = {}
        opened: dict[str, list[str]] = {}
        for viewer in VIEWERS:
            who = town.people[viewer]
            answer = await who.request("GET", path)
            items = answer.json().get("items")
            played[viewer] = answer.status_code if items is None else [one["id"] for one in items]
            codes = [(await who.request("GET", f"/v1/stories/{story_id}")).status_code for story_id in ids]
            opened[viewer] = [story_id for story_id, code in zip(ids, codes, strict=True) if code == 200]
        open_ids = [ids[0], ids[2]]
        expected: dict[str, Any] = {"owner": ids, "close friend": ids, "follower": open_ids, "muting": open_ids}
        expected |= {"blocked": 404, "blocking": 404}
        expected |= {"pending": 403, "stranger": 403} if private else {"pending": open_ids, "stranger": ids}
        assert played == expected
        assert opened == {viewer: [] if isinstance(told, int) else told for viewer, told in expected.items()}


async def test_playback_tells_what_was_seen_and_its_owner_who_saw_it() -> None:
    async with a_town("ada", "ben") as town:
        first, second = await town.tell("ada"), await town.tell("ada")
        await town.see("ben", first)
        await town.count(first, "ben")
        path = f"/v1/accounts/{town.people['ada'].account_id}/stories"
        told = (await town.people["ben"].request("GET", path)).json()["items"]
        assert [(one["id"], one["seen"], one["viewers"]) for one in told] == [
            (first, True, None),
            (second, False, None),
        ]
        own = (await town.people["ada"].request("GET", path)).json()["items"]
        assert [(one["seen"], one["viewers"]["text"]) for one in own] == [(True, "Viewed by @ben"), (True, None)]
        town.river.now_ms += 300_000
        assert (await town.people["ada"].request("GET", f"/v1/stories/{first}")).json()["viewers"]["views"] == 1


async def test_a_story_that_has_ended_is_its_owners_alone() -> None:
    async with a_town("ada", "ben") as town:
        story_id = await town.tell("ada", life_ms=60_000)
        path = f"/v1/stories/{story_id}"
        assert (await town.people["ben"].request("GET", path)).status_code == 200
        town.river.now_ms += 59_999
        assert (await town.people["ben"].request("GET", path)).status_code == 200
        town.river.now_ms += 1
        assert (await town.people["ben"].request("GET", path)).status_code == 404
        assert (await town.people["ada"].request("GET", path)).json()["id"] == story_id
