"""Compares what the public API shows with what the plan says must be so."""

import io
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import httpx
from PIL import Image

from cli.demo_checking import Checked, check_each
from cli.demo_life import Lived
from cli.demo_model import NaiveWorld, truth_of
from cli.demo_photos import shown_size
from cli.demo_stages import Stages
from cli.demo_world import PRIVATE_PERSON, World
from photolog.client.views import Photograph
from photolog.errors import Forbidden, NotFound

T = TypeVar("T")
FEED_PAGE = 7  # small, so that cursors are followed
RATIO_TOLERANCE = 0.01


class Checks:
    """All expectations of a world that has been lived.

    Args:
        world: the plan.
        lived: what became of it.
        store: a pool of connections to the object store.
        stages: shows how it goes.
    """

    def __init__(self, world: World, lived: Lived, store: httpx.AsyncClient, stages: Stages) -> None:
        self._world = world
        self._lived = lived
        self._store = store
        self._stages = stages
        self._truth: NaiveWorld = truth_of(world)
        self._post_of = {post.id: number for number, post in lived.posts.items()}

    async def run(self) -> list[Checked]:
        """Check everything. What has not arrived yet is asked for again for a while."""
        people = range(len(self._world.people))
        posts = sorted(self._truth.author)
        pairs = sorted(self._truth.blocks)
        pictures = [number for number in posts if number not in {edit[0] for edit in self._world.edits}]
        return [
            await self._all("every feed: exact posts, exact order", people, self._feed),
            await self._all("every profile: exact counts", people, self._profile),
            await self._all("every post: likes, comments, shares, saves, hashtags", posts, self._post),
            await self._all("every post: its best comments", posts, self._top_comments),
            await self._all("saved posts that may be seen", people, self._saved),
            await self._all("photographs: upright, right size, bare", pictures, self._photographs),
            await self._all("deleted posts are gone", self._world.deleted, self._gone),
            await self._all("blocked people do not see each other", pairs, self._apart),
            await self._all("the private account shows to followers", people, self._private),
            await self._all("requests that were left are still there", [PRIVATE_PERSON], self._requests),
        ]

    async def _all(self, title: str, items: Iterable[T], check: Callable[[T], Awaitable[str | None]]) -> Checked:
        return await check_each(self._stages, title, items, check)

    async def _feed(self, person: int) -> str | None:
        place = {post: self._lived.place(post) for post in self._truth.author}
        expected = self._truth.feed(person, place)
        found = []
        async for posts in self._lived.clients[person].feed_pages(FEED_PAGE):
            found += [self._post_of.get(post.id, -1) for post in posts]
        if found == expected:
            return None
        missing, surplus = set(expected) - set(found), [post for post in found if post not in expected]
        return f"{self._name(person)}: missing {sorted(missing)}, surplus {surplus}, {len(found)} of {len(expected)}"

    async def _profile(self, person: int) -> str | None:
        account = await self._lived.clients[person].me()
        expected = (
            len(self._truth.followers(person)),
            len(self._truth.following(person)),
            sum(author == person for author in self._truth.author.values()),
        )
        counts = account.counts
        found = counts and (counts.followers, counts.following, counts.posts)
        return None if found == expected else f"{self._name(person)}: {found} instead of {expected}"

    async def _post(self, number: int) -> str | None:
        plan = self._world.posts[number]
        post = await self._lived.clients[plan.author].get_post(self._lived.posts[number].id)
        edited = {edit[0]: (edit[1], edit[2], ()) for edit in self._world.edits}
        caption, hashtags, mentions = edited.get(number, (plan.caption, plan.hashtags, plan.mentions))
        truth, counts = self._truth, post.counts
        counted = (truth.like_count(number), truth.comments[number], truth.shares[number], truth.save_count(number))
        expected = (*counted, caption, [*hashtags], [*mentions])
        found = (counts.likes, counts.comments, counts.shares, counts.saves, post.caption, post.hashtags, post.mentions)
        return None if found == expected else f"post {number}: {found} instead of {expected}"

    async def _top_comments(self, number: int) -> str | None:
        """The author sees the three most liked comments of whom they may see, among equals the newest."""
        author = self._world.posts[number].author
        post = await self._lived.clients[author].get_post(self._lived.posts[number].id)
        found = [(comment.likes, int(comment.id)) for comment in post.top_comments]
        expected = [
            (self._truth.comment_likes[index], int(self._lived.comments[index]))
            for index, (person, on, _) in enumerate(self._world.comments)
            if on == number and not self._truth.apart(person, author)
        ]
        best = sorted(expected, reverse=True)[:3]
        return None if found == best else f"post {number}: comments {found} instead of {best}"

    async def _saved(self, person: int) -> str | None:
        found = {self._post_of.get(post.id, -1) async for post in self._lived.clients[person].saved()}
        expected = self._truth.saved(person)
        return None if found == expected else f"{self._name(person)}: saved {found} instead of {expected}"

    async def _photographs(self, number: int) -> str | None:
        plan = self._world.posts[number]
        post = await self._lived.clients[plan.author].get_post(self._lived.posts[number].id)
        if [picture.alt for picture in post.photographs] != list(plan.alt_texts):
            return f"post {number}: other alt texts"
        for picture, photograph in zip(post.photographs, plan.photographs, strict=True):
            found, expected = (picture.width or 0) / (picture.height or 1), _ratio(shown_size(photograph))
            if abs(found - expected) > RATIO_TOLERANCE:
                return f"post {number}: a photograph of ratio {found:.3f} instead of {expected:.3f}"
        return await self._bare(post.photographs[0], plan.author)

    async def _bare(self, picture: Photograph, author: int) -> str | None:
        """Whether every file of a photograph opens, is upright, and says nothing of the camera."""
        for variant in picture.variants:
            answer = await self._store.get(await self._lived.clients[author].photograph_address(picture.id, variant))
            if not answer.is_success:
                return f"photograph {picture.id}: {variant} answers {answer.status_code}"
            opened = Image.open(io.BytesIO(answer.content))
            if abs(_ratio(opened.size) - (picture.width or 0) / (picture.height or 1)) > RATIO_TOLERANCE:
                return f"photograph {picture.id}: {variant} is not upright"
            if opened.getexif():
                return f"photograph {picture.id}: {variant} has metadata"
        return None if picture.variants else f"photograph {picture.id} has no files"

    async def _gone(self, number: int) -> str | None:
        author = self._world.posts[number].author
        try:
            await self._lived.clients[author].get_post(self._lived.posts[number].id)
        except NotFound:
            return None
        return f"post {number} is still there"

    async def _apart(self, pair: tuple[int, int]) -> str | None:
        for viewer, other in (pair, pair[::-1]):
            try:
                await self._lived.clients[viewer].account(self._lived.account_ids[other])
            except NotFound:
                continue
            return f"{self._name(viewer)} sees {self._name(other)}"
        return None

    async def _private(self, person: int) -> str | None:
        """The private account's grid opens to itself and its followers, and shows exactly its posts."""
        grid = self._lived.clients[person].posts_of(self._lived.account_ids[PRIVATE_PERSON])
        welcome = person == PRIVATE_PERSON or (person, PRIVATE_PERSON) in self._truth.follows
        try:
            found = {self._post_of.get(post.id) async for post in grid}
        except (Forbidden, NotFound):
            return f"{self._name(person)} is shut out" if welcome else None
        expected = {post for post, author in self._truth.author.items() if author == PRIVATE_PERSON}
        return None if welcome and found == expected else f"{self._name(person)} sees {found}"

    async def _requests(self, person: int) -> str | None:
        found = {one.id async for one in self._lived.clients[person].requests()}
        expected = {self._lived.account_ids[asker] for asker in self._truth.requests}
        return None if found == expected else f"{self._name(person)}: {len(found)} requests instead of {len(expected)}"

    def _name(self, person: int) -> str:
        return self._world.people[person].username


def _ratio(size: tuple[int, int]) -> float:
    width, height = size
    return width / height
