"""What waits for a subscriber has a bound, and so has how long others wait for it."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.streams.frames import Frame
from gateway.streams.mailbox import Mailbox

BYTES_MAX = 1_000


def frame(size_bytes: int) -> Frame:
    return Frame([b"x" * size_bytes], [""])


@given(sizes=st.lists(st.tuples(st.booleans(), st.integers(1, 400)), max_size=60))
async def test_it_never_holds_more_than_it_may(sizes: list[tuple[bool, int]]) -> None:
    overflows: list[str] = []
    mailbox = Mailbox(BYTES_MAX, lambda: overflows.append("once"))
    for takes, size in sizes:
        mailbox.offer(frame(size))
        assert mailbox.size_bytes <= BYTES_MAX
        if takes:
            await mailbox.next(0)
    assert len(overflows) == mailbox.closed


async def test_a_frame_larger_than_the_bound_still_passes_alone() -> None:
    mailbox = Mailbox(BYTES_MAX, lambda: pytest.fail("it overflows"))
    mailbox.offer(frame(5_000))
    taken = await mailbox.next(1)
    assert taken is not None
    assert taken.size_bytes == 5_000


async def test_closing_wakes_whoever_waits_and_forgets_what_waits() -> None:
    mailbox = Mailbox(BYTES_MAX, lambda: None)
    waiting = asyncio.create_task(mailbox.next(60))
    await asyncio.sleep(0)
    mailbox.close()
    assert await asyncio.wait_for(waiting, 1) is None
    mailbox.offer(frame(1))
    assert mailbox.size_bytes == 0


async def test_a_burst_is_waited_out_and_nobody_is_waited_for_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    mailbox = Mailbox(BYTES_MAX, lambda: None)
    assert not mailbox.asks_for(0.01), "there is room"
    mailbox.offer(frame(700))
    waited = 0
    while mailbox.asks_for(0.01):
        waited += 1
        now += 0.01
    assert 95 <= waited <= 105
    now += 10
    again = 0
    while mailbox.asks_for(0.01):
        again += 1
        now += 0.01
    assert 15 <= again <= 25, "one part in fifty of the time that passed"
    await mailbox.next(1)
    now += 100
    assert not mailbox.asks_for(0.01)
