"""A filter's size is the textbook's, and it errs as often as it was made to."""

import hashlib
import math

import pytest

from transcode.fingerprints.bloom import BloomShape


def digest_of(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def test_its_size_is_that_of_the_formula() -> None:
    shape = BloomShape.of(10_000_000, 0.001)
    assert shape.hashes == 10
    assert shape.shards * shape.shard_bits == pytest.approx(143_775_875, rel=0.001)


@pytest.mark.parametrize("error_rate", [0.05, 0.01, 0.001])
def test_it_errs_as_often_as_it_was_made_to_and_forgets_nothing(error_rate: float) -> None:
    shape, count, asked = BloomShape.of(20_000, error_rate, shards=4), 20_000, 40_000
    bits: list[set[int]] = [set() for _ in range(shape.shards)]
    for number in range(count):
        bits[shape.shard_of(digest_of(number))].update(shape.places(digest_of(number)))

    def may_contain(number: int) -> bool:
        return bits[shape.shard_of(digest_of(number))].issuperset(shape.places(digest_of(number)))

    assert all(may_contain(number) for number in range(count))
    wrong = sum(may_contain(number) for number in range(count, count + asked))
    assert abs(wrong - asked * error_rate) < 0.15 * asked * error_rate + 4 * math.sqrt(asked * error_rate)


def test_places_lie_in_the_shard() -> None:
    shape = BloomShape.of(1, 0.5, shards=1)
    assert all(0 <= place < shape.shard_bits for number in range(500) for place in shape.places(digest_of(number)))


@pytest.mark.parametrize(
    ("capacity", "error_rate", "shards"), [(0, 0.1, 1), (1, 0, 1), (1, 1, 1), (1, 0.1, 0), (10**10, 0.001, 1)]
)
def test_there_is_no_filter_without_size_or_beyond_what_a_string_holds(
    capacity: int, error_rate: float, shards: int
) -> None:
    with pytest.raises(ValueError, match=r"filter|shard"):
        BloomShape.of(capacity, error_rate, shards)


def test_only_a_digest_has_a_shard() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        BloomShape.of(10, 0.1).shard_of(b"short")
