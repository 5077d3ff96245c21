"""Lineage of events and rows against the fold of the whole log, on any history, through growths and repeats."""

import asyncio
from collections import ChainMap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.addresses import Address, format_row, ids_of, parse_row
from lineage.changes import effect_of
from lineage.decoding import Opening
from lineage.reading import Log, Placed
from lineage.row_history import row_history
from lineage.tracing import Change
from photolog.errors import Invalid
from photolog.log.growth import epoch_of
from photolog.log.partitioner import partition_of
from projections.catalogue import OWNER_OF, PROJECTIONS, TABLES
from projections.fold import Projection, Recorded, fold_one, needed
from projections.likes import LikeCountRow
from projections.tables import Row, RowKey
from projections.writes import ABSENT, Kept
from schemas import events as e
from schemas.topics import topic_of
from tests.replay import actions
from tests.replay.happenings import events
from tests.unit.lineage.written_log import WrittenLog
from tests.unit.projections.membership import event_id_at
from tests.unit.streams.river import SERDE

SEALED = Opening(SERDE)
histories = st.lists(st.tuples(events, actions.times_ms), min_size=30, max_size=60)
growths = st.lists(st.integers(0, 49), max_size=2)
repeats = st.lists(st.integers(0, 49), max_size=6)


@dataclass(slots=True)
class Whole:
    """The whole log, folded: the rows, and what each record changed."""

    rows: dict[RowKey[Row], Kept] = field(default_factory=dict)
    changes: dict[tuple[str, str, int, int], list[Change]] = field(default_factory=dict)
    order: list[tuple[str, Recorded]] = field(default_factory=list)


def written(
    happenings: Sequence[tuple[e.Event, int]], grown: Sequence[int], again: Sequence[int], seed: int = 0
) -> WrittenLog:
    """A log of these events; `again` are some of them that are appended once more at the end."""
    log = WrittenLog(seed=seed)
    for number, (event, at_ms) in enumerate(happenings):
        for _ in range(grown.count(number)):
            log.grow(log.count + 1 + number % 3)
        log.write(event, at_ms, event_id_at(at_ms, number))
    for number in again:
        event, at_ms = happenings[number % len(happenings)]
        log.write(event, at_ms, event_id_at(at_ms, number % len(happenings)))
    return log


async def folded(log: WrittenLog) -> Whole:
    """Fold everything, an epoch after the other."""
    whole = Whole()
    placed = []
    for (topic, partition), records in log.partitions.items():
        history = await log.of(topic)
        placed += [Placed(record, epoch_of(history, partition, record.offset)) for record in records]
    ordered = sorted(placed, key=lambda one: (one.epoch, one.record.topic, one.record.partition, one.record.offset))
    for one in await SEALED.events(ordered):
        for projection in PROJECTIONS:
            if one.recorded.topic == projection.topics[0].name:
                _fold(whole, projection, one.recorded)
    return whole


def _fold(whole: Whole, projection: Projection, recorded: Recorded) -> None:
    state = ChainMap(whole.rows, dict.fromkeys(needed(projection, recorded), ABSENT))
    changed, _ = fold_one(projection, state, recorded)
    before = {key: whole.rows.get(key, ABSENT).row for key in changed}
    whole.rows.update(changed)
    place = (projection.name, recorded.topic, recorded.partition, recorded.offset)
    whole.changes[place] = [
        Change(key, before[key], kept.row) for key, kept in changed.items() if before[key] != kept.row
    ]
    whole.order.append((projection.name, recorded))


def record_key_of(event: e.Event) -> bytes:
    """What whoever asks for a row must say where no id in the row's key leads to it."""
    return topic_of(type(event)).key(event).encode()


def by_row(changes: Sequence[Change]) -> dict[RowKey[Row], tuple[Row | None, Row | None]]:
    return {change.key: (change.before, change.after) for change in changes}


