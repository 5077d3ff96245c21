"""A person's feed as it stood at a time, worked out of the log by the folds and the rules that there are today.

Records belong to the time that they carry. Posts are looked for backward from the time, a longer stretch after each
that did not hold enough.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from gateway.visibility import may_see_post
from lineage.decoding import Opening
from lineage.past_people import PastPeople, people_at
from lineage.reading import SKEW_MS, Log, Placed, count_in
from lineage.tracing import TooMuch, Tracing
from photolog.errors import NotFound
from photolog.log.growth import History, epoch_of, is_misplaced
from photolog.log.partitioner import partition_of
from photolog.log.record import StoredRecord
from photolog.log.slices import Slice
from photolog.timestamps import rfc3339
from projections.accounts import AccountRow
from projections.posts import POSTS, POSTS_PROJECTION, PostRow
from projections.relations import NO_RELATION
from schemas.events import PostPublished
from schemas.topics import POSTS as POSTS_TOPIC

LIMIT_MAX = 1_000
RECORDS_MAX = 500_000
_FIRST_MS = 86_400_000
_GROWTH = 4


@dataclass(frozen=True, slots=True)
class PastPost:
    """A post as it was, and its author as they were."""

    post: PostRow
    author: AccountRow


@dataclass(frozen=True, slots=True)
class PastFeed:
    """A feed at a time.

    Args:
        viewer: whose, as they were.
        at_ms: when, Unix milliseconds.
        followed: how many accounts they followed.
        posts: newest first.
    """

    viewer: AccountRow
    at_ms: int
    followed: int
    posts: Sequence[PastPost]


async def feed_at(log: Log, opening: Opening, viewer_id: int, at_ms: int, limit: int) -> PastFeed:
    """The first posts of a feed.

    Args:
        log: the log.
        opening: makes events of records; what it cannot open is absent.
        viewer_id: whose feed.
        at_ms: when, Unix milliseconds.
        limit: how many posts, at most `LIMIT_MAX`.

    Raises:
        NotFound: there was no such account then.
        LogUnavailable, StoreUnavailable, TooMuch: as `lineage.past_people.people_at`.
    """
    people = await people_at(log, opening, viewer_id, at_ms)
    if people.viewer is None or people.viewer.deleted:
        raise NotFound("not-found", f"there was no account {viewer_id} at that time")
    looking = _Looking(people, viewer_id, at_ms)
    await _look_back(log, opening.sealed, looking, limit)
    posts = [await _opened(opening, looking.records[row.post_id]) for row in looking.visible()[:limit]]
    shown = [PastPost(post, people.accounts[post.owner_id]) for post in posts if post is not None]
    return PastFeed(people.viewer, at_ms, len(people.relations), shown)


async def _look_back(log: Log, sealed: Opening, looking: "_Looking", limit: int) -> None:
    """Read stretch after stretch until there are enough posts and none is unsettled, or the log begins."""
    keys = {str(author_id).encode() for author_id in looking.authors}
    history = await log.growths.of(POSTS_TOPIC.name)
    whole = await _slices_of(log, history, keys)
    behind = await log.reader.since(whole, looking.at_ms + SKEW_MS)
    upper = [replace(one, end=end.begin) for one, end in zip(whole, behind, strict=True)]
    span_ms = _FIRST_MS
    while any((one.end or 0) > one.begin for one in upper):
        begin_ms = max(0, looking.at_ms - span_ms)
        stretch = await log.reader.since(upper, begin_ms)
        async for records in log.window(stretch, f"posts back to {rfc3339(begin_ms)}"):
            wanted = [one for one in records if one.key in keys and one.timestamp_ms <= looking.at_ms]
            await looking.add(sealed, _placed(history, wanted))
        if looking.has(limit, begin_ms):
            return
        upper = [replace(one, end=read.begin) for one, read in zip(upper, stretch, strict=True)]
        span_ms *= _GROWTH


async def _slices_of(log: Log, history: History, keys: Collection[bytes]) -> list[Slice]:
    """The partitions in which any of some keys has ever lain."""
    whole = await log.reader.whole(POSTS_TOPIC.name)
    counts = {count_in(history, epoch, len(whole)) for epoch in range(len(history) + 1)}
    places = {partition_of(key, count) for key in keys for count in counts}
    return [one for one in whole if one.partition in places]


def _placed(history: History, records: Sequence[StoredRecord]) -> list[Placed]:
    return [
        Placed(one, epoch_of(history, one.partition, one.offset)) for one in records if not is_misplaced(history, one)
    ]


@dataclass(slots=True)
class _Looking:
    """The posts found so far: all records of each, from some time on."""

    people: PastPeople
    viewer_id: int
    at_ms: int
    records: dict[int, list[Placed]] = field(default_factory=dict)
    rows: dict[int, PostRow] = field(default_factory=dict)
    unsettled: set[int] = field(default_factory=set)
    count: int = 0

    @property
    def authors(self) -> set[int]:
        """Whose posts the feed is made of."""
        followed = {other for other, relation in self.people.relations.items() if not relation.mutes}
        return {self.viewer_id, *followed}

    async def add(self, sealed: Opening, found: Sequence[Placed]) -> None:
        """Take in further records, and settle anew what became of their posts."""
        self.count += len(found)
        if self.count > RECORDS_MAX:
            raise TooMuch(f"more than {RECORDS_MAX:,} records would have to be held: ask for fewer posts")
        touched = set()
        for one in await sealed.events(found):
            (post_id,) = POSTS_PROJECTION.aggregate(one.recorded).values
            self.records.setdefault(post_id, []).append(one.placed)
            touched.add(post_id)
        for post_id in touched:
            await self._settle(sealed, post_id)

    async def _settle(self, sealed: Opening, post_id: int) -> None:
        """One whose publication is there and whose creation is not yet is unsettled: it lies further back."""
        records = self.records[post_id]
        row = await _opened(sealed, records)
        self.rows.pop(post_id, None)
        self.unsettled.discard(post_id)
        if row is not None and row.status == "published":
            self.rows[post_id] = row
        elif (row is None or row.status == "processing") and any(map(_publishes, records)):
            self.unsettled.add(post_id)

    def visible(self) -> list[PostRow]:
        """Those that the viewer would have seen, newest first."""
        seen = [row for row in self.rows.values() if self._may_see(row)]
        return sorted(seen, key=lambda row: (row.published_ms or 0, row.post_id), reverse=True)

    def has(self, limit: int, begin_ms: int) -> bool:
        """Whether nothing older than a time, to which all was read, can change the first posts.

        A record whose time is older than that was appended again, and what it repeats has not been read.
        """
        visible = self.visible()
        if self.unsettled or len(visible) < limit or (visible[limit - 1].published_ms or 0) < begin_ms:
            return False
        published = (records for records in self.records.values() if any(map(_publishes, records)))
        return all(one.record.timestamp_ms >= begin_ms for records in published for one in records)

    def _may_see(self, row: PostRow) -> bool:
        relation = self.people.relations.get(row.owner_id, NO_RELATION)
        return may_see_post(self.viewer_id, row, self.people.accounts.get(row.owner_id), relation)


async def _opened(opening: Opening, records: Sequence[Placed]) -> PostRow | None:
    """What a post's records fold into."""
    tracing, post_id = Tracing(POSTS_PROJECTION, kept=lambda _: False), None
    for one in await opening.events(sorted(records, key=lambda placed: (placed.epoch, placed.record.offset))):
        tracing.apply(one.recorded)
        (post_id,) = POSTS_PROJECTION.aggregate(one.recorded).values
    return tracing.row(POSTS.key(post_id)) if post_id is not None else None


def _publishes(placed: Placed) -> bool:
    return placed.record.header("ce_type") == PostPublished.type.encode()
