"""What a process is made of is not walked through again; what it makes later is collected as ever."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from photolog.heap import settle_heap


class Cycle:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_is_there_is_out_of_sight_and_what_comes_later_is_collected() -> None:
    settle_heap()
    assert gc.get_freeze_count() > 1_000
    later = weakref.ref(Cycle())
    gc.collect()
    assert later() is None


def test_garbage_of_the_start_is_not_kept() -> None:
    earlier = weakref.ref(Cycle())
    settle_heap()
    assert earlier() is None
