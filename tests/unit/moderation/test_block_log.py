"""The block-list is read up to where the log ended when it was asked for, each record once."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from moderation.block_log import KafkaBlockLog
from photolog.errors import LogUnavailable
from photolog.log.record import StoredRecord
from photolog.log.slices import Batch, Slice
from schemas.topics import BLOCKS


class Reader:
    """`photolog.log.slices.SliceReader` over lists, a record in a batch; `away` has it fail after so many."""

    def __init__(self) -> None:
        self.partitions: list[int] = [0, 0]
        self.read_before_away: int | None = None

    async def whole(self, topic: str) -> list[Slice]:
        return [Slice(topic, partition, 0, end) for partition, end in enumerate(self.partitions)]

    async def read(self, slices: Sequence[Slice]) -> AsyncIterator[Batch]:
        given = 0
        for one in slices:
            assert one.end is not None
            for offset in range(one.begin, one.end):
                if self.read_before_away is not None and given >= self.read_before_away:
                    raise LogUnavailable("away")
                given += 1
                yield Batch([StoredRecord(one.topic, one.partition, offset, b"k", b"v", (), 1)], frozenset())


@pytest.fixture
def reader() -> Reader:
    return Reader()


async def places(log: KafkaBlockLog) -> list[tuple[int, int]]:
    return [(record.partition, record.offset) for record in await log.news()]


async def test_each_record_is_given_once_also_of_partitions_that_came_later(reader: Any) -> None:
    log = KafkaBlockLog(reader)
    reader.partitions = [2, 0]
    found = [await places(log), await places(log)]
    reader.partitions = [3, 1, 2]
    found.append(await places(log))
    assert found == [[(0, 0), (0, 1)], [], [(0, 2), (1, 0), (2, 0), (2, 1)]]


async def test_what_an_error_cut_off_is_read_again(reader: Any) -> None:
    log = KafkaBlockLog(reader)
    reader.partitions, reader.read_before_away = [2, 1], 2
    with pytest.raises(LogUnavailable):
        await log.news()
    reader.read_before_away = None
    assert await places(log) == [(0, 0), (0, 1), (1, 0)]
    assert BLOCKS.keyed_by == "digest", "so that the order of what was said of a content is a partition's"
