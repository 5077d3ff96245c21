"""Readings outlive requests, are shared by them, and are bounded."""

import asyncio

import pytest

from gateway.readings import Found, Readings
from photolog.errors import StoreUnavailable
from projections.feed import Stretch
from projections.stores.port import TimelineEntry

FIRST, SECOND = TimelineEntry(2, 2, 7), TimelineEntry(1, 1, 7)


class Slow:
    """A reading that finds one entry at once and the other when it is let go on."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun = 0
        self.ended = 0
        self.go_on = asyncio.Event()
        self._error = error

    async def __call__(self, found: Found) -> Stretch:
        self.begun += 1
        found.append(FIRST)
        try:
            await self.go_on.wait()
            if self._error is not None:
                raise self._error
            found.append(SECOND)
            return Stretch(found, (0, 0))
        finally:
            self.ended += 1


def now() -> float:
    return asyncio.get_running_loop().time()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_cannot_wait_has_what_was_found_and_the_next_has_all() -> None:
    readings, slow = Readings(), Slow()
    first = await readings.read("key", now(), slow, keep=True)
    assert (first.stretch, list(first.found)) == (None, [FIRST])
    slow.go_on.set()
    await settled()
    second = await readings.read("key", now(), slow, keep=True)
    assert second.stretch is not None
    assert second.joined
    assert list(second.stretch.entries) == [FIRST, SECOND]
    assert slow.begun == 1


@pytest.mark.parametrize(("kept_seconds", "readings_begun"), [(60, 2), (0, 3)])
async def test_what_was_kept_is_given_once_and_not_for_ever(kept_seconds: float, readings_begun: int) -> None:
    readings, slow = Readings(kept_seconds=kept_seconds), Slow()
    assert (await readings.read("key", now(), slow, keep=True)).stretch is None
    slow.go_on.set()
    await settled()
    for _ in range(2):
        assert (await readings.read("key", now() + 9, slow, keep=True)).stretch is not None
    assert slow.begun == readings_begun


async def test_what_is_found_elsewhere_is_not_kept() -> None:
    readings, slow = Readings(), Slow()
    assert (await readings.read("key", now(), slow)).stretch is None
    slow.go_on.set()
    await settled()
    assert not (await readings.read("key", now() + 9, slow)).joined
    assert slow.begun == 2


async def test_many_requests_share_one_reading() -> None:
    readings, slow = Readings(), Slow()
    requests = [asyncio.create_task(readings.read("key", now() + 9, slow)) for _ in range(20)]
    await settled()
    requests[0].cancel()
    slow.go_on.set()
    answers = await asyncio.gather(*requests[1:])
    assert slow.begun == 1
    assert all(answer.stretch is not None for answer in answers)


async def test_beyond_the_bound_a_reading_ends_with_its_request() -> None:
    readings, slow, further = Readings(readings_max=2), Slow(), Slow()
    for key in ("one", "two"):
        await readings.read(key, now(), slow, keep=True)
    assert (await readings.read("three", now(), further, keep=True)).stretch is None
    await settled()
    assert (further.begun, further.ended, slow.ended) == (1, 1, 0)
    slow.go_on.set()
    await settled()
    # What nobody came back for makes room.
    await readings.read("three", now(), further, keep=True)
    await settled()
    assert (further.begun, further.ended) == (2, 1)
    await readings.close()
    assert further.ended == 2


async def test_a_failed_reading_is_told_to_who_waits_and_not_kept() -> None:
    readings, failing = Readings(), Slow(StoreUnavailable("rows are away"))
    assert (await readings.read("key", now(), failing, keep=True)).stretch is None
    failing.go_on.set()
    await settled()
    with pytest.raises(StoreUnavailable):
        await readings.read("key", now() + 9, failing, keep=True)
    assert failing.begun == 2
