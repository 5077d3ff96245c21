"""The smallest read model that has everything: a membership decides, a list mirrors it, a count follows it."""

from collections.abc import Sequence
from uuid import UUID

from photolog.ids import EPOCH_MS
from projections.fold import Recorded, Rows
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put, remove
from schemas import topics
from schemas.events import Event, PostLiked, PostUnliked


class Member(Row, frozen=True, kw_only=True):
    actor_id: int
    post_id: int
    since_ms: int


class Listed(Row, frozen=True, kw_only=True):
    post_id: int
    since_ms: int
    actor_id: int


class Count(Row, frozen=True, kw_only=True):
    post_id: int
    source: int
    count: int


MEMBERS = Table("sample_members", Member, ("actor_id",), ("post_id",), aggregate=True)
LISTED = Table("sample_listed", Listed, ("post_id",), ("-since_ms", "actor_id"))
COUNTS = Table("sample_counts", Count, ("post_id",), ("source",))


class MembershipProjection:
    """Folds likes into all three tables."""

    name = "membership"
    topics = (topics.LIKES,)

    def aggregate(self, recorded: Recorded) -> RowKey[Row]:
        event = _event(recorded)
        return MEMBERS.key(event.actor_id, event.post_id)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        return (COUNTS.key(_event(recorded).post_id, recorded.partition),)

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        event = _event(recorded)
        key = MEMBERS.key(event.actor_id, event.post_id)
        member = rows.get(key)
        match event:
            case PostLiked() if member is None:
                since_ms = recorded.timestamp_ms
                # The aggregate comes first on purpose: that it is written last is the fold's business.
                return (
                    put(MEMBERS, Member(actor_id=event.actor_id, post_id=event.post_id, since_ms=since_ms)),
                    put(LISTED, Listed(post_id=event.post_id, since_ms=since_ms, actor_id=event.actor_id)),
                    _counted(rows, recorded, event.post_id, 1),
                )
            case PostUnliked() if member is not None:
                return (
                    remove(LISTED.key(event.post_id, member.since_ms, event.actor_id)),
                    _counted(rows, recorded, event.post_id, -1),
                    remove(key),
                )
        return ()


MEMBERSHIP = MembershipProjection()


def like(actor_id: int, post_id: int) -> Event:
    return PostLiked(actor_id=actor_id, post_id=post_id)


def unlike(actor_id: int, post_id: int) -> Event:
    return PostUnliked(actor_id=actor_id, post_id=post_id)


def event_id_at(at_ms: int, number: int = 0) -> UUID:
    """A UUIDv7 (RFC 9562) of a given millisecond."""
    return UUID(int=at_ms << 80 | 7 << 76 | 0b10 << 62 | number)


def recorded(event: Event, offset: int, *, event_id: UUID | None = None, timestamp_ms: int | None = None) -> Recorded:
    """An event at its offset of partition 3, a second after the one before."""
    at_ms = EPOCH_MS + offset * 1_000 if timestamp_ms is None else timestamp_ms
    return Recorded(event, event_id or event_id_at(at_ms, offset), topics.LIKES.name, 3, offset, at_ms)


def likers(log: Sequence[Recorded]) -> set[int]:
    """Who likes a post, the naive way: each event id once, in order."""
    found: set[int] = set()
    seen = set()
    for record in log:
        if record.event_id not in seen:
            seen.add(record.event_id)
            change = found.add if isinstance(record.event, PostLiked) else found.discard
            change(_event(record).actor_id)
    return found


def _event(recorded: Recorded) -> PostLiked | PostUnliked:
    assert isinstance(recorded.event, PostLiked | PostUnliked)
    return recorded.event


def _counted(rows: Rows, recorded: Recorded, post_id: int, change: int) -> Write:
    before = rows.get(COUNTS.key(post_id, recorded.partition))
    return put(
        COUNTS, Count(post_id=post_id, source=recorded.partition, count=(before.count if before else 0) + change)
    )
