"""Ids: never repeated, never going back, whatever the clock does."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photolog.ids import (
    EPOCH_MS,
    NODE_BITS,
    SEQUENCE_BITS,
    SLOTS,
    SnowflakeSource,
    new_event_id,
    now_ms,
    random_node,
    slot_of,
    snowflake_ms,
)

IDS_PER_MS = 1 << SEQUENCE_BITS


def clock(readings_ms: Sequence[int]) -> Callable[[], int]:
    """A clock that shows these times after the epoch, and stops at the last."""
    remaining = list(readings_ms)
    return lambda: EPOCH_MS + (remaining.pop(0) if len(remaining) > 1 else remaining[0])


def draw(source: SnowflakeSource, count: int) -> list[int]:
    return [source.next() for _ in range(count)]


def test_an_id_says_when_it_was_made() -> None:
    assert snowflake_ms(SnowflakeSource(5, clock([1_234])).next()) == EPOCH_MS + 1_234


def test_ids_rise_while_the_clock_steps_back() -> None:
    ids = draw(SnowflakeSource(1, clock([5_000, 5_001, 2_000, 0, 4_999, 5_001, 5_002])), 7)
    assert ids == sorted(set(ids))
    assert [snowflake_ms(one) - EPOCH_MS for one in ids] == [5_000, 5_001, 5_001, 5_001, 5_001, 5_001, 5_002]


def test_a_full_millisecond_borrows_from_the_next() -> None:
    ids = draw(SnowflakeSource(1, clock([100])), IDS_PER_MS + 1)
    assert ids == sorted(set(ids))
    assert {snowflake_ms(one) - EPOCH_MS for one in ids[:IDS_PER_MS]} == {100}
    assert snowflake_ms(ids[-1]) - EPOCH_MS == 101


def test_ids_rise_while_the_clock_catches_up_with_what_was_borrowed() -> None:
    readings = [100] * (IDS_PER_MS + 2) + [101] * 3 + [102]
    ids = draw(SnowflakeSource(1, clock(readings)), len(readings))
    assert ids == sorted(set(ids))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=100))
def test_ids_rise_whatever_the_clock_shows(readings_ms: list[int]) -> None:
    ids = draw(SnowflakeSource(3, clock(readings_ms)), len(readings_ms))
    assert ids == sorted(set(ids))


def test_nodes_that_share_a_millisecond_make_distinct_ids() -> None:
    ids = [one for node in (0, 1, 1_023) for one in draw(SnowflakeSource(node, clock([7])), 100)]
    assert len(set(ids)) == 300


def test_threads_that_share_a_source_get_distinct_ids() -> None:
    source = SnowflakeSource(1)
    drawn: list[list[int]] = []
    threads = [threading.Thread(target=lambda: drawn.append(draw(source, 5_000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one for some in drawn for one in some}) == 20_000
    assert all(some == sorted(some) for some in drawn)


@pytest.mark.parametrize("at_ms", [0, (1 << 42) - 1])
def test_an_id_fits_a_signed_64_bit_integer(at_ms: int) -> None:
    assert 0 <= SnowflakeSource(1_023, clock([at_ms])).next() < 1 << 63


@pytest.mark.parametrize("node", [-1, 1 << NODE_BITS])
def test_a_node_out_of_bounds_is_refused(node: int) -> None:
    with pytest.raises(ValueError, match="node"):
        SnowflakeSource(node)


def test_a_random_node_is_in_bounds() -> None:
    nodes = {random_node() for _ in range(2_000)}
    assert min(nodes) >= 0
    assert max(nodes) < 1 << NODE_BITS
    assert len(nodes) > 500


def test_an_event_id_is_a_version_7_uuid_of_now() -> None:
    before_ms = now_ms()
    event_id = new_event_id()
    assert event_id.version == 7
    assert before_ms <= event_id.int >> 80 <= now_ms()


def test_event_ids_are_distinct() -> None:
    assert len({new_event_id() for _ in range(10_000)}) == 10_000


def test_slots_of_consecutive_ids_are_even() -> None:
    """Ids of a quiet service differ in their milliseconds only."""
    filled = Counter(slot_of(at_ms << (NODE_BITS + SEQUENCE_BITS)) for at_ms in range(100 * SLOTS))
    assert len(filled) == SLOTS
    assert max(filled.values()) < 160


def test_the_slot_of_an_id_never_changes() -> None:
    """Timelines and followers are stored under these."""
    assert [slot_of(one) for one in (0, 1, 2**63 - 1, 123_456_789_012_345_678)] == [0, 485, 701, 49]


def test_slots_are_mixed_by_splitmix64() -> None:
    """The generator's first output for seed 0, which is what it mixes out of its increment."""
    assert slot_of(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF % SLOTS
