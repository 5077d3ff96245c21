"""Queries: what a stream would show now, from files and from the log, once; and SQL that reaches nothing else."""

import asyncio
import os
import tempfile
from pathlib import Path

import msgspec
import pytest

from analytics.asking import events_in
from analytics.audience import Audience, holder_of, nobody_in_particular
from analytics.database import QueryBounds, opened
from analytics.public_tables import EVENTS, PublicRow, dictionary, schema_of, table_of
from analytics.sources import Span
from gateway.streams.filters import PUBLIC
from gateway.streams.pseudonyms import Pseudonyms
from gateway.streams.shapes import json_schema
from photolog.errors import Forbidden, Invalid, Limited, NotFound, PositionTimeout, Unauthenticated
from schemas import events as e
from tests.unit.analytics.asking_world import BOUNDS, AskingWorld, holder
from tests.unit.gateway.streams.scene import HOUR_MS

LIKES = "SELECT count(*) FROM post_liked"


async def village() -> tuple[AskingWorld, int]:
    """Ada's post, which Bob likes and comments on; the first part of it is exported."""
    world = AskingWorld()
    await world.signs_up("ada", "bob")
    post_id = await world.post(world.people["ada"])
    await world.likes("bob", post_id)
    await world.export()
    await world.likes("ada", post_id)
    await world.comment(post_id, world.people["bob"])
    return world, post_id


async def test_files_and_the_log_since_are_one_table_without_gap_or_repeat() -> None:
    world, post_id = await village()
    assert await world.told(LIKES) == [(2,)]
    await world.export()
    assert await world.told(LIKES) == [(2,)]
    await world.signs_up("cem")
    await world.likes("cem", post_id)
    assert await world.told(LIKES) == [(3,)]


async def test_an_event_that_stands_on_both_sides_of_the_seam_is_one() -> None:
    world, _ = await village()
    first = next(record for record in world.river.records if record.topic == "likes")
    for _ in range(2):
        await world.river.append_all([first])
    assert await world.told(LIKES) == [(2,)]


async def test_a_file_of_an_unfinished_stretch_is_not_looked_at() -> None:
    world, _ = await village()
    positions, files = dict(world.positions.noted), dict(world.files.objects)
    await world.export()
    # As if the last export had died as it wrote its files.
    world.positions.noted = positions
    world.files.objects = {key: files.get(key, b"") for key in world.files.objects}
    assert await world.told(LIKES) == [(2,)]


async def test_rows_hold_what_a_stream_shows_under_the_grants_pseudonyms() -> None:
    world, post_id = await village()
    asked = "SELECT * FROM post_published"
    answer = await world.ask(asked, holder("one"))
    assert answer.columns == ["event_id", "time", "post_id", "owner_id", "published_ms", "media", "hashtags"]
    ((_, _, post, owner, _, media, hashtags),) = answer.rows
    names = Pseudonyms(b"p" * 32, "one")
    assert (post, owner) == (names.of("post", post_id), names.of("account", world.people["ada"]))
    photo = {"width": 640, "height": 480, "kind": "photo", "duration_ms": 0}
    assert (media, hashtags) == ([photo], ["sky"])
    again, other, nobody = [
        await world.told(asked, audience=who) for who in (holder("one"), holder("two"), nobody_in_particular())
    ]
    assert [row[2] for row in again] == [post]
    assert len({post, other[0][2], nobody[0][2], (await world.told(asked))[0][2]}) == 4


async def test_what_is_not_public_any_more_is_not_there_though_it_was_exported() -> None:
    world, post_id = await village()
    bob, comments = world.people["bob"], "SELECT count(*) FROM comment_created"
    assert (await world.told(LIKES), await world.told(comments)) == ([(2,)], [(1,)])
    await world.export()
    await world.happen(e.PrivacyChanged(account_id=bob, private=True))
    assert (await world.told(LIKES), await world.told(comments)) == ([(1,)], [(0,)])
    await world.happen(e.AccountDeleted(account_id=world.people["ada"]))
    assert await world.told("SELECT count(*) FROM post_published, post_liked") == [(0,)]
    assert await world.told("SELECT count(*) FROM account_created") == [(0,)]
    assert post_id


