"""What comes one by one, some at a time."""

from collections.abc import AsyncIterator

import pytest

from photolog.grouping import grouped


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


@pytest.mark.parametrize(
    ("count", "groups"), [(0, []), (1, [[0]]), (3, [[0, 1, 2]]), (5, [[0, 1, 2], [3, 4]]), (6, [[0, 1, 2], [3, 4, 5]])]
)
async def test_all_come_once_in_their_order(count: int, groups: list[list[int]]) -> None:
    assert [group async for group in grouped(numbers(count), 3)] == groups
