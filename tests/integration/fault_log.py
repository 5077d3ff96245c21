"""What stands in the log since a moment, read with a plain consumer: the facts, each once, and the world they make."""

import secrets
from collections import Counter
from uuid import UUID

from confluent_kafka import Consumer, TopicPartition

from photolog.errors import UndecodableRecord
from photolog.log.kafka_config import client_config
from photolog.log.offsets import END, offsets_at
from photolog.log.reading import stored_record
from photolog.log.record import StoredRecord
from photolog.positions import Position
from photolog.settings import KafkaSettings
from schemas import events as e
from schemas.serde import Serde
from schemas.topics import ACCOUNTS, COMMENTS, GRAPH, LIKES, POSTS
from tests.integration.workers import admin_of
from tests.replay.naive import NaiveWorld

TOPICS = (ACCOUNTS, GRAPH, POSTS, LIKES, COMMENTS)
Deed = tuple[type[e.Event], tuple[int, ...]]
"""What somebody did: the event's class, and the fields of DEEDS, of which the first is the one who did it."""

DEEDS: dict[type[e.Event], tuple[str, ...]] = {
    e.FollowCreated: ("follower_id", "followee_id"),
    e.FollowDeleted: ("follower_id", "followee_id"),
    e.AccountBlocked: ("blocker_id", "blocked_id"),
    e.AccountUnblocked: ("blocker_id", "blocked_id"),
    e.PostCreated: ("owner_id", "post_id"),
    e.PostDeleted: ("owner_id", "post_id"),
    e.PostLiked: ("actor_id", "post_id"),
    e.PostUnliked: ("actor_id", "post_id"),
    e.CommentCreated: ("author_id", "post_id", "comment_id"),
    e.CommentDeleted: ("deleted_by", "post_id", "comment_id"),
}


def deed_of(event: e.Event) -> Deed:
    """The deed that an event of DEEDS tells of."""
    return type(event), tuple(getattr(event, field) for field in DEEDS[type(event)])


class LogSince:
    """The log of what people do, from where it ended when this was made.

    Args:
        kafka: the log.
        serde: decodes; personal fields stay closed.
    """

    def __init__(self, kafka: KafkaSettings, serde: Serde) -> None:
        self._kafka = kafka
        self._serde = serde
        self._next = self._ends()
        self._seen: set[UUID] = set()
        self.deeds: Counter[Deed] = Counter()
        self.places: dict[Position, Deed] = {}
        self.times_ms: dict[Position, int] = {}
        self.repeats = 0
        self.world = NaiveWorld()

    def read(self) -> None:
        """Read on to the end as it is now. Partition by partition: only the order within a key matters."""
        ends = self._ends()
        for records in self._fetched({place: end for place, end in ends.items() if self._next[place] < end}).values():
            for record in records:
                self._take(record)

    def _fetched(self, ends: dict[tuple[str, int], int]) -> dict[tuple[str, int], list[StoredRecord]]:
        """What stands in these partitions before these offsets, all of them fetched at once."""
        found: dict[tuple[str, int], list[StoredRecord]] = {place: [] for place in ends}
        alone = {"group.id": secrets.token_hex(8), "enable.auto.commit": False}
        reader = Consumer(client_config(self._kafka) | alone)
        left = set(ends)
        reader.assign([TopicPartition(*place, self._next[place]) for place in ends])
        try:
            while left:
                for message in reader.consume(1_000, timeout=0.05):
                    if message.error() is None:
                        record = stored_record(message)
                        place = (record.topic, record.partition)
                        if record.offset < ends[place]:
                            found[place].append(record)
                        if record.offset + 1 >= ends[place]:
                            left.discard(place)
        finally:
            reader.close()
        return found

    def _take(self, record: StoredRecord) -> None:
        self._next[record.topic, record.partition] = record.offset + 1
        try:
            event = self._serde.open_record(self._serde.parse(record.value), lambda _: None)
        except UndecodableRecord:
            return  # Other tests put poison into the log.
        event_id = UUID((record.header("ce_id") or b"").decode())
        place = Position(record.topic, record.partition, record.offset)
        self.times_ms[place] = record.timestamp_ms
        deed = deed_of(event) if type(event) in DEEDS else None
        if deed is not None:
            self.places[place] = deed
        if event_id in self._seen:
            self.repeats += 1
            return
        self._seen.add(event_id)
        if deed is not None:
            self.deeds[deed] += 1
        self.world.apply(event, record.timestamp_ms)

    def _ends(self) -> dict[tuple[str, int], int]:
        admin = admin_of(self._kafka)
        known = admin.list_topics(timeout=20).topics
        places = [(topic.name, partition) for topic in TOPICS for partition in known[topic.name].partitions]
        ends = offsets_at(admin, places, END, 20)
        return {place: ends[place] for place in places}
