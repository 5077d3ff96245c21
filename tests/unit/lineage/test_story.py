"""From an event to what followed from it: found by id, told down to the rows, by the jobs' own derived events."""

from typing import Any
from uuid import UUID, uuid5

import msgspec
import pytest

from cli.told import told_text
from lineage.addresses import parse_row
from lineage.decoding import Opening, event_id_of
from lineage.derived import find_derived
from lineage.finding import find_event
from lineage.reading import Log, Placed
from lineage.row_history import row_history
from lineage.story import EffectTold, EventTold, Note, RowStateTold, RowTold, Told, event_story, row_story
from photolog.errors import NotFound
from photolog.ids import new_event_id
from photolog.log.record import StoredRecord
from schemas import events as e
from schemas.topics import FEED_FANOUT, MEDIA_COMPLETED, POSTS
from tests.unit.lineage.written_log import WrittenLog
from tests.unit.projections.membership import event_id_at
from tests.unit.streams.river import NOW_MS, SERDE, River
from tests.unit.streams.scenario import ANNA, BERT, account, follow, post, ready

MINUTES_10 = 600_000


@pytest.fixture
async def river() -> River:
    """Bert follows Anna, whose post is published once its photograph is ready: two requests, one after the other."""
    river = River(log=WrittenLog())
    river.append(account(ANNA), account(BERT), follow(BERT, ANNA), correlation="before")
    river.append(post(101, ANNA, 501), correlation="posting")
    await river.pump()
    river.append(ready(501, ANNA), correlation="uploading")
    await river.pump()
    return river


def records(river: River, topic: str) -> list[StoredRecord]:
    return [record for (name, _), held in list(river.log.partitions.items()) if name == topic for record in held]


def by_type(river: River, topic: str, event: type[e.Event]) -> StoredRecord:
    return next(one for one in records(river, topic) if one.header("ce_type") == event.type.encode())


async def story(river: River, record: StoredRecord) -> list[Told]:
    log = Log(river.log, river.log)
    event_id = event_id_of(Placed(record, 0))
    return [told async for told in event_story(log, Opening(SERDE), event_id, MINUTES_10)]


async def test_what_followed_is_told_in_order_with_its_cause_and_its_rows(river: River) -> None:
    told = await story(river, by_type(river, MEDIA_COMPLETED.name, e.MediaTranscodingCompleted))
    events = [one for one in told if isinstance(one, EventTold)]
    assert [(one.depth, one.type) for one in events] == [
        (0, "media.transcoding.completed"),
        (1, "post.published"),
        (2, "feed.fanout.requested"),
    ]
    assert [one.cause for one in events] == [None, events[0].event_id, events[1].event_id]
    assert {one.correlation_id for one in events} == {"uploading"}
    rows = {one.row: one for one in told if isinstance(one, RowTold) and one.event_id == events[1].event_id}
    changed: Any = rows["posts:posts:101"]
    assert (changed.before["status"], changed.after["status"]) == ("processing", "published")
    assert changed.before["caption"] == changed.after["caption"] != "hello"
    assert rows[f"posts:published_posts:{ANNA}/{changed.after['published_ms']}/101"].before is None
    (count,) = (one for one in rows.values() if ":post_counts:" in one.row)
    assert count.before is None
    assert count.after is not None
    assert (count.after["account_id"], count.after["count"]) == (str(ANNA), 1)
    effects = [(one.projection, one.standing) for one in told if isinstance(one, EffectTold)]
    assert effects[:2] == [("media", "applied"), ("posts", "applied")]


async def test_what_another_request_led_to_is_not_among_it(river: River) -> None:
    told = await story(river, by_type(river, POSTS.name, e.PostCreated))
    assert [one.type for one in told if isinstance(one, EventTold)] == ["post.created"]


async def test_requests_that_share_a_correlation_id_are_told_apart_by_the_cause() -> None:
    river = River(log=WrittenLog())
    river.append(account(ANNA), ready(501, ANNA), ready(502, ANNA))
    await river.pump()
    river.append(post(101, ANNA, 501), post(102, ANNA, 502), correlation="the same")
    await river.pump()
    for created in records(river, POSTS.name):
        if created.header("ce_type") == b"post.created":
            told = [one for one in await story(river, created) if isinstance(one, EventTold)]
            assert [one.type for one in told] == ["post.created", "post.published", "feed.fanout.requested"]
            assert {one.fields["post_id"] for one in told} == {told[0].fields["post_id"]}


