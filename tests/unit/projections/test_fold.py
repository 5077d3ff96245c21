"""The fold's promises, held over the smallest read model that has everything (membership.py)."""

from collections.abc import Sequence
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from photolog.ids import EPOCH_MS
from projections.fold import REMEMBERED_MAX, REMEMBERED_MS, Recorded, fold_batch, fold_one, needed
from projections.tables import Row, RowKey
from projections.writes import ABSENT, Kept, Positioned, Put, put
from tests.unit.projections.membership import (
    COUNTS,
    LISTED,
    MEMBERS,
    MEMBERSHIP,
    Count,
    event_id_at,
    like,
    likers,
    recorded,
    unlike,
)

State = dict[RowKey[Row], Kept]
POST = 900


def written(state: State, writes: Sequence[Positioned]) -> State:
    """A store after these writes: a newer one wins; only an aggregate keeps the memory of a row that is gone."""
    after = dict(state)
    for positioned in writes:
        key = positioned.write.key
        if after.get(key, ABSENT).offset <= positioned.offset:
            row = positioned.write.row if isinstance(positioned.write, Put) else None
            after[key] = Kept(row, positioned.offset, positioned.event_ids)
    return after


def loaded(store: State, batch: Sequence[Recorded]) -> State:
    """What a job loads for a batch."""
    return {key: seen(store, key) for one in batch for key in needed(MEMBERSHIP, one)}


def seen(store: State, key: RowKey[Row]) -> Kept:
    """What a load shows at a key: of a removed row only an aggregate's memory."""
    kept = store.get(key, ABSENT)
    return ABSENT if kept.row is None and not key.table.aggregate else kept


def folded(store: State, batch: Sequence[Recorded]) -> State:
    """A store after a whole batch."""
    outcome = fold_batch(MEMBERSHIP, loaded(store, batch), batch)
    return written(written(store, list(outcome.others.values())), list(outcome.aggregates.values()))


def count(store: State) -> int:
    row = store.get(COUNTS.key(POST, 3), ABSENT).row
    return row.count if isinstance(row, Count) else 0


def rows_of(store: State) -> dict[RowKey[Row], Row]:
    return {key: kept.row for key, kept in store.items() if kept.row is not None}


def test_an_event_that_was_applied_writes_nothing() -> None:
    first = recorded(like(1, POST), 10)
    store = folded({}, [first])
    assert fold_one(MEMBERSHIP, store, first) == ({}, ())
    assert count(store) == 1


def test_an_event_older_than_its_aggregate_writes_nothing() -> None:
    store = folded({}, [recorded(like(1, POST), 10)])
    assert fold_one(MEMBERSHIP, store, recorded(unlike(1, POST), 9)) == ({}, ())


def test_a_repeat_at_a_later_offset_writes_nothing() -> None:
    event_id = event_id_at(EPOCH_MS)
    batch = [recorded(like(1, POST), 10, event_id=event_id), recorded(unlike(1, POST), 11)]
    store = folded({}, batch)
    repeat = recorded(like(1, POST), 12, event_id=event_id)
    assert fold_one(MEMBERSHIP, store, repeat) == ({}, ())
    outcome = fold_batch(MEMBERSHIP, loaded(store, [repeat]), [repeat])
    assert (outcome.applied, outcome.repeats, outcome.others, outcome.aggregates) == (0, 1, {}, {})
    assert (outcome.duplicates, outcome.noops) == ({12}, set())


def test_an_event_that_comes_again_at_its_own_offset_is_no_duplicate() -> None:
    batch = [recorded(like(1, POST), 10), recorded(unlike(1, POST), 11)]
    outcome = fold_batch(MEMBERSHIP, loaded(folded({}, batch), batch), batch)
    assert (outcome.applied, outcome.repeats, outcome.duplicates) == (0, 2, set())


def test_an_event_without_effect_is_told_from_one_with() -> None:
    batch = [recorded(unlike(1, POST), 10), recorded(like(1, POST), 11), recorded(like(1, POST), 12)]
    outcome = fold_batch(MEMBERSHIP, loaded({}, batch), batch)
    assert (outcome.applied, outcome.noops, outcome.duplicates) == (3, {10, 12}, set())


def test_an_event_without_effect_is_remembered() -> None:
    event_id = event_id_at(EPOCH_MS)
    store = folded({}, [recorded(unlike(1, POST), 10, event_id=event_id)])
    assert store == {MEMBERS.key(1, POST): Kept(None, 10, (event_id,))}
    store = folded(store, [recorded(like(1, POST), 11)])
    repeat = recorded(unlike(1, POST), 12, event_id=event_id)
    assert fold_one(MEMBERSHIP, store, repeat) == ({}, ())


def test_an_event_without_effect_leaves_its_row_as_it_was() -> None:
    store = folded({}, [recorded(like(1, POST), 10)])
    before = store[MEMBERS.key(1, POST)]
    changed, writes = fold_one(MEMBERSHIP, store, recorded(like(1, POST), 11))
    assert before.row is not None
    assert writes == (Positioned(Put(MEMBERS.key(1, POST), before.row), 11, changed[MEMBERS.key(1, POST)].event_ids),)
    assert changed[MEMBERS.key(1, POST)].row == before.row


def test_the_aggregate_is_written_after_everything_else() -> None:
    _, writes = fold_one(
        MEMBERSHIP, {COUNTS.key(POST, 3): ABSENT, MEMBERS.key(1, POST): ABSENT}, recorded(like(1, POST), 1)
    )
    assert [write.write.key.table for write in writes] == [LISTED, COUNTS, MEMBERS]
    assert {write.offset for write in writes} == {1}
    assert [bool(write.event_ids) for write in writes] == [False, False, True]


