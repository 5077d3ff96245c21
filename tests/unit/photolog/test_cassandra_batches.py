"""Writes in batches: each once, none with what other nodes hold, none too large."""

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from photolog.engines.cassandra_batches import BYTES_MAX, WRITES_MAX, batched


class Write:
    """A bound write, as far as batches look at one."""

    def __init__(self, number: int, nodes: str, size: int) -> None:
        self.number = number
        self.nodes = nodes
        self.size = size
        self.values = [b"x" * size, None]


def batches_of(described: list[tuple[str, int]]) -> list[list[Write]]:
    writes: list[Any] = [Write(number, nodes, size) for number, (nodes, size) in enumerate(described)]
    found: list[Any] = batched(writes, lambda write: write.nodes)
    return found


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "a,b"]), st.integers(0, 2 * BYTES_MAX)), max_size=60))
def test_every_write_goes_once_with_its_like_and_within_bounds(described: list[tuple[str, int]]) -> None:
    batches = batches_of(described)
    assert Counter(write.number for batch in batches for write in batch) == Counter(range(len(described)))
    for batch in batches:
        assert len({write.nodes for write in batch}) == 1
        assert len(batch) <= WRITES_MAX
        assert len(batch) == 1 or sum(write.size for write in batch) <= BYTES_MAX


def test_small_writes_fill_batches() -> None:
    batches = batches_of([("a", 10)] * 25 + [("b", 10)] * 5)
    assert [len(batch) for batch in batches] == [10, 10, 5, 5]
