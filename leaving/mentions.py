"""Finding an account in the log: which fields of an event name an account, and which records may hold one.

The log itself is the one complete list of what an account did, so that no read model has to keep another.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

import msgspec

from photolog.log.record import StoredRecord
from schemas.events import Event
from schemas.serde import SCHEMAS

ACCOUNT_FIELDS = frozenset(
    {
        "account_id",
        "actor_id",
        "answered_id",
        "author_id",
        "blocked_id",
        "blocker_id",
        "deleted_by",
        "followee_id",
        "follower_id",
        "follower_ids",
        "friend_id",
        "high_id",
        "low_id",
        "muted_id",
        "muter_id",
        "owner_id",
        "reporter_id",
        "sender_id",
        "viewer_id",
    }
)
"""Every field of an event or a row, whatever its type, that holds an account's id."""

OTHER_IDS = frozenset(
    {
        "comment_id",
        "content_id",
        "highlight_id",
        "media_id",
        "media_ids",
        "parent_id",
        "post_id",
        "reply_id",
        "report_id",
        "share_id",
        "story_id",
        "story_ids",
        "target_id",
    }
)
"""Every other field whose name looks like that of an id. A test knows no third kind. Where `target_id` is an account's,
`owner_id` beside it is the same."""


class LogReader(Protocol):
    """The whole log, read outside any group: leaving/log_reader.py, or lists in tests."""

    def read(self, topic: str) -> AsyncIterator[Sequence[StoredRecord]]:
        """Every record of a topic from its beginning to where it ends now, in each partition's order.

        Raises:
            LogUnavailable: the broker did not answer.
        """

    async def ends(self) -> Mapping[tuple[str, int], int]:
        """For each (topic, partition) of ours the offset behind its last record."""

    async def transcoded(self) -> Mapping[tuple[str, int], int]:
        """For each partition of the transcoding requests the offset up to which all are answered."""


def account_fields(event: type[Event]) -> tuple[str, ...]:
    """The fields of an event type that hold an account's id."""
    return tuple(field.name for field in msgspec.structs.fields(event) if field.name in ACCOUNT_FIELDS)


NAMING: Mapping[type[Event], tuple[str, ...]] = {event: account_fields(event) for event in SCHEMAS}


class Mention:
    """Whether a record may be about an account, by its bytes alone: many times quicker than decoding it.

    Args:
        account_id: the account.
    """

    def __init__(self, account_id: int) -> None:
        self._text = str(account_id).encode()
        self._varint = zigzag(account_id)

    def may_be_in(self, record: StoredRecord) -> bool:
        """False only where no field and no key of the record holds the account's id."""
        return self._varint in (record.value or b"") or self._text in (record.key or b"")


def zigzag(number: int) -> bytes:
    """A long as Avro writes it: zigzag, then seven bits a byte, the least significant first (Avro 1.12, Binary)."""
    left = (number << 1) ^ (number >> 63)
    written = bytearray()
    while left > 0x7F:
        written.append(left & 0x7F | 0x80)
        left >>= 7
    written.append(left)
    return bytes(written)
