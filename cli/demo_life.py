"""The demo's people live: everything in the plan is done, through the public HTTP API alone."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import httpx

from cli.demo_photos import CONTENT_TYPES, render
from cli.demo_stages import Stages
from cli.demo_world import PRIVATE_PERSON, Person, PlannedPost, World
from photolog.client import Client, WaitedTooLong
from photolog.client.views import Place, Post
from photolog.errors import PhotologError
from photolog.ids import now_ms

T = TypeVar("T")
PASSWORD = "a demo is no secret"  # of every person, so that anyone may look around as any of them
AT_ONCE = 12
POSTS_AT_ONCE = 3
MEASURED_AT_ONCE = 2
PROBE_SECONDS = 0.02
WAIT_SECONDS = 60.0


class UnlikeThePlan(PhotologError):
    """Something happened that the plan does not know."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """How long a post took to a follower's feed, milliseconds."""

    from_published_ms: int
    from_post_ms: int


@dataclass(slots=True)
class Lived:
    """What became of a plan: the accounts and posts by their index, and how long posts were under way."""

    clients: list[Client] = field(default_factory=list)
    account_ids: list[str] = field(default_factory=list)
    posts: dict[int, Post] = field(default_factory=dict)
    comments: dict[int, str] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)
    bytes_uploaded: int = 0

    def place(self, post: int) -> tuple[int, int]:
        """A post's place in publication order."""
        shown = self.posts[post]
        return (shown.published_ms, int(shown.id))


