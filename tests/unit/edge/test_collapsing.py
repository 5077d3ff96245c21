"""Equal work at once."""

import asyncio

import pytest

from edge.collapsing import Collapsing
from photolog.errors import StoreUnavailable


class Work:
    def __init__(self) -> None:
        self.begun: list[str] = []
        self.may_end = asyncio.Event()
        self.error: Exception | None = None

    async def do(self, key: str) -> str:
        self.begun.append(key)
        await self.may_end.wait()
        if self.error is not None:
            raise self.error
        return key.upper()


async def begun(work: Work, *keys: str) -> tuple[Collapsing[str, str], list["asyncio.Task[str]"]]:
    collapsing = Collapsing(work.do)
    waiting = [asyncio.create_task(collapsing.get(key)) for key in keys]
    await asyncio.sleep(0)
    return collapsing, waiting


async def test_equal_work_is_done_once_and_other_work_beside_it() -> None:
    work = Work()
    collapsing, waiting = await begun(work, "a", "b", "a", "a")
    work.may_end.set()
    assert await asyncio.gather(*waiting) == ["A", "B", "A", "A"]
    assert work.begun == ["a", "b"]
    assert await collapsing.get("a") == "A"
    assert work.begun == ["a", "b", "a"], "nothing is remembered"


async def test_an_error_is_everybodys_and_the_next_tries_again() -> None:
    work = Work()
    collapsing, waiting = await begun(work, "a", "a")
    work.error = StoreUnavailable("away")
    work.may_end.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in outcomes] == [StoreUnavailable] * 2
    work.error = None
    assert await collapsing.get("a") == "A"


async def test_who_goes_away_takes_nothing_from_the_others() -> None:
    work = Work()
    _, (first, second) = await begun(work, "a", "a")
    first.cancel()
    await asyncio.sleep(0)
    work.may_end.set()
    assert await second == "A"
    with pytest.raises(asyncio.CancelledError):
        await first
