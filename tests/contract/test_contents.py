"""What every store of contents decides, in memory and in Cassandra."""

import asyncio
import secrets

import msgspec
import pytest

from photolog.engines.cassandra_session import CassandraSession
from schemas.events import MediaTranscodingCompleted
from transcode.contents.cassandra import CONTENTS_DDL, CassandraContents
from transcode.contents.memory import MemoryContents
from transcode.contents.port import Base, Content, ContentRow, ContentStore

CONTENT = Content(
    content_type="image/jpeg",
    answer=MediaTranscodingCompleted(media_id=7, owner_id=1, width=3, height=2, variants=[], phash=-5),
    base=Base("b" * 64, 5),
)


@pytest.fixture(scope="session")
async def kept_contents(cassandra_session: CassandraSession) -> ContentStore:
    for statement in CONTENTS_DDL:
        await cassandra_session.execute(statement)
    return CassandraContents(cassandra_session)


@pytest.fixture(params=["memory", pytest.param("cassandra", marks=pytest.mark.integration)])
def store(request: pytest.FixtureRequest) -> ContentStore:
    """A store. Cassandra's is shared: a test uses digests of its own."""
    if request.param == "memory":
        return MemoryContents()
    kept: ContentStore = request.getfixturevalue("kept_contents")
    return kept


def making(version: int = 1) -> ContentRow:
    return ContentRow(digest=secrets.token_hex(32), content_id=7, state="making", renewed_ms=5, version=version)


def ready(row: ContentRow, version: int) -> ContentRow:
    return msgspec.structs.replace(row, state="ready", version=version, holders=1, content=CONTENT)


async def test_of_many_who_create_a_content_at_once_one_does(store: ContentStore) -> None:
    row = making()
    others = [msgspec.structs.replace(row, content_id=number, version=number) for number in range(2, 8)]
    created = await asyncio.gather(*(store.create(one) for one in (row, *others)))
    assert sum(created) == 1
    kept = await store.get(row.digest)
    assert kept == (row, *others)[created.index(True)]


async def test_what_is_not_there_is_none_and_held_by_nobody(store: ContentStore) -> None:
    row = making()
    assert await store.get(row.digest) is None
    assert not await store.holds(row.digest, 7)
    assert not await store.change(row, ready(row, 2), takes=7)
    assert not await store.remove(row)
    assert await store.get(row.digest) is None


async def test_a_content_changes_with_its_holders_or_not_at_all(store: ContentStore) -> None:
    row = making()
    assert await store.create(row)
    after = ready(row, 2)
    assert await store.change(row, after, takes=7)
    assert await store.get(row.digest) == after
    assert await store.holds(row.digest, 7)
    late = msgspec.structs.replace(after, version=3, holders=9)
    assert not await store.change(row, late, takes=8)  # it is not as it was
    assert not await store.change(row, late, leaves=7)
    assert await store.get(row.digest) == after
    assert (await store.holds(row.digest, 7), await store.holds(row.digest, 8)) == (True, False)


async def test_of_many_changes_of_one_state_one_is_made(store: ContentStore) -> None:
    row = making()
    assert await store.create(row)
    changed = await asyncio.gather(*(store.change(row, ready(row, 10 + n), takes=n) for n in range(1, 6)))
    assert sum(changed) == 1
    assert [await store.holds(row.digest, number) for number in range(1, 6)] == changed


async def test_a_content_is_removed_as_it_is_and_no_other(store: ContentStore) -> None:
    row = making()
    assert await store.create(row)
    going = msgspec.structs.replace(ready(row, 2), state="going", holders=0)
    assert await store.change(row, ready(row, 3), takes=7)
    assert await store.change(ready(row, 3), going, leaves=7)
    assert not await store.remove(row)
    assert await store.remove(going)
    assert await store.get(row.digest) is None
    assert await store.create(making())


async def test_all_digests_are_told(store: ContentStore) -> None:
    rows = [making() for _ in range(5)]
    for row in rows:
        assert await store.create(row)
    told = [digest async for some in store.digests() for digest in some]
    assert {row.digest for row in rows} <= set(told)
