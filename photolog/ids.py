"""Ids: UUIDv7 for events, 64-bit time-ordered snowflakes for things.

A snowflake is 42 bits of milliseconds since 2025-01-01 UTC, 10 bits of node and 11 bits of sequence, so ids sort
by creation and fit a signed 64-bit integer. They are strings in JSON and in Lua, whose numbers stop at 2^53.
"""

import os
import threading
import time
from collections.abc import Callable
from uuid import UUID

import uuid_utils

EPOCH_MS = 1_735_689_600_000
NODE_BITS = 10
SEQUENCE_BITS = 11
_SEQUENCE_MAX = (1 << SEQUENCE_BITS) - 1


def new_event_id() -> UUID:
    """A UUIDv7 (RFC 9562), drawn once per command and kept for its retries."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def now_ms() -> int:
    """Milliseconds since the Unix epoch by this machine's clock."""
    return time.time_ns() // 1_000_000


def snowflake_ms(snowflake: int) -> int:
    """The Unix milliseconds at which a snowflake was made."""
    return (snowflake >> (NODE_BITS + SEQUENCE_BITS)) + EPOCH_MS


def first_snowflake(unix_ms: int) -> int:
    """The lowest snowflake of a millisecond: every one that was made earlier is below it."""
    return (unix_ms - EPOCH_MS) << (NODE_BITS + SEQUENCE_BITS)


class SnowflakeSource:
    """Makes ids that never repeat or go back, also when the clock does.

    Args:
        node: 0..1023, distinct for each process that makes ids at the same time.
        clock_ms: returns Unix milliseconds.
    """

    def __init__(self, node: int, clock_ms: Callable[[], int] = now_ms) -> None:
        if not 0 <= node < 1 << NODE_BITS:
            raise ValueError(f"node must be 0..{(1 << NODE_BITS) - 1}, not {node}")
        self._node = node
        self._clock_ms = clock_ms
        self._last_ms = 0
        self._sequence = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        """The next id. Borrows from the coming millisecond when the clock steps back or a millisecond is full."""
        with self._lock:
            at_ms = max(self._clock_ms() - EPOCH_MS, self._last_ms)
            if at_ms == self._last_ms:
                self._sequence += 1
                if self._sequence > _SEQUENCE_MAX:
                    at_ms, self._sequence = at_ms + 1, 0
            else:
                self._sequence = 0
            self._last_ms = at_ms
            return (at_ms << (NODE_BITS + SEQUENCE_BITS)) | (self._node << SEQUENCE_BITS) | self._sequence

    @property
    def last_ms(self) -> int:
        """The Unix milliseconds of the newest id, which a clock that stepped back is behind; the epoch where there is
        none yet."""
        return self._last_ms + EPOCH_MS


def random_node() -> int:
    """A node number for a process that was given none."""
    return int.from_bytes(os.urandom(2), "big") >> (16 - NODE_BITS)


SLOTS = 1024
_MASK = (1 << 64) - 1


def slot_of(account_id: int) -> int:
    """The slot 0..1023 of an account or post: what shares a slot lives together on a Redis Cluster node.

    A snowflake's low bits are mostly zero, so they are mixed first (the finaliser of splitmix64, Steele et al. 2014).
    """
    mixed = account_id & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((mixed ^ (mixed >> 31)) & _MASK) % SLOTS
