"""What of a stretch of records is worked on, and what is put aside: the dead, and what comes behind them in its key.

Pure, and a function of the log and of what fails in it, so a batch that comes again is judged alike. It is asked again
whenever something turned out to be dead: what comes behind that in its key is then put aside too.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from photolog.log.growth import OFFSET_BITS
from photolog.log.record import StoredRecord
from photolog.log.retries import Place, Retry, retry_of
from projections.stores.counts import Fate
from projections.stores.parked import Parked, ParkedKeys
from streams.decoding import Dead
from streams.errors import TooMuchParked

KEY_BYTES_MAX = 128
"""Keys of ours are ids; a record with a longer key is none of ours, and nothing waits for it."""
KEYS_MAX = 1_000
"""How many keys of a partition may be parked. Where more fail, it is the projection that is broken."""


@dataclass(slots=True)
class Plan:
    """What is to become of a stretch.

    Args:
        worked: offsets of the records that the work is given.
        fates: of every record, by its offset; those that are worked on count as applied.
        letters: what is appended to the dead-letter topic, in the order of the log.
        parked: the keys that are parked behind the stretch.
    """

    worked: set[int] = field(default_factory=set)
    fates: dict[int, Fate] = field(default_factory=dict)
    letters: list[Dead] = field(default_factory=list)
    parked: dict[bytes, Parked] = field(default_factory=dict)

    def cut(self, records: Sequence[StoredRecord]) -> Sequence[StoredRecord]:
        """The records up to the first that is worked on behind a dead one."""
        is_broken = False
        for at, record in enumerate(records):
            if is_broken and record.offset in self.worked:
                return records[:at]
            is_broken = is_broken or self.fates.get(record.offset) == "dead"
        return records

    def fates_after(self, duplicates: Collection[int], noops: Collection[int]) -> list[tuple[int, Fate]]:
        """The fates, once the work has told what of its events changed nothing."""
        told: dict[int, Fate] = {**dict.fromkeys(duplicates, "duplicates"), **dict.fromkeys(noops, "noops")}
        return [(offset, told.get(offset, fate)) for offset, fate in self.fates.items()]


@dataclass(frozen=True, slots=True)
class Parking:
    """How records of one stretch are judged.

    Args:
        projection: whose letters are its own.
        parked: the keys that are parked in front of it.
        place: of a partition and an offset of the topic, the place in the order of a key.
        ordered: whether the order of a key matters to the projection; nothing is parked where it does not.
        seen: whether the position had been past the stretch before and was set back. Its letters are written and its
            records counted; what was worked on then is worked on again, and nothing else.
        strays: offsets of records that lie where their key does not belong.
    """

    projection: str
    parked: ParkedKeys
    place: Callable[[Place], int]
    ordered: bool = True
    seen: bool = False
    strays: Collection[int] = ()

    def plan(self, records: Sequence[StoredRecord], dead: Mapping[int, str]) -> Plan:
        """Judge a stretch.

        Args:
            records: in log order.
            dead: why records cannot be processed, by their offsets, as far as that is known.

        Raises:
            TooMuchParked: more keys than may be.
        """
        if self._lets_all_pass(records, dead):
            offsets = [record.offset for record in records]
            return Plan(set(offsets), dict.fromkeys(offsets, "applied"))
        judging = _Judging(self, dead)
        for record in records:
            judging.take(record)
        parked = judging.plan.parked
        if len(parked) > max(KEYS_MAX, len(self.parked)):
            where = f"{records[0].topic}/{records[0].partition}"
            raise TooMuchParked(f"{self.projection}: {len(parked)} keys of {where} would wait behind dead letters")
        return judging.plan

    def _lets_all_pass(self, records: Sequence[StoredRecord], dead: Mapping[int, str]) -> bool:
        """Whether there is nothing to judge, as for nearly every batch."""
        if dead or self.parked or self.seen or self.strays:
            return False
        return all(record.header("retry_of") is None for record in records)

    def key(self, record: StoredRecord) -> bytes | None:
        """The key in whose order a record stands; None where nothing waits for it."""
        if not self.ordered or record.offset in self.strays:
            return None
        return parking_key(record)


def parking_key(record: StoredRecord) -> bytes | None:
    """The key of a record that may park what comes behind it."""
    return record.key if record.key and len(record.key) <= KEY_BYTES_MAX else None


class _Judging:
    """One pass over a stretch."""

    def __init__(self, parking: Parking, dead: Mapping[int, str]) -> None:
        self._parking = parking
        self._dead = dead
        self.plan = Plan(parked=dict(parking.parked))

    def take(self, record: StoredRecord) -> None:
        """Judge the next record."""
        retry, key = retry_of(record), self._parking.key(record)
        if retry is not None and retry.projection != self._parking.projection:
            self.plan.fates[record.offset] = "duplicates"
        elif self._parking.seen:
            self._take_again(record, key, retry)
        elif key is None:
            self._take_alone(record)
        elif retry is not None and retry.ordered:
            self._take_retry(record, key, retry)
        else:
            self._take_first(record, key)

    def _take_alone(self, record: StoredRecord) -> None:
        if not self._is_dead(record, None):
            self._work(record)

    def _take_first(self, record: StoredRecord, key: bytes) -> None:
        place = self._parking.place((record.partition, record.offset))
        parked = self.plan.parked.get(key)
        if parked is not None:
            since = f"{record.topic}/{parked.partition}/{parked.since & (1 << OFFSET_BITS) - 1}"
            self.plan.parked[key] = replace(parked, last=place)
            self._put_aside(record, "parked", f"parked behind {since}", key)
        elif self._is_dead(record, key):
            self.plan.parked[key] = Parked(record.partition, since=place, settled=place - 1, last=place)
        else:
            self._work(record)

    def _take_retry(self, record: StoredRecord, key: bytes, retry: Retry) -> None:
        place, parked = self._parking.place(retry.origin), self.plan.parked.get(key)
        if parked is None or place <= parked.settled:
            self.plan.fates[record.offset] = "duplicates"
        elif retry.behind and self._parking.place(retry.behind) > parked.settled:
            # It would overtake what it was parked behind. Its letter is still there.
            self.plan.fates[record.offset] = "parked"
        elif retry.dropped:
            self.plan.fates[record.offset] = "noops"
            self._settle(key, parked, place)
        elif not self._is_dead(record, key):
            self._work(record)
            self._settle(key, parked, place)

    def _take_again(self, record: StoredRecord, key: bytes | None, retry: Retry | None) -> None:
        parked = self.plan.parked.get(key) if key is not None else None
        origin = retry.origin if retry is not None and retry.ordered else (record.partition, record.offset)
        waits = parked is not None and self._parking.place(origin) > parked.settled
        if not waits and record.offset not in self._dead and not (retry and retry.dropped):
            self._work(record)

    def _settle(self, key: bytes, parked: Parked, place: int) -> None:
        if place >= parked.last:
            del self.plan.parked[key]
        else:
            self.plan.parked[key] = replace(parked, settled=place)

    def _is_dead(self, record: StoredRecord, key: bytes | None) -> bool:
        reason = self._dead.get(record.offset)
        if reason is None:
            return False
        self._put_aside(record, "dead", reason, key)
        return True

    def _put_aside(self, record: StoredRecord, fate: Fate, reason: str, key: bytes | None) -> None:
        self.plan.fates[record.offset] = fate
        self.plan.letters.append(Dead(record, reason, ordered=key is not None))

    def _work(self, record: StoredRecord) -> None:
        self.plan.worked.add(record.offset)
        self.plan.fates[record.offset] = "applied"