@given(happenings=histories, grown=growths, again=repeats, seed=st.integers(0, 1_000))
@settings(max_examples=60)
def test_what_an_event_changed_is_what_the_whole_fold_says(
    happenings: list[tuple[e.Event, int]], grown: list[int], again: list[int], seed: int
) -> None:
    log = written(happenings, grown, again, seed)

    async def holds() -> None:
        whole = await folded(log)
        for name, recorded in whole.order[:: 1 + len(whole.order) // 12]:
            record = log.partitions[recorded.topic, recorded.partition][recorded.offset]
            projection = next(one for one in PROJECTIONS if one.name == name)
            effect = await effect_of(Log(log, log), SEALED, projection, Placed(record, recorded.epoch))
            expected = whole.changes[name, recorded.topic, recorded.partition, recorded.offset]
            assert by_row(effect.changes) == by_row(expected)
            assert effect.inexact == frozenset()
            assert (effect.standing == "repeat") == (effect.first is not None)

    asyncio.run(holds())


@given(happenings=histories, grown=growths, again=repeats, seed=st.integers(0, 1_000))
@settings(max_examples=60)
def test_a_rows_events_are_those_of_the_whole_fold_and_end_in_the_row(
    happenings: list[tuple[e.Event, int]], grown: list[int], again: list[int], seed: int
) -> None:
    log = written(happenings, grown, again, seed)

    async def holds() -> None:
        whole = await folded(log)
        rows = sorted(whole.rows, key=lambda key: (key.table.name, str(key.values)))
        for key in rows[:: 1 + len(rows) // 12]:
            projection = next(one for one in PROJECTIONS if one.name == OWNER_OF[key.table.name])
            told = [
                (recorded, change)
                for name, recorded in whole.order
                for change in whole.changes[name, recorded.topic, recorded.partition, recorded.offset]
                if change.key == key
            ]
            if not told and not ids_of(key):
                continue  # a row that nothing changed, and whose key names nothing to look for
            record_key = None if ids_of(key) else record_key_of(told[0][0].event)
            history = await row_history(
                Log(log, log), SEALED, Address(projection, key), limit=1_000, record_key=record_key
            )
            assert history.row == whole.rows[key].row
            expected = [(recorded.event_id, change.before, change.after) for recorded, change in told]
            found = [(one.happened.recorded.event_id, one.change.before, one.change.after) for one in history.steps]
            assert found == expected

    asyncio.run(holds())


async def test_a_count_whose_member_began_in_another_partition_before_the_topic_grew_is_exact() -> None:
    actor_id = next(one for one in range(1, 99) if partition_of(b"%d" % one, 1) != partition_of(b"%d" % one, 3))
    log = WrittenLog(partitions=1)
    log.write(e.PostLiked(actor_id=actor_id, post_id=5), 1)
    log.grow(3)
    unliked = log.write(e.PostUnliked(actor_id=actor_id, post_id=5), 2)
    likes = next(one for one in PROJECTIONS if one.name == "likes")
    effect = await effect_of(Log(log, log), SEALED, likes, Placed(unliked, 1))
    assert [change.after for change in effect.changes if change.key.table.name == "like_counts"] == [
        LikeCountRow(post_id=5, source=unliked.partition, count=-1)
    ]
    row = parse_row(f"likes:like_counts:5/{unliked.partition}")
    history = await row_history(Log(log, log), SEALED, row, limit=9)
    assert [one.happened.placed.record for one in history.steps] == [unliked]
    assert history.row == LikeCountRow(post_id=5, source=unliked.partition, count=-1)


async def test_events_of_others_that_name_the_same_ids_are_not_taken_for_the_rows() -> None:
    log = WrittenLog()
    log.write(actions._reported(101, 203, 1), actions.START_MS)  # 102's post, so that it names 102 as well
    own = log.write(actions._reported(102, 203, 1), actions.START_MS)
    row = parse_row("reports:reports:102/post/203")
    history = await row_history(Log(log, log), SEALED, row, limit=9)
    assert [one.happened.placed.record for one in history.steps] == [own]
    assert history.key == b"102"
    told = await row_history(Log(log, log), SEALED, row, limit=9, record_key=b"101")
    assert (told.row, told.steps) == (None, ())


async def test_a_reaction_is_found_though_no_event_names_what_stands_for_its_id() -> None:
    log = WrittenLog()
    log.write(e.StoryReacted(story_id=701, owner_id=101, sender_id=102, reaction="🔥"), actions.START_MS)
    last = log.write(e.StoryReacted(story_id=701, owner_id=101, sender_id=102, reaction="😍"), actions.START_MS + 1)
    history = await row_history(Log(log, log), SEALED, parse_row("story_replies:story_answers:701/102/0"), limit=1)
    assert ([one.happened.placed.record for one in history.steps], history.left_out) == ([last], 1)


async def test_only_the_keys_partition_is_read_for_a_row_of_one_key() -> None:
    log = WrittenLog(partitions=8)
    for actor_id in range(1, 41):
        log.write(e.PostLiked(actor_id=actor_id, post_id=1_000 + actor_id), actions.START_MS)
    log.given = 0
    record = next(iter(log.partitions.values()))[-1]
    likes = next(one for one in PROJECTIONS if one.name == "likes")
    await effect_of(Log(log, log), SEALED, likes, Placed(record, 0))
    assert 0 < log.given <= 2 * len(log.partitions["likes", record.partition])


async def test_an_event_that_had_nothing_to_act_on_says_so_and_a_repeat_names_its_first() -> None:
    log = WrittenLog()
    liked = e.PostLiked(actor_id=1, post_id=2)
    first = log.write(liked, 1, event_id := event_id_at(1, 1))
    none = log.write(liked, 2)
    again = log.write(liked, 1, event_id)
    likes = next(one for one in PROJECTIONS if one.name == "likes")
    effects = [await effect_of(Log(log, log), SEALED, likes, Placed(one, 0)) for one in (first, none, again)]
    assert [one.standing for one in effects] == ["applied", "no effect", "repeat"]
    assert effects[2].first is not None
    assert effects[2].first.placed.record == first


async def test_a_count_that_too_much_went_into_says_that_it_is_not_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.tracing.ROWS_MAX", 3)
    log = WrittenLog(partitions=1)
    for actor_id in range(1, 9):
        record = log.write(e.PostLiked(actor_id=actor_id, post_id=5), actor_id)
    likes = next(one for one in PROJECTIONS if one.name == "likes")
    effect = await effect_of(Log(log, log), SEALED, likes, Placed(record, 0))
    assert {key.table.name for key in effect.inexact} == {"like_counts"}
    assert {change.key.table.name for change in effect.changes} == {"likes", "likers", "like_counts"}


async def test_personal_fields_show_that_they_are_there_and_changed_and_not_what_they_hold() -> None:
    log = WrittenLog()
    log.write(e.AccountCreated(account_id=1, username="ada", display_name=None, private=False), 1)
    record = log.write(e.ProfileChanged(account_id=1, display_name="Ada", bio="gardens"), 2)
    accounts = next(one for one in PROJECTIONS if one.name == "accounts")
    effect = await effect_of(Log(log, log), SEALED, accounts, Placed(record, 0))
    before, after = by_row(effect.changes)[parse_row("accounts:1").key]
    assert before is not None
    assert after is not None
    told: tuple[Any, Any] = (before, after)
    assert told[0].username == told[1].username != "ada"
    assert told[0].display_name is None
    assert all(text.startswith("<sealed ") for text in (told[1].username, told[1].display_name, told[1].bio))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_rows_address_is_read_as_it_is_written(table: Any) -> None:
    values = {"target": "post", "counter": "followers", "digest": "2c26b46b", "name": "all", "scope": "world"}
    key = table.key(*(values.get(name, 7) for name in table.key_fields))
    projection = next(one for one in PROJECTIONS if one.name == OWNER_OF[table.name])
    address = format_row(projection.name, key)
    assert parse_row(address) == Address(projection, key)
    assert str(parse_row(address)) == address
    if table.aggregate:
        assert parse_row(address.replace(f":{table.name}:", ":", 1)).key == key


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("dreams:1", "there are accounts, graph"),
        ("posts:likes:1/2", "it has posts, posts_by_owner"),
        ("likes:1", "actor_id/post_id"),
        ("posts:seven", "post_id"),
        ("graph:graph_counts:1/fans/0", "counter"),
    ],
)
def test_what_is_no_address_is_said_in_words(address: str, word: str) -> None:
    with pytest.raises(Invalid, match=word):
        parse_row(address)
