"""Epochs and places; and that our partitioner is Kafka's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photolog.log.growth import Growth, by_epoch, epoch_of, is_misplaced, is_passed, place_of
from photolog.log.partitioner import murmur2, partition_of
from photolog.log.record import StoredRecord

HISTORY = (Growth(2, 3, (10, 0)), Growth(3, 5, (25, 7, 4)))


def _record(partition: int, offset: int, key: bytes | None = b"k") -> StoredRecord:
    return StoredRecord("likes", partition, offset, key, b"", (), 0)


@pytest.mark.parametrize(
    ("data", "hashed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_kafkas(data: bytes, hashed: int) -> None:
    """The values of org.apache.kafka.common.utils.UtilsTest."""
    assert murmur2(data) == hashed & 0xFFFFFFFF


@pytest.mark.parametrize(
    ("partition", "offset", "epoch"),
    [(0, 9, 0), (0, 10, 1), (0, 24, 1), (0, 25, 2), (1, 0, 1), (1, 7, 2), (2, 0, 1), (2, 4, 2), (3, 0, 2), (4, 99, 2)],
)
def test_an_epoch_begins_at_the_cut_and_in_new_partitions(partition: int, offset: int, epoch: int) -> None:
    assert epoch_of(HISTORY, partition, offset) == epoch


@given(
    old=st.tuples(st.integers(0, 3), st.integers(0, (1 << 40) - 1)), new=st.tuples(st.integers(0, 3), st.integers(0, 9))
)
def test_a_later_epoch_has_the_greater_place_whatever_the_offsets(old: tuple[int, int], new: tuple[int, int]) -> None:
    assert (place_of(*old) < place_of(*new)) == (old < new)
    assert int(float(place_of(*old))) == place_of(*old), "caches compare places as doubles"


def test_a_growth_is_passed_once_every_old_partition_is_applied_up_to_its_cut() -> None:
    assert not is_passed(HISTORY[1], {0: 25, 1: 6, 2: 4})
    assert not is_passed(HISTORY[1], {0: 25, 2: 4})
    assert is_passed(HISTORY[1], {0: 25, 1: 7, 2: 4})
    assert is_passed(HISTORY[0], {0: 10}), "nothing was in the other partition"


def test_records_are_cut_where_an_epoch_begins() -> None:
    cut = [
        (epoch, [record.offset for record in stretch])
        for epoch, stretch in by_epoch(HISTORY, [_record(0, at) for at in (8, 9, 10, 24, 25)])
    ]
    assert cut == [(0, [8, 9]), (1, [10, 24]), (2, [25])]
    assert list(by_epoch((), [_record(0, 1)])) == [(0, [_record(0, 1)])]


def test_a_record_that_was_appended_by_an_old_count_is_known_by_its_partition() -> None:
    key = next(b"%d" % at for at in range(99) if partition_of(b"%d" % at, 5) == 4)
    before = partition_of(key, 3)
    assert is_misplaced(HISTORY, _record(before, 50, key))
    assert not is_misplaced(HISTORY, _record(4, 0, key))
    assert not is_misplaced(HISTORY, _record(before, 4 if before else 11, key)) or before == 2
    assert not is_misplaced(HISTORY, _record(0, 3, key)), "whoever made the first partitions chose where keys lie"
    assert not is_misplaced(HISTORY, _record(4, 0, None))