def test_a_crash_between_the_stages_counts_once() -> None:
    batch = [recorded(like(1, POST), 10), recorded(like(2, POST), 11), recorded(unlike(1, POST), 12)]
    outcome = fold_batch(MEMBERSHIP, loaded({}, batch), batch)
    crashed = written({}, list(outcome.others.values()))
    assert count(crashed) == 1
    assert count(folded(crashed, batch)) == 1
    one_by_one = crashed
    for record in batch:
        one_by_one = folded(one_by_one, [record])
    assert rows_of(one_by_one) == rows_of(folded({}, batch))


def test_a_worker_that_lost_its_partition_in_the_middle_of_a_load_does_not_spoil_a_count() -> None:
    log = [recorded(like(actor, POST), actor) for actor in (1, 2, 3)]
    aggregates = {key: seen({}, key) for one in log for key in needed(MEMBERSHIP, one) if key.table.aggregate}
    store = folded({}, log[:2])  # its successor, in between
    state = {key: aggregates.get(key, seen(store, key)) for one in log for key in needed(MEMBERSHIP, one)}
    outcome = fold_batch(MEMBERSHIP, state, log)
    store = written(written(store, list(outcome.others.values())), list(outcome.aggregates.values()))
    assert count(store) == 3
    assert count(folded(store, log[2:])) == 3


def test_a_batch_writes_only_the_newest_state_of_each_row() -> None:
    batch = [recorded(like(actor, POST), actor) for actor in range(1, 6)]
    outcome = fold_batch(MEMBERSHIP, loaded({}, batch), batch)
    newest = put(COUNTS, Count(post_id=POST, source=3, count=5))
    assert outcome.others[COUNTS.key(POST, 3)] == Positioned(newest, 5)
    assert (outcome.applied, len(outcome.others), len(outcome.aggregates)) == (5, 6, 5)


def test_ids_are_remembered_for_as_long_as_a_retry_may_come() -> None:
    start_ms = EPOCH_MS + 10 * REMEMBERED_MS
    first = recorded(like(1, POST), 1, timestamp_ms=start_ms)
    in_time = recorded(unlike(1, POST), 2, timestamp_ms=start_ms + REMEMBERED_MS)
    late = recorded(unlike(1, POST), 3, timestamp_ms=start_ms + REMEMBERED_MS + 1)
    store = folded({}, [first, in_time])
    assert store[MEMBERS.key(1, POST)].event_ids == (first.event_id, in_time.event_id)
    store = folded(store, [late])
    assert store[MEMBERS.key(1, POST)].event_ids == (in_time.event_id, late.event_id)


def test_the_id_of_a_conclusion_tells_no_time_and_is_remembered() -> None:
    """A UUIDv5 has a hash where a UUIDv7 has its milliseconds; this one would be of the year 1970."""
    early = UUID("00000000-0000-5000-8000-000000000001")
    concluded = recorded(like(1, POST), 1, event_id=early, timestamp_ms=EPOCH_MS)
    store = folded({}, [concluded, recorded(unlike(1, POST), 2, timestamp_ms=EPOCH_MS)])
    assert early in store[MEMBERS.key(1, POST)].event_ids


def test_the_memory_of_an_aggregate_is_bounded() -> None:
    batch = [recorded(like(1, POST), offset, timestamp_ms=EPOCH_MS) for offset in range(REMEMBERED_MAX + 3)]
    batch = [recorded(one.event, one.offset, event_id=event_id_at(EPOCH_MS, one.offset)) for one in batch]
    remembered = folded({}, batch)[MEMBERS.key(1, POST)].event_ids
    assert remembered == tuple(one.event_id for one in batch[-REMEMBERED_MAX:])


def test_a_fold_asks_for_the_rows_it_looks_at() -> None:
    record = recorded(like(1, POST), 1)
    assert needed(MEMBERSHIP, record) == (MEMBERS.key(1, POST), COUNTS.key(POST, 3))


actions = st.tuples(st.booleans(), st.integers(1, 3), st.integers(0, 5))
logs = st.lists(actions, min_size=1, max_size=25)


def log_of(choices: list[tuple[bool, int, int]]) -> list[Recorded]:
    """Likes and unlikes by three people. A third number below 2 makes a record repeat the id of an earlier one."""
    log: list[Recorded] = []
    for offset, (likes, actor, again) in enumerate(choices):
        if again < 2 and log:
            earlier = log[(offset * 7 + again) % len(log)]
            log.append(recorded(earlier.event, offset, event_id=earlier.event_id))
        else:
            log.append(recorded(like(actor, POST) if likes else unlike(actor, POST), offset))
    return log


@given(logs, st.data())
def test_crashes_and_redelivery_from_any_earlier_point_end_in_the_same_rows(
    choices: list[tuple[bool, int, int]], data: st.DataObject
) -> None:
    log = log_of(choices)
    store: State = {}
    position = 0
    for _ in range(8):
        start = data.draw(st.integers(0, position), label="from")
        batch = log[start : data.draw(st.integers(start, len(log)), label="to")]
        outcome = fold_batch(MEMBERSHIP, loaded(store, batch), batch)
        stages = [list(outcome.others.values()), list(outcome.aggregates.values())]
        done = data.draw(st.integers(0, sum(map(len, stages))), label="writes done")
        shuffled = [write for stage in stages for write in data.draw(st.permutations(stage))]
        store = written(store, shuffled[:done])
        if done == len(shuffled):
            position = max(position, start + len(batch))
    store = folded(store, log[position:])
    assert rows_of(store) == rows_of(folded({}, log))
    members = {row.values[0] for row in rows_of(store) if row.table == MEMBERS}
    listed = {row.values[2] for row in rows_of(store) if row.table == LISTED}
    assert members == listed == likers(log)
    assert count(store) == len(members)
