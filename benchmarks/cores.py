"""A processor for what is measured, the others for all that works around it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def own_core() -> Iterator[int]:
    """A processor that this process and all that it starts leave to whoever takes it, where there are two at least."""
    cores = os.sched_getaffinity(0)
    core = max(cores)
    os.sched_setaffinity(0, cores - {core} or cores)
    try:
        yield core
    finally:
        os.sched_setaffinity(0, cores)
