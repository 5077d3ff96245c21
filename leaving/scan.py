"""Looking everywhere for what is left of an account: log, dead letters, rows, vault, caches and bucket.

What fails a scan is `left`: a sealed value whose key is there, a row or an entry that an erasure removes or empties, a
file, or a word that the caller knows to be theirs. `sealed` values without a key are noise, and `references` are ids,
times and counts.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from gateway.limits.guesses import places_key
from leaving.cache_entries import CacheEntries
from leaving.coverage import BY_TABLE
from leaving.mentions import NAMING, Mention
from leaving.purging import Purge
from leaving.resources import LeavingResources
from photolog.errors import Corruption, UndecodableRecord
from photolog.log.record import StoredRecord
from photolog.seal import place, unseal
from projections.cache_owners import plain_field
from projections.card_json import parse_account, parse_post
from projections.cards import CARD, SINCE, TOP, account_key, likes_key, post_key, saves_key
from projections.catalogue import OWNER_OF, TABLES
from projections.generations import generation_table
from projections.relations import relations_key
from projections.stores.redis_feeds import timeline_key
from projections.tables import Table
from projections.top_comments import parse_top
from schemas.events import MediaTranscodingRequested
from schemas.topics import MEDIA_REQUESTED, TOPICS

_POST_ENTRY = post_key(0).partition("{")[0]


class Place(msgspec.Struct, kw_only=True):
    """What a scan found in one place.

    Args:
        place: which one.
        left: what should not be there.
        sealed: sealed values that nobody can open.
        references: records, rows and entries that name the account by its id.
        unreadable: records that no schema of ours decodes and whose bytes may name the account.
    """

    place: str
    left: int = 0
    sealed: int = 0
    references: int = 0
    unreadable: int = 0


class ScanReport(msgspec.Struct, kw_only=True):
    """What a scan found everywhere; `clean` where nothing is left."""

    account_id: str
    marked: bool
    clean: bool
    places: list[Place]


class Scan:
    """One scan.

    Args:
        resources: the ports, as the worker has them.
        caches: everything that Redis holds.
        account_id: whom it is about.
        words: texts that are known to be theirs; their bytes are looked for everywhere but inside of files.
    """

    def __init__(
        self, resources: LeavingResources, caches: CacheEntries, account_id: int, words: Sequence[str] = ()
    ) -> None:
        self._resources = resources
        self._caches = caches
        self._account_id = account_id
        self._mention = Mention(account_id)
        self._words = [word.encode() for word in words if word]
        self._media_ids: set[int] = set()

    async def report(self) -> ScanReport:
        """Look everywhere.

        Raises:
            StoreUnavailable: a store did not answer.
            LogUnavailable: the log did not.
        """
        await self._resources.keyring.ensure([self._account_id])
        marked = await self._resources.vault.erasures.get(self._account_id) is not None
        places = [found async for found in self._places()]
        clean = not any(found.left for found in places)
        return ScanReport(account_id=str(self._account_id), marked=marked, clean=clean, places=places)

    async def _places(self) -> AsyncIterator[Place]:
        for topic in TOPICS:
            yield await self._topic(topic.name)
            yield await self._topic(topic.dead_letters)
        pointers = self._resources.pinned.pointers
        for table in TABLES:
            for number in pointers.of(OWNER_OF[table.name]).kept:
                yield await self._table(table, number)
        async for found in self._outside():
            yield found
        yield await self._cached()

    async def _topic(self, name: str) -> Place:
        found = Place(place=f"log/{name}")
        async for records in self._resources.reader.read(name):
            for record in records:
                self._record(found, record)
        return found

    def _record(self, found: Place, record: StoredRecord) -> None:
        told = [value for _, value in record.headers]
        found.left += self._spoken([record.key, record.value, *told])
        if not self._mention.may_be_in(record):
            return
        try:
            sealed = self._resources.serde.parse(record.value)
            event = self._resources.serde.open_record(sealed, lambda _: None)
        except UndecodableRecord:
            found.unreadable += 1
            return
        if all(getattr(event, field) != self._account_id for field in NAMING[type(event)]):
            return
        found.references += 1
        if record.topic == MEDIA_REQUESTED.name and isinstance(event, MediaTranscodingRequested):
            self._media_ids.add(event.media_id)
        for field, subject in sealed.schema.personal.items():
            if sealed.values[subject] == self._account_id and sealed.values[field] is not None:
                opens = self._opens(sealed.values[field], place(event.type, field, self._account_id))
                found.left += opens
                found.sealed += not opens

    def _opens(self, ciphertext: bytes, bound_to: bytes) -> bool:
        key = self._resources.keyring.key_of(self._account_id)
        if key is None:
            return False
        try:
            unseal(key, ciphertext, bound_to)
        except Corruption:
            return False
        return True

    async def _table(self, table: Table[Any], number: int) -> Place:
        stored = generation_table(table, number)
        found = Place(place=f"rows/{stored.name}")
        coverage = BY_TABLE.get(table.name)
        async for row in (self._resources.every_row or self._resources.rows).all_rows(stored):
            found.left += self._spoken([msgspec.json.encode(msgspec.structs.asdict(row))]) if self._words else 0
            if coverage is not None and coverage.is_of(self._account_id, row):
                left = coverage.is_left(row)
                found.left += left
                found.references += not left
        return found

    async def _outside(self) -> AsyncIterator[Place]:
        """The vault and the bucket, as the purge counts them, the name and the key."""
        counts = await Purge(self._resources, self._account_id).count(self._media_ids)
        names = [name async for name in self._resources.vault.usernames.of(self._account_id)]
        counts["vault.usernames"] = len(names)
        counts["vault.subject_keys"] = int(self._resources.keyring.key_of(self._account_id) is not None)
        for name, count in sorted(counts.items()):
            yield Place(place=name, left=count)

    async def _cached(self) -> Place:
        found = Place(place="caches")
        account_id = self._account_id
        card, _ = account_key(account_id)
        lists = (likes_key(account_id), saves_key(account_id))
        relations, timeline = relations_key(account_id), timeline_key(account_id).decode()
        places = places_key(account_id)
        async for key, stored in self._caches.entries():
            fields = {plain_field(name)[0]: held for name, held in stored.items()}
            found.left += self._spoken([key.encode(), *(name.encode() for name in fields), *fields.values()])
            value = fields.get(CARD, b"").partition(b"|")[2]
            if key in (timeline, places):
                found.left += 1
            elif key in lists:
                found.left += sum(b"|" in held for field, held in fields.items() if field != SINCE)
            elif key == relations:
                # Written again whenever another changes their side of a pair.
                found.references += 1
            elif key == card and value:
                found.left += not parse_account(account_id, value).deleted
                found.references += 1
            elif key.startswith(_POST_ENTRY):
                top = fields.get(TOP, b"").partition(b"|")[2]
                found.left += sum(comment.author_id == account_id for comment in parse_top(top or None))
                if value:
                    post = parse_post(value)
                    found.left += post.owner_id == account_id and post.status != "deleted"
                    found.references += post.owner_id == account_id
        return found

    def _spoken(self, parts: Iterable[bytes | None]) -> int:
        """How many of these parts hold one of the words."""
        return sum(any(word in part for word in self._words) for part in parts if part)


def totals(report: ScanReport) -> Mapping[str, int]:
    """The sums over all places."""
    sums: Counter[str] = Counter()
    for found in report.places:
        for name in ("left", "sealed", "references", "unreadable"):
            sums[name] += getattr(found, name)
    return sums
