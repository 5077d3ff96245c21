"""The events that made a row what it is, in their order, with what each changed."""

from collections import deque
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass

from lineage.addresses import Address, ids_of
from lineage.changes import key_events, naming_events
from lineage.decoding import Happened, Opening
from lineage.ids import Naming
from lineage.reading import Log, Placed
from lineage.tracing import Change, Tracing
from photolog.errors import Invalid
from photolog.ids import snowflake_ms
from photolog.log.growth import epoch_of
from projections.tables import Row

KEYS_MAX = 8
"""How many record keys are tried: events of others may name the same ids."""
SKEW_MS = 10 * 60_000  # by how much the clock that made an id may have been ahead of the one that stamped the record


@dataclass(frozen=True, slots=True)
class Step:
    """An event and what it made of the row."""

    happened: Happened
    change: Change


@dataclass(frozen=True, slots=True)
class RowHistory:
    """How a row came to be.

    Args:
        steps: the events that changed it, oldest first: the newest so many.
        left_out: how many came before those.
        row: what it is now; None where it is absent.
        key: the record key whose events make it; None for a row that many keys make.
    """

    steps: Sequence[Step]
    left_out: int
    row: Row | None
    key: bytes | None


async def row_history(
    log: Log, opening: Opening, address: Address, limit: int, record_key: bytes | None = None
) -> RowHistory:
    """What made a row.

    Args:
        log: the log.
        opening: makes events of records.
        address: which row.
        limit: how many events to tell, the newest ones.
        record_key: the record key that the row follows from, where the caller knows it; else the log is looked through
            for an event that names every id of the row's key.

    Raises:
        Invalid: the row's key holds no id, so that only `record_key` can tell.
        LogUnavailable, StoreUnavailable, TooMuch: as `lineage.changes.effect_of`.
    """
    if address.source is not None or record_key is not None:
        return await _told(log, opening, address, limit, record_key)
    tried: set[bytes] = set()
    while len(tried) < KEYS_MAX:
        found = await _key_of(log, opening, address, tried)
        if found is None:
            break
        history = await _told(log, opening, address, limit, found)
        if history.steps:
            return history
        tried.add(found)
    return RowHistory((), 0, None, None)


async def _told(log: Log, opening: Opening, address: Address, limit: int, record_key: bytes | None) -> RowHistory:
    tracing = Tracing(address.projection, kept=lambda key: key == address.key)
    steps: deque[Step] = deque(maxlen=limit)
    count = 0
    async for one in _events(log, opening, address, record_key):
        for change in tracing.apply(one.recorded).changes:
            if change.key == address.key:
                steps.append(Step(one, change))
                count += 1
    return RowHistory(tuple(steps), count - len(steps), tracing.row(address.key), record_key)


async def _events(log: Log, opening: Opening, address: Address, record_key: bytes | None) -> AsyncIterator[Happened]:
    topic = _topic(address)
    if address.source is None:
        async for one in key_events(log, opening, topic, record_key or b""):
            yield one
        return
    source, grown = address.source, len(await log.growths.of(topic))
    naming = Naming(ids_of(address.key)[:1])
    # Memberships that were made before the topic grew may have been made anywhere.
    async for one in naming_events(
        log, opening, topic, naming, lambda epoch, count: (source,) if epoch == grown else range(count)
    ):
        yield one


async def _key_of(log: Log, opening: Opening, address: Address, tried: Collection[bytes]) -> bytes | None:
    """The key of the first record whose event names every id of the row's key, and which was not tried; None where
    there is none.

    An event cannot be older than an id that it names, and ids tell their time.
    """
    topic, ids = _topic(address), ids_of(address.key)
    if not ids:
        raise Invalid("unknown-key", f"no id is in the key of {address}: say which record key with --key", "--row")
    naming = Naming(ids)
    begun_ms = max(0, max(snowflake_ms(one) for one in ids) - SKEW_MS)
    slices = await log.reader.since(await log.reader.whole(topic), begun_ms)
    history = await log.growths.of(topic)
    async for records in log.window(slices, f"for who writes {address}"):
        placed = [
            Placed(one, epoch_of(history, one.partition, one.offset)) for one in records if naming.all_may_be_in(one)
        ]
        for one in await opening.events(placed):
            key = one.placed.record.key
            if key is not None and key not in tried and naming.all_are_in(one.recorded.event):
                return key
    return None


def _topic(address: Address) -> str:
    """A row has one source partition, so it has one topic, and so have all rows of our projections."""
    (topic,) = address.projection.topics
    return topic.name
