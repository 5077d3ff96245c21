"""Exports on the real engines: killed, doubled, gone on with; each event is there once, and nothing personal."""

import asyncio
import json
from collections import Counter

import pytest

from analytics.bootstrap import connect_export
from analytics.columns import from_parquet
from analytics.exporting import Bounds, Exporter
from analytics.layout import parsed, type_prefix
from analytics.tally import Tally
from photolog.engines.object_store import ObjectStore
from photolog.ids import now_ms
from photolog.log.record import EncodedRecord
from photolog.settings import Settings
from schemas import events as e
from schemas.topics import COMMENTS
from tests.integration.command_line import CommandLine, commands_of
from tests.integration.workers import Hand, eventually

TEST = "tests/integration/test_export.py"
COMMENTED, PLANTED = 300, "words that nobody exports"


@pytest.fixture(scope="module")
def bucket(migrated: dict[str, str], settings: Settings) -> ObjectStore:
    return ObjectStore(settings.s3)


async def rows_of(bucket: ObjectStore, event_type: str, post_id: int) -> list[dict[str, object]]:
    """What the bucket holds about a post."""
    found: list[dict[str, object]] = []
    async for keys in bucket.keys(type_prefix(event_type)):
        for key in keys:
            assert parsed(key) is not None
            data = await bucket.get(key)
            assert PLANTED.encode() not in data
            found += [row for row in from_parquet(data).to_pylist() if row["post_id"] == post_id]
    return found


async def export(settings: Settings, records: int) -> Tally:
    """What `bin/photolog export` does, so many records at once."""
    tally = Tally()
    async with connect_export(settings) as ports:
        await Exporter(ports, tally, Bounds(records, 1 << 20)).run([e.CommentCreated, e.CommentDeleted])
    return tally


async def test_an_export_that_is_killed_and_doubled_has_each_event_once(
    migrated: dict[str, str], settings: Settings, hand: Hand, bucket: ObjectStore
) -> None:
    post_id, author = hand.ids.next(), hand.ids.next()
    records = [
        await hand.record(e.CommentCreated(comment_id=hand.ids.next(), post_id=post_id, author_id=author, text=PLANTED))
        for _ in range(COMMENTED)
    ]
    # What a client sent again stands in the log twice.
    await hand.append_records(records + records[::7])
    poison = EncodedRecord(topic=COMMENTS.name, key=b"1", value=b"\x09poison", headers=(), timestamp_ms=now_ms())
    await hand.append_records([poison])

    process = await CommandLine(migrated | {"PHOTOLOG_ANALYTICS__EXPORT_RECORDS": "20"}).start(
        "export", "--types", "comment.created,comment.deleted"
    )

    async def has_begun() -> bool:
        return any([keys async for keys in bucket.keys(type_prefix("comment.created"))])

    await eventually(has_begun)
    process.kill()
    await process.communicate()
    assert len(await rows_of(bucket, "comment.created", post_id)) < COMMENTED, "it was killed in the middle"

    both = await asyncio.gather(export(settings, 20), export(settings, 50))
    rows = await rows_of(bucket, "comment.created", post_id)
    assert Counter(row["event_id"] for row in rows) == {str(record.event_id): 1 for record in records}
    assert {row["author_id"] for row in rows} == {author}
    assert not {"text", "caption"} & set(rows[0])
    assert sum(tally.types["comment.created"].repeats for tally in both) > 0
    assert (await export(settings, 1_000)).done == 0


async def test_the_commands_of_the_page_work(migrated: dict[str, str], hand: Hand) -> None:
    viewer = hand.ids.next()
    await hand.append(
        e.PostDwelt(
            viewer_id=viewer, post_id=viewer, owner_id=viewer, surface="feed", at_ms=1, dwell_ms=5, sample_rate=1.0
        )
    )
    command = CommandLine(migrated)
    said = [await command.run(*arguments) for arguments in commands_of("docs/ANALYTICS.md", TEST)]
    assert [cells for line in said[0].splitlines() if (cells := line.split())[0] == "post.dwelt"]
    assert [line["type"] for line in map(json.loads, said[1].splitlines()) if "type" in line] == [
        "post.published",
        "post.liked",
    ]