async def test_nothing_is_told_before_the_rows_know_of_all_that_has_happened() -> None:
    world, post_id = await village()
    world.river.flowing = False
    await world.happen(e.PostDeleted(post_id=post_id, owner_id=world.people["ada"]))
    with pytest.raises(PositionTimeout):
        await world.ask(LIKES)
    await world.river.flow()
    assert await world.told(LIKES) == [(0,)]


async def test_nothing_personal_is_in_any_table() -> None:
    world, _ = await village()
    for name in EVENTS:
        rows = await world.told(f"SELECT * FROM {name}")
        assert "words" not in str(rows)
        assert not any(str(number) in str(rows) for number in world.people.values())


async def test_only_the_granted_types_and_their_share() -> None:
    world, _ = await village()
    with pytest.raises(Forbidden, match=r"does not cover post\.published"):
        await world.ask("SELECT * FROM post_published", holder("one", "post.liked"))
    assert await world.told(LIKES, audience=holder("one", "post.liked", sample=1e-9)) == [(0,)]
    assert await world.told(LIKES, audience=holder("one", "post.liked")) == [(2,)]


async def test_time_bounds_hold_in_files_and_in_the_log() -> None:
    world, post_id = await village()
    world.river.now_ms += 3 * HOUR_MS
    since_ms = world.river.now_ms
    await world.signs_up("cem", "dan")
    await world.likes("cem", post_id)
    await world.export()
    await world.likes("dan", post_id)
    assert await world.told(LIKES, span=Span(since_ms=since_ms)) == [(2,)]
    assert await world.told(LIKES, span=Span(until_ms=since_ms)) == [(2,)]
    assert await world.told(LIKES, span=Span(since_ms, since_ms)) == [(0,)]
    assert await world.told(LIKES, span=Span(since_ms - 2 * HOUR_MS, since_ms + HOUR_MS)) == [(2,)]


async def test_a_grant_is_named_by_its_id_or_its_token_while_it_is_good() -> None:
    world, _ = await village()
    row, token = await world.grant_with_token("post.liked")
    grants, keeper = world.river.vault.grants, world.desk.grants

    async def found(text: str, now_ms: int = 0) -> Audience:
        return await holder_of(text, grants, keeper, b"p" * 32, lambda: now_ms)

    by_id, by_token = await found(row.grant_id), await found(token)
    assert by_id.takes == by_token.takes
    assert by_id.takes.types == ("post.liked",)
    assert (
        by_id.pseudonyms.of("post", 5)
        == by_token.pseudonyms.of("post", 5)
        == holder(row.grant_id).pseudonyms.of("post", 5)
    )
    with pytest.raises(Unauthenticated, match="expired"):
        await found(row.grant_id, row.expires_ms)
    await keeper.revoke(row.grant_id)
    for text in (row.grant_id, token):
        with pytest.raises(Unauthenticated):
            await found(text)
    with pytest.raises(NotFound):
        await found("0" * 16)
    with pytest.raises(Unauthenticated):
        await found("no token")


def test_only_one_select_is_a_query() -> None:
    assert events_in("SELECT 1") == []
    asked = (
        "WITH own AS (SELECT * FROM Post_Liked) SELECT * FROM own, main.dictionary JOIN post_shared USING (event_id)"
    )
    with pytest.raises(Invalid, match="event_id"):
        events_in(asked)
    assert events_in(asked.replace("main.dictionary JOIN", "main.dictionary,").partition("USING")[0]) == [
        e.PostLiked,
        e.PostShared,
    ]
    for text in (
        "DROP TABLE post_liked",
        "SELECT 1; SELECT 2",
        "",
        "COPY post_liked TO 'x'",
        "SET threads = 1",
        "SEL 1",
    ):
        with pytest.raises(Invalid):
            events_in(text)


