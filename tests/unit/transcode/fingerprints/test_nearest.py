"""The index finds all that is near and nothing else, whatever came and went."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from transcode.fingerprints.nearest import BadSnapshot, Near, NearestIndex
from transcode.fingerprints.phash import NEAR_BITS, distance

fingerprints = st.integers(0, 2**64 - 1)
flips = st.sets(st.integers(0, 63), max_size=12).map(lambda bits: sum(1 << bit for bit in bits))


def by_hand(contents: dict[int, int], looked_for: int) -> list[Near]:
    found = [Near(content_id, distance(fingerprint, looked_for)) for content_id, fingerprint in contents.items()]
    return sorted((one for one in found if one.distance < NEAR_BITS), key=lambda one: (one.distance, one.content_id))


@settings(max_examples=40, deadline=None)
@given(fingerprints, st.lists(flips, max_size=30))
def test_nothing_near_is_missed_and_nothing_else_found(looked_for: int, differences: list[int]) -> None:
    contents = {number: looked_for ^ difference for number, difference in enumerate(differences)}
    assert NearestIndex.of(contents.items()).near(looked_for) == by_hand(contents, looked_for)


def test_at_nine_bits_every_way_to_spread_them_over_the_words_is_found() -> None:
    spreads = [spread for spread in np.ndindex(10, 10, 10, 10) if sum(spread) == NEAR_BITS - 1]
    contents = {
        number: sum((1 << flipped) - 1 << 16 * word for word, flipped in enumerate(spread))
        for number, spread in enumerate(spreads)
    }
    assert len(NearestIndex.of(contents.items()).near(0)) == len(spreads) == 220
    one_more = [sum(1 << bit for bit in bits) for bits in combinations(range(0, 64, 5), 10)]
    assert NearestIndex.of(enumerate(one_more)).near(0) == []


def test_among_many_it_finds_what_a_scan_finds() -> None:
    numbers = np.random.default_rng(3).integers(0, 2**64, 100_000, dtype=np.uint64)
    # Fingerprints of photographs have patterns: half of them agree in most of their bits.
    numbers[::2] = numbers[0] ^ (numbers[::2] & numbers[1::2] & np.roll(numbers[1::2], 1) & np.roll(numbers[1::2], 2))
    index = NearestIndex.of(enumerate(numbers.tolist()))
    for looked_for in numbers[:20].tolist():
        scanned = np.flatnonzero(np.bitwise_count(numbers ^ np.uint64(looked_for)) < NEAR_BITS)
        assert sorted(one.content_id for one in index.near(looked_for)) == scanned.tolist()


class Folded(RuleBasedStateMachine):
    """Adding, removing, folding a stretch again, saving and loading, against a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.index = NearestIndex()
        self.contents: dict[int, int] = {}
        self.log: list[tuple[bool, int, int]] = []

    def fold(self, offset: int) -> None:
        is_added, content_id, fingerprint = self.log[offset]
        (self.index.add if is_added else self.index.remove)(0, offset, content_id, fingerprint)

    @rule(content_id=st.integers(-3, 5), difference=flips)
    def add(self, content_id: int, difference: int) -> None:
        fingerprint = self.contents.setdefault(content_id, difference)
        self.log.append((True, content_id, fingerprint))
        self.fold(len(self.log) - 1)

    @rule(content_id=st.integers(-3, 5), difference=flips)
    def remove(self, content_id: int, difference: int) -> None:
        self.log.append((False, content_id, self.contents.pop(content_id, difference)))
        self.fold(len(self.log) - 1)

    @rule()
    def fold_all_again(self) -> None:
        for offset in range(len(self.log)):
            self.fold(offset)

    @rule()
    def begin_anew(self) -> None:
        self.index = NearestIndex()
        self.fold_all_again()

    @invariant()
    def it_finds_what_is_there(self) -> None:
        assert self.index.near(0) == by_hand(self.contents, 0)
        assert len(self.index) == len(self.contents)
        assert self.index.positions.get(0, 0) == len(self.log)


Folded.TestCase.settings = settings(max_examples=10, stateful_step_count=20, deadline=None)
TestFolded = Folded.TestCase


def test_a_snapshot_holds_contents_and_positions(tmp_path: Path) -> None:
    index = NearestIndex()
    for offset, (content_id, fingerprint) in enumerate([(7, 2**64 - 1), (-2, 0), (8, 1), (9, 3)]):
        index.add(offset % 2, offset, content_id, fingerprint)
    index.remove(1, 9, 9, 3)
    path = tmp_path / "nearest"
    index.save(path)
    index.save(path)
    loaded = NearestIndex.load(path)
    assert (loaded.positions, len(loaded)) == ({0: 3, 1: 10}, 3)
    assert loaded.near(0) == [Near(-2, 0), Near(8, 1)]
    assert loaded.near(2**64 - 1) == [Near(7, 0)]
    loaded.add(1, 5, 11, 0)
    assert len(loaded) == 3
    assert [file.name for file in tmp_path.iterdir()] == ["nearest"]


@pytest.mark.parametrize("damage", ["cut", "grown", "other form", "no head"])
def test_a_damaged_snapshot_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "nearest"
    NearestIndex.of([(1, 1), (2, 2)]).save(path)
    whole = path.read_bytes()
    damaged = {
        "cut": whole[:-1],
        "grown": whole + bytes(16),
        "other form": whole.replace(b'"format":1', b'"format":2'),
        "no head": b"\0" * 200,
    }
    path.write_bytes(damaged[damage])
    with pytest.raises(BadSnapshot):
        NearestIndex.load(path)


@pytest.mark.parametrize("fingerprint", [-1, 2**64])
def test_what_is_no_fingerprint_is_refused_before_the_position_moves(fingerprint: int) -> None:
    index = NearestIndex.of([(1, 1)])
    for ask in (index.near, lambda number: index.add(0, 0, 2, number), lambda number: index.remove(0, 0, 1, number)):
        with pytest.raises(ValueError, match="64 bits"):
            ask(fingerprint)
    assert (len(index), dict(index.positions)) == (1, {})