async def test_derived_records_that_name_no_cause_are_told_by_their_correlation(river: River) -> None:
    for place, held in river.log.partitions.items():
        river.log.partitions[place] = [
            StoredRecord(
                one.topic, one.partition, one.offset, one.key, one.value,
                tuple(header for header in one.headers if header[0] != "causation_id"), one.timestamp_ms,
            )
            for one in held
        ]  # fmt: skip
    told = await story(river, by_type(river, MEDIA_COMPLETED.name, e.MediaTranscodingCompleted))
    assert [(one.depth, one.type) for one in told if isinstance(one, EventTold)][1:] == [
        (1, "post.published"),
        (1, "feed.fanout.requested"),
    ]


async def test_the_search_forward_is_bounded_and_says_where_it_ended(river: River) -> None:
    cause = Placed(by_type(river, MEDIA_COMPLETED.name, e.MediaTranscodingCompleted), 0)
    search = await find_derived(Log(river.log, river.log), cause, within_ms=0)
    assert search.until_ms == cause.record.timestamp_ms
    late = river.append(follow(ANNA, BERT), at_ms=NOW_MS + 2 * MINUTES_10)
    assert late
    notes = [one.text for one in await story(river, cause.record) if isinstance(one, Note)]
    assert any("looked for among what the log holds up to" in note for note in notes)


async def test_candidates_beyond_the_bound_are_said_to_be_missing(
    river: River, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lineage.derived.CANDIDATES_MAX", 1)
    told = await story(river, by_type(river, MEDIA_COMPLETED.name, e.MediaTranscodingCompleted))
    assert any(isinstance(one, Note) and "some are missing" in one.text for one in told)


async def test_an_event_is_found_around_the_time_in_its_id_without_reading_the_rest() -> None:
    log = WrittenLog()
    for minute in range(500):
        log.write(follow(ANNA, 1_000 + minute), NOW_MS + minute * 60_000, event_id_at(NOW_MS + minute * 60_000, minute))
    wanted = event_id_at(NOW_MS + 300 * 60_000, 300)
    found = await find_event(Log(log, log), wanted)
    assert event_id_of(found.placed) == wanted
    assert "minutes of the id's time" in found.looked
    assert log.given < 60


@pytest.mark.parametrize("event_id", [new_event_id(), uuid5(UUID(int=7), "concluded")])
async def test_an_event_whose_id_tells_no_time_or_a_wrong_one_is_found_in_the_whole_log(event_id: UUID) -> None:
    log = WrittenLog()
    log.write(follow(ANNA, BERT), NOW_MS - 10**9, event_id)
    found = await find_event(Log(log, log), event_id)
    assert (found.looked, event_id_of(found.placed)) == ("in the whole log", event_id)
    with pytest.raises(NotFound):
        await find_event(Log(log, log), new_event_id())


async def test_a_rows_story_ends_in_what_it_is(river: River) -> None:
    address = parse_row("posts:101")
    history = await row_history(Log(river.log, river.log), Opening(SERDE), address, limit=1)
    told = [one async for one in row_story(history, str(address))]
    assert isinstance(told[0], Note)
    assert told[0].text.startswith("1 earlier event")
    assert isinstance(told[1], EventTold)
    assert told[1].type == "post.published"
    assert isinstance(told[-1], RowStateTold)
    assert told[-1].state is not None
    assert told[-1].state["status"] == "published"
    unknown = parse_row("posts:999")
    nothing = await row_history(Log(river.log, river.log), Opening(SERDE), unknown, limit=1)
    assert [one async for one in row_story(nothing, str(unknown))][-1] == RowStateTold(
        row="posts:posts:999", state=None
    )


async def test_a_story_is_told_in_lines_that_no_terminal_acts_on(river: River) -> None:
    for told in await story(river, by_type(river, FEED_FANOUT.name, e.FanoutRequested)):
        assert all(line.isprintable() for line in told_text(told).splitlines())
        assert msgspec.json.decode(msgspec.json.encode(told), type=Told) == told
    evil = EventTold(
        depth=0, position="posts/1@2", time="t", event_id="i", type="x", key="k\x1b[2J", correlation_id="\x9b31m",
        traceparent=None, cause=None, fields={"caption": "\x1b]0;owned\x07"},
    )  # fmt: skip
    assert told_text(evil).replace("\n", "").isprintable()