class Life:
    """Does what a plan says.

    Args:
        world: the plan.
        gateway: a pool of connections to the gateway.
        store: one to the object store.
        stages: shows how it goes.
    """

    def __init__(self, world: World, gateway: httpx.AsyncClient, store: httpx.AsyncClient, stages: Stages) -> None:
        self._world = world
        self._stages = stages
        self.lived = Lived(clients=[Client(gateway, store) for _ in world.people])
        self._rendering = asyncio.Semaphore(1)

    async def live(self) -> Lived:
        """All of it, in order."""
        world, act = self._world, self._stages.each
        self.lived.account_ids = await act("people sign up", world.people, self._sign_up, AT_ONCE)
        await act("follow each other", world.follows, self._follow, AT_ONCE)
        await act("ask to follow a private account", world.requests, self._ask, AT_ONCE)
        await act("are answered", [world.requests], self._answer, 1)
        early = range(len(world.early))
        await act("post photographs", early, self._publish, POSTS_AT_ONCE)
        await act("open their feeds", self.lived.clients, lambda client: client.feed_page(), AT_ONCE)
        late = range(len(early), len(world.posts))
        await act("post while others watch", late, self._publish_measured, MEASURED_AT_ONCE)
        await act("like", world.likes, self._like, AT_ONCE)
        await act("comment", range(len(world.comments)), self._comment, AT_ONCE)
        await act("reply", world.replies, self._reply, AT_ONCE)
        await act("like comments", world.comment_likes, self._like_comment, AT_ONCE)
        await act("save posts", world.saves, self._save, AT_ONCE)
        await act("share posts", world.shares, self._share, AT_ONCE)
        await act("unfollow", world.unfollows, self._unfollow, AT_ONCE)
        await act("block", world.blocks, self._block, AT_ONCE)
        await act("mute", world.mutes, self._mute, AT_ONCE)
        await act("change a caption", world.edits, self._edit, AT_ONCE)
        await act("delete a post", world.deleted, self._delete, AT_ONCE)
        return self.lived

    async def _sign_up(self, person: Person) -> str:
        client = self.lived.clients[person.index]
        account_id = await client.sign_up(person.username, PASSWORD, person.display_name, person.private)
        await client.log_in(person.username, PASSWORD)
        return account_id

    async def _follow(self, edge: tuple[int, int]) -> None:
        await self._client(edge[0]).follow(self._account(edge[1]))

    async def _ask(self, request: tuple[int, str]) -> None:
        followed = await self._client(request[0]).follow(self._account(PRIVATE_PERSON))
        if followed.following != "pending":
            raise UnlikeThePlan("a private account was followed without being asked")

    async def _answer(self, requests: Sequence[tuple[int, str]]) -> None:
        """The private person sees all who ask, and answers some."""
        owner = self._client(PRIVATE_PERSON)
        asking = {self._account(asker) for asker, _ in requests}

        async def all_there() -> bool:
            return {one.id async for one in owner.requests()} >= asking

        await until(all_there, "the requests to follow a private account")
        for asker, answer in requests:
            if answer == "approve":
                await owner.approve(self._account(asker))
            elif answer == "deny":
                await owner.deny(self._account(asker))

    async def _publish(self, number: int) -> None:
        media_ids = await self._upload(self._world.posts[number])
        post_id, _ = await self._post(number, media_ids)
        client = self._client(self._world.posts[number].author)
        self.lived.posts[number] = await client.wait_published(post_id, WAIT_SECONDS)

    async def _publish_measured(self, number: int) -> None:
        """Post, and look into a follower's feed until it is there."""
        author = self._world.posts[number].author
        media_ids = await self._upload(self._world.posts[number])
        post_id, posted_ms = await self._post(number, media_ids)
        watcher = next((reader for reader, followee in self._world.follows if followee == author), None)
        seen_ms = None if watcher is None else await self._seen(watcher, post_id)
        post = await self._client(author).wait_published(post_id, WAIT_SECONDS)
        self.lived.posts[number] = post
        if seen_ms is not None:
            self.lived.arrivals.append(Arrival(seen_ms - post.published_ms, seen_ms - posted_ms))

    async def _upload(self, post: PlannedPost) -> list[str]:
        media_ids = []
        for photograph in post.photographs:
            async with self._rendering:  # one core is left for those who decode
                data = await asyncio.to_thread(render, photograph)
            media_ids.append(await self._client(post.author).upload(data, CONTENT_TYPES[photograph.form]))
            self.lived.bytes_uploaded += len(data)
        return media_ids

    async def _post(self, number: int, media_ids: Sequence[str]) -> tuple[str, int]:
        """A post's id, and when it was sent, Unix ms."""
        post = self._world.posts[number]
        place = None
        if post.place is not None:
            place = Place(name=post.place.name, latitude=post.place.latitude, longitude=post.place.longitude)
        sent_ms = now_ms()
        client = self._client(post.author)
        return await client.post(media_ids, post.caption, alt_texts=post.alt_texts, location=place), sent_ms

    async def _seen(self, watcher: int, post_id: str) -> int:
        """When a person's feed first showed a post, Unix ms."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            page = await self._client(watcher).feed_page()
            if any(post.id == post_id for post in page.items):
                return now_ms()
            await asyncio.sleep(PROBE_SECONDS)
        raise WaitedTooLong(f"post {post_id} was not in {self._world.people[watcher].username}'s feed in time")

    async def _like(self, like: tuple[int, int]) -> None:
        await self._client(like[0]).like(self.lived.posts[like[1]].id)

    async def _comment(self, number: int) -> None:
        person, post, text = self._world.comments[number]
        self.lived.comments[number] = await self._client(person).comment(self.lived.posts[post].id, text)

    async def _reply(self, reply: tuple[int, int, str]) -> None:
        person, comment, text = reply
        await self._client(person).comment(self._post_id(comment), text, self.lived.comments[comment])

    async def _like_comment(self, like: tuple[int, int]) -> None:
        person, comment = like
        await self._client(person).like_comment(self._post_id(comment), self.lived.comments[comment])

    async def _save(self, save: tuple[int, int]) -> None:
        await self._client(save[0]).save(self.lived.posts[save[1]].id)

    async def _share(self, share: tuple[int, int]) -> None:
        await self._client(share[0]).share(self.lived.posts[share[1]].id)

    def _post_id(self, comment: int) -> str:
        """The id of the post that a comment is on."""
        return self.lived.posts[self._world.comments[comment][1]].id

    async def _unfollow(self, edge: tuple[int, int]) -> None:
        await self._client(edge[0]).unfollow(self._account(edge[1]))

    async def _block(self, pair: tuple[int, int]) -> None:
        await self._client(pair[0]).block(self._account(pair[1]))

    async def _mute(self, pair: tuple[int, int]) -> None:
        await self._client(pair[0]).mute(self._account(pair[1]))

    async def _edit(self, edit: tuple[int, str, tuple[str, ...]]) -> None:
        number, caption, _ = edit
        await self._client(self._world.posts[number].author).change_caption(self.lived.posts[number].id, caption)

    async def _delete(self, number: int) -> None:
        await self._client(self._world.posts[number].author).delete_post(self.lived.posts[number].id)

    def _client(self, person: int) -> Client:
        return self.lived.clients[person]

    def _account(self, person: int) -> str:
        return self.lived.account_ids[person]


async def until(holds: Callable[[], Awaitable[bool]], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Ask again and again until something holds.

    Raises:
        WaitedTooLong: it did not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > deadline:
            raise WaitedTooLong(f"{what} did not appear within {seconds:g} s")
        await asyncio.sleep(0.1)
