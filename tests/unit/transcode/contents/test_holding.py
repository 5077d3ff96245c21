"""Uploads of the same bytes: one makes the content, all hold it, and the last to leave takes the files along."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photolog.errors import StoreUnavailable
from photolog.media.originals import content_prefix, original_key
from schemas.events import MediaTranscodingCompleted
from tests.unit.mortal import Killed, Mortal
from transcode.contents import holding
from transcode.contents.holding import STALE_MS, Apart, Busy, Contents, Held, Mine
from transcode.contents.memory import MemoryContents
from transcode.contents.port import Base, Content, ContentRow

DIGEST = "d" * 64
OTHER = "e" * 64


class Files:
    """A bucket of names."""

    def __init__(self) -> None:
        self.keys_there: set[str] = {f"raw/1/{media_id}" for media_id in range(1, 10)}

    async def copy(self, key: str, to_key: str) -> None:
        await asyncio.sleep(0)
        assert key in self.keys_there
        self.keys_there.add(to_key)

    async def keys(self, prefix: str) -> AsyncIterator[list[str]]:
        yield sorted(key for key in self.keys_there if key.startswith(prefix))

    async def delete(self, key: str) -> None:
        await asyncio.sleep(0)
        self.keys_there.discard(key)

    def of(self, content_id: int) -> set[str]:
        prefix = content_prefix(content_id)
        return {key for key in self.keys_there if key.startswith(prefix) or key == original_key(content_id)}


class Seen:
    """A filter that is right, or away, or has lost what it knew."""

    def __init__(self) -> None:
        self.digests: set[bytes] = set()
        self.away = False

    async def may_contain(self, digest: bytes) -> bool:
        self._answer()
        return digest in self.digests

    async def add(self, digests: Iterable[bytes]) -> None:
        self._answer()
        self.digests.update(digests)

    def _answer(self) -> None:
        if self.away:
            raise StoreUnavailable("Redis is away")


class PausingContents(MemoryContents):
    """Others come in between any two calls."""

    async def get(self, digest: str) -> ContentRow | None:
        await asyncio.sleep(0)
        return await super().get(digest)

    async def change(
        self, before: ContentRow, after: ContentRow, *, takes: int | None = None, leaves: int | None = None
    ) -> bool:
        await asyncio.sleep(0)
        return await super().change(before, after, takes=takes, leaves=leaves)


class World:
    def __init__(self, seen: Seen | None = None) -> None:
        self.now_ms = 0
        self.store, self.files = PausingContents(), Files()
        self.contents = Contents(self.store, self.files, seen, clock_ms=lambda: self.now_ms)

    async def claim(self, media_id: int, digest: str = DIGEST, *, fits: bool = True) -> object:
        return await self.contents.claim(digest, media_id, lambda content: fits)

    def dying(self, calls: dict[str, Any]) -> Contents:
        """The contents as a process sees them that dies."""
        store = Mortal(self.store, calls, ("get", "holds", "create", "change", "remove"))
        return Contents(store, Mortal(self.files, calls, ("copy", "delete")), clock_ms=lambda: self.now_ms)

    async def made(self, media_id: int, digest: str = DIGEST, base: Base | None = None) -> Mine:
        """Claim, make and finish."""
        claim = await self.claim(media_id, digest)
        assert isinstance(claim, Mine)
        self.store_files(media_id)
        assert await self.contents.finish(claim, content(media_id, base), f"raw/1/{media_id}")
        return claim

    def store_files(self, media_id: int) -> None:
        self.files.keys_there |= {f"{content_prefix(media_id)}w320.jpeg", f"{content_prefix(media_id)}thumbprint"}


def content(media_id: int, base: Base | None = None) -> Content:
    answer = MediaTranscodingCompleted(media_id=media_id, owner_id=1, width=3, height=2, variants=[])
    return Content(content_type="image/jpeg", answer=answer, base=base)


async def test_the_first_makes_it_and_the_next_holds_it() -> None:
    world = World()
    await world.made(1)
    assert await world.claim(2) == Held(content(1))
    assert world.store.rows[DIGEST].holders == 2
    assert original_key(1) in world.files.keys_there
    assert await world.claim(2) == Held(content(1))  # asked again after a crash, it is counted once
    assert world.store.rows[DIGEST].holders == 2


async def test_who_comes_while_it_is_made_waits() -> None:
    world = World()
    claim = await world.claim(1)
    assert await world.claim(2) == Busy()
    assert await world.contents.is_busy(DIGEST)
    assert isinstance(claim, Mine)
    assert isinstance(await world.claim(1), Mine)  # the same upload, after its worker died
    await world.contents.give_up(claim)
    assert not await world.contents.is_busy(DIGEST)
    assert isinstance(await world.claim(2), Mine)


async def test_whoever_gives_no_sign_is_taken_for_dead_and_holds_the_others_when_it_comes_back() -> None:
    world = World()
    slow = await world.claim(1)
    assert isinstance(slow, Mine)
    world.now_ms += STALE_MS
    assert await world.contents.renew(slow)
    world.now_ms += STALE_MS
    assert await world.claim(2) == Busy()
    world.now_ms += 1
    await world.made(2)
    assert not await world.contents.renew(slow)
    world.store_files(1)
    assert not await world.contents.finish(slow, content(1), "raw/1/1")
    assert world.files.of(1) == set()  # what it made is thrown away
    await world.contents.give_up(slow)
    assert await world.claim(1) == Held(content(2))
    assert len(world.files.of(2)) == 3


async def test_files_go_with_the_last_who_holds_them() -> None:
    world = World()
    await world.made(1)
    await world.claim(2)
    await world.contents.release(DIGEST, 1)
    await world.contents.release(DIGEST, 1)
    assert len(world.files.of(1)) == 3
    assert await world.contents.holds(DIGEST, 2)
    await world.contents.release(DIGEST, 2)
    assert world.files.of(1) == set()
    assert world.store.rows == {}
    await world.made(3)
    assert len(world.files.of(3)) == 3


async def test_what_may_not_stand_for_an_upload_is_left_alone() -> None:
    world = World()
    await world.made(1)
    assert await world.claim(2, fits=False) == Apart()
    assert world.store.rows[DIGEST].holders == 1


async def test_holders_of_one_content_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "HOLDERS_MAX", 2)
    world = World()
    await world.made(1)
    assert isinstance(await world.claim(2), Held)
    assert await world.claim(3) == Apart()
    assert await world.contents.hold_base(Base(DIGEST, 1), OTHER) is None
    assert isinstance(await world.claim(2), Held)


async def test_a_content_that_shows_anothers_files_holds_them_until_it_goes_itself() -> None:
    world = World()
    await world.made(1)
    assert await world.contents.hold_base(Base(DIGEST, 1), OTHER) == content(1)
    assert await world.contents.hold_base(Base(DIGEST, 1), OTHER) == content(1)
    assert world.store.rows[DIGEST].holders == 2
    await world.made(5, OTHER, Base(DIGEST, 1))
    assert isinstance(await world.claim(6, OTHER), Held)
    await world.contents.release(DIGEST, 1)
    await world.contents.release(OTHER, 5)
    assert len(world.files.of(1)) == 3
    await world.contents.release(OTHER, 6)
    assert world.files.of(1) | world.files.of(5) == set()
    assert world.store.rows == {}


async def test_what_is_going_or_is_another_is_no_base() -> None:
    world = World()
    await world.claim(1)
    assert await world.contents.hold_base(Base(DIGEST, 1), OTHER) is None
    world = World()
    await world.made(2)
    assert await world.contents.hold_base(Base(DIGEST, 1), OTHER) is None
    assert await world.contents.hold_base(Base(OTHER, 1), DIGEST) is None


async def test_a_removal_that_stopped_is_finished_by_whoever_meets_it() -> None:
    world = World()
    await world.made(1)
    calls = {"left": 4, "after": False}
    with pytest.raises(Killed):
        await world.dying(calls).release(DIGEST, 1)
    assert world.store.rows[DIGEST].state == "going"
    assert await world.claim(2) == Busy()
    world.now_ms += STALE_MS + 1
    assert await world.claim(2) == Busy()
    await world.made(2)
    assert world.files.of(1) == set()
    assert len(world.files.of(2)) == 3


@pytest.mark.parametrize("away", [False, True], ids=["forgetful", "away"])
async def test_a_filter_that_errs_stores_nothing_twice(away: bool) -> None:
    seen = Seen()
    world = World(seen)
    await world.made(1)
    seen.digests.clear()
    seen.away = away
    assert await world.claim(2) == Held(content(1))


async def test_a_filter_saves_asking_for_what_never_was() -> None:
    world, asked = World(Seen()), []
    get = world.store.get

    async def noting(digest: str) -> object:
        asked.append(digest)
        return await get(digest)

    world.store.get = noting  # type: ignore[method-assign, assignment]
    assert isinstance(await world.claim(1), Mine)
    assert asked == []
    assert isinstance(await world.claim(1), Mine)
    assert asked == [DIGEST]


class Life:
    """Some uploads of the same bytes, at random, by workers that die at any call.

    What holds at every moment: a record that was answered and not yet released has all its files.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.world = World()
        self.answered: dict[int, int] = {}
        self.released: set[int] = set()

    def dying(self) -> Contents:
        return self.world.dying({"left": self.chance.randrange(16), "after": self.chance.random() < 0.5})

    async def upload(self, media_id: int) -> None:
        while media_id not in self.answered:
            try:
                await self._attempt(self.dying(), media_id)
            except Killed:
                self.world.now_ms += self.chance.choice([0, STALE_MS + 1])
            self.check()
            await asyncio.sleep(0)

    async def leave(self, media_id: int) -> None:
        self.released.add(media_id)
        while await self.world.store.holds(DIGEST, media_id) or self._is_going():
            try:
                await self.dying().release(DIGEST, media_id)
            except Killed:
                self.check()
            await asyncio.sleep(0)

    def check(self) -> None:
        for media_id, content_id in self.answered.items():
            if media_id not in self.released:
                assert len(self.world.files.of(content_id)) == 3, (media_id, content_id)

    async def _attempt(self, contents: Contents, media_id: int) -> None:
        claim = await contents.claim(DIGEST, media_id, lambda content: True)
        if isinstance(claim, Held):
            self.answered[media_id] = claim.content.answer.media_id
        elif isinstance(claim, Mine):
            self.world.store_files(media_id)
            if await contents.finish(claim, content(media_id), f"raw/1/{media_id}"):
                self.answered[media_id] = media_id
        elif self.chance.random() < 0.2:
            self.world.now_ms += STALE_MS + 1

    def _is_going(self) -> bool:
        row = self.world.store.rows.get(DIGEST)
        return row is not None and row.state == "going"


@given(seed=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_nobody_who_holds_a_content_is_ever_without_files_and_none_are_left_at_the_end(seed: int) -> None:
    async def live() -> None:
        life = Life(seed)

        async def one(media_id: int) -> None:
            await life.upload(media_id)
            life.check()
            for _ in range(life.chance.randrange(6)):
                await asyncio.sleep(0)
            await life.leave(media_id)
            life.check()

        await asyncio.gather(*(one(media_id) for media_id in range(1, 5)))
        assert life.world.store.rows == {}
        assert not any(life.world.store.held.values())
        assert not {key for key in life.world.files.keys_there if not key.startswith("raw/")}

    asyncio.run(live())