def test_a_query_is_understood_without_being_run() -> None:
    assert events_in("SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b, post_liked") == [
        e.PostLiked
    ]


def test_what_the_tables_lack_is_said_before_anything_is_read() -> None:
    with pytest.raises(NotFound, match=r"no table post_saved; there are account_created, .*dictionary"):
        events_in("SELECT * FROM post_saved")
    with pytest.raises(Invalid, match="actor"):
        events_in("SELECT actor FROM post_liked")


REACHING = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/hostname')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM duckdb_secrets(), read_blob('/etc/hostname')",
]


@pytest.mark.parametrize("sql", REACHING)
def test_sql_reaches_no_file(sql: str) -> None:
    with opened(BOUNDS) as database:
        database.seal()
        with pytest.raises(Invalid, match=r"Permission|does not exist"):
            database.ask(sql)


def test_what_is_wrong_with_a_query_is_said() -> None:
    with opened(BOUNDS) as database:
        database.create("dictionary", dictionary())
        database.seal()
        with pytest.raises(Invalid, match="feeld"):
            database.ask("SELECT feeld FROM dictionary")
        with pytest.raises(Invalid, match="convert"):
            database.ask("SELECT meaning::INT FROM dictionary")


def test_every_column_of_an_answer_has_a_name_of_its_own() -> None:
    with opened(BOUNDS) as database:
        answer = database.ask("SELECT 1 AS a, 2 AS a, 3 AS a, 4 AS a_2")
        assert (len(set(answer.columns)), answer.columns[0], answer.rows) == (4, "a", [(1, 2, 3, 4)])


def test_an_answer_is_bounded_in_rows_time_memory_and_events() -> None:
    with opened(QueryBounds(64 << 20, 1 << 20, 0.3, 3)) as database:
        database.create("dictionary", dictionary())
        answer = database.ask("SELECT * FROM dictionary")
        assert (len(answer.rows), answer.is_cut) == (3, True)
        with pytest.raises(Limited, match=r"longer than 0\.3 s"):
            database.ask("SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b")
        wide = "SELECT count(*) FROM (SELECT DISTINCT md5(range::VARCHAR) || repeat('x', 500) FROM range(3000000))"
        with pytest.raises(Limited):
            database.ask(wide)


def test_too_many_events_are_refused() -> None:
    event = EVENTS["post_liked"]
    rows = [
        PublicRow(f"{number:036d}", number, {"actor_id": f"{number * 7919:016x}", "post_id": "1"})
        for number in range(60_000)
    ]
    with opened(QueryBounds(64 << 20, 1 << 20, 9.0, 3)) as database:
        database.create("post_liked", schema_of(event).empty_table())

        def add() -> None:
            for _ in range(20):
                database.add("post_liked", table_of(event, rows))

        with pytest.raises(Limited, match="--since"):
            add()


async def test_a_query_that_is_given_up_ends_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    world, _ = await village()
    endless = "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b, post_liked"
    asking = asyncio.create_task(world.ask(endless))
    await asyncio.sleep(1)
    assert os.listdir(tmp_path)
    assert not asking.done()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asking, 5)
    assert os.listdir(tmp_path) == []


def test_nothing_of_a_query_stays_on_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def interrupted() -> None:
        with opened(BOUNDS) as database:
            database.create("dictionary", dictionary())
            assert os.listdir(tmp_path)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert os.listdir(tmp_path) == []


def test_tables_hold_exactly_what_is_served() -> None:
    assert sorted(event.type for event in EVENTS.values()) == sorted(PUBLIC)
    for event in EVENTS.values():
        assert schema_of(event).names == ["event_id", "time", *json_schema(event)["properties"]]
    told = {(row["type"], row["field"]) for row in dictionary().to_pylist()}
    assert told == {(event.type, field) for event in EVENTS.values() for field in json_schema(event)["properties"]}
    assert msgspec.to_builtins(sorted(told))
