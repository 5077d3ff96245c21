"""A small world with all its jobs in memory, somebody in it who did one of everything, and the worker that erases."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway.signup import resting_hash
from gateway.vault.memory import memory_vault
from gateway.vault.port import (
    CredentialRow,
    ErasureRow,
    ReservationRow,
    SessionRow,
    UploadRow,
    UsernameRow,
    Vault,
)
from leaving.coverage import BY_TABLE
from leaving.erasure import FINISHED
from leaving.resources import LeavingResources
from leaving.worker import LeavingWorker
from photolog.engines.object_store import ObjectRefused, UploadPart
from photolog.ids import new_event_id
from photolog.log.record import EncodedRecord, StoredRecord
from projections.comments import CommentRow
from projections.stores.memory_rows import MemoryRows
from projections.tables import Row
from schemas import events as e
from schemas.topics import MEDIA_REQUESTED
from tests.unit.gateway_social.world import MemoryObjects
from tests.unit.streams.river import NOW_MS, SERDE, OpenKeys, River, visible_rows
from tests.unit.streams.scenario import ANNA, BERT, CARL, DORA, EMIL, PEOPLE, account, live, post, ready
from transcode.contents.holding import Contents
from transcode.contents.memory import MemoryContents

SETTLE_SECONDS = 30.0
OWN_POSTS = (101, 103)
OWN_STORIES = (301, 302)
HASH_KEY = b"h" * 32
MASTER_KEY = b"m" * 32
NAME = f"u{ANNA}"
OWN_KEYS = (f"raw/{ANNA}/501", f"raw/{ANNA}/777", "processed/501/w320.jpeg", f"exports/{ANNA}/1.zip")
OTHERS_KEYS = (f"raw/{BERT}/503", "processed/503/w320.jpeg", f"raw/{ANNA}1/9")


class ErasableKeys(OpenKeys):
    """Keys that can be erased."""

    async def erase(self, subject_id: int) -> None:
        self.erased.add(subject_id)
        self._ensured.add(subject_id)


class Bucket(MemoryObjects):
    """A bucket that can be listed."""

    async def keys(self, prefix: str) -> AsyncIterator[list[str]]:
        yield [key for key in self.objects if key.startswith(prefix)]

    async def unfinished_uploads(self, prefix: str) -> list[tuple[str, str]]:
        return [(key, upload_id) for upload_id, (key, _, _) in self.uploads.items() if key.startswith(prefix)]

    async def upload_part(self, key: str, upload_id: str, number: int, data: bytes) -> UploadPart:
        if upload_id not in self.uploads:
            raise ObjectRefused("NoSuchUpload")
        return UploadPart(number, self.put_part(f"memory:{upload_id}/{number}", data), len(data))


class MemoryReader:
    """`leaving.mentions.LogReader` over the river's log; `idle` transcode workers answer nothing."""

    def __init__(self, log: Any) -> None:
        self._log = log
        self.idle = False

    async def read(self, topic: str) -> AsyncIterator[Sequence[StoredRecord]]:
        for (name, _), records in sorted(self._log.partitions.items()):
            if name == topic and records:
                yield list(records)

    async def ends(self) -> Mapping[tuple[str, int], int]:
        return {place: len(records) for place, records in self._log.partitions.items()}

    async def transcoded(self) -> Mapping[tuple[str, int], int]:
        ends = await self.ends()
        return {place: 0 if self.idle else end for place, end in ends.items() if place[0] == MEDIA_REQUESTED.name}


class SharedCaches:
    """Caches before the edge: what they were told to purge."""

    def __init__(self) -> None:
        self.purged: list[str] = []

    async def purge(self, keys: Sequence[str]) -> None:
        self.purged += keys


@dataclass
class World:
    """The river, what lies beside it, and a clock. `mortal` wraps each port that the worker gets."""

    river: River = field(default_factory=lambda: River(keys=ErasableKeys()))
    vault: Vault = field(default_factory=memory_vault)
    objects: Bucket = field(default_factory=Bucket)
    shared_caches: SharedCaches = field(default_factory=SharedCaches)
    now_ms: int = NOW_MS
    reader: MemoryReader = field(init=False)
    contents: Contents = field(init=False)

    def __post_init__(self) -> None:
        self.reader = MemoryReader(self.river.log)
        self.contents = Contents(MemoryContents(), self.objects, clock_ms=lambda: self.now_ms)

    def resources(self, **replaced: Any) -> LeavingResources:
        """What a worker works with."""
        ports: dict[str, Any] = {
            "rows": self.river.rows,
            "timelines": self.river.timelines,
            "recent": self.river.recent,
            "seen": self.river.seen,
            "cache": self.river.cache,
            "log": self.river.log,
            "reader": self.reader,
            "serde": SERDE,
            "keyring": self.river.keys,
            "vault": self.vault,
            "objects": self.objects,
            "contents": self.contents,
            "shared_caches": self.shared_caches,
        }
        return LeavingResources(
            **(ports | replaced),
            hash_key=HASH_KEY,
            master_key=MASTER_KEY,
            settle_seconds=SETTLE_SECONDS,
            clock_ms=lambda: self.now_ms,
        )

    async def live(self) -> None:
        """Everybody does something, Anna one of everything."""
        await live(self.river)
        self.river.append(
            e.MediaTranscodingRequested(
                media_id=501, owner_id=ANNA, object_key=OWN_KEYS[0], content_type="image/jpeg", size_bytes=1
            ),
            e.ProfileChanged(account_id=ANNA, display_name="Anna", bio="light and shade"),
            _asked(ANNA, CARL),
            _asked(17, ANNA),
            e.AccountBlocked(blocker_id=ANNA, blocked_id=16),
            e.AccountMuted(muter_id=ANNA, muted_id=BERT),
            e.AccountMuted(muter_id=BERT, muted_id=ANNA),
            ready(601, BERT),
            post(105, BERT, 601),
        )
        await self.river.pump()
        self.river.append(
            e.PostLiked(actor_id=ANNA, post_id=105),
            e.PostLiked(actor_id=CARL, post_id=105),
            e.PostLiked(actor_id=ANNA, post_id=101),
            e.CommentCreated(comment_id=952, post_id=105, author_id=ANNA, text="mine on theirs"),
            e.CommentCreated(comment_id=954, post_id=105, author_id=ANNA, text="a reply", parent_id=953),
            e.CommentLiked(actor_id=ANNA, comment_id=953, post_id=105),
            e.CommentLiked(actor_id=BERT, comment_id=953, post_id=105),
            e.PostSaved(actor_id=ANNA, post_id=105, owner_id=BERT),
            e.PostSaved(actor_id=CARL, post_id=105, owner_id=BERT),
            e.PostShared(share_id=77, actor_id=ANNA, post_id=105, channel="link"),
            e.ContentReported(
                report_id=78,
                reporter_id=ANNA,
                target="post",
                target_id=105,
                post_id=None,
                owner_id=BERT,
                reason="spam",
                note="I know them",
            ),
            e.CommentCreated(comment_id=953, post_id=105, author_id=CARL, text="theirs on theirs"),
        )
        await self.river.pump()
        await self._fill_vault()
        for key in (*OWN_KEYS, *OTHERS_KEYS):
            self.objects.objects[key] = (b"bytes", "image/jpeg")

    async def begin(self) -> ErasureRow:
        """What the command does, but for its event: it died there."""
        return await self.vault.erasures.begin(
            ErasureRow(account_id=ANNA, requested_ms=self.now_ms, step_ms=self.now_ms)
        )

    async def erase(self, worker: LeavingWorker | None = None) -> ErasureRow:
        """Let worker and jobs work by turns until the erasure is finished."""
        worker = worker or LeavingWorker(self.resources())
        for _ in range(40):
            await worker.look()
            await self.river.pump()
            self.now_ms += 10_000
            row = await self.vault.erasures.get(ANNA)
            assert row is not None
            if row.step == FINISHED and not await self.vault.erasures.unfinished():
                return row
        raise AssertionError(f"not finished: {row}")

    async def _fill_vault(self) -> None:
        vault = self.vault
        name = UsernameRow(username=NAME, account_id=ANNA, state="taken", event_id=new_event_id(), reserved_ms=1)
        await vault.usernames.reserve(name)
        for account_id in (ANNA, BERT):
            credential = CredentialRow(account_id=account_id, username=f"u{account_id}", password_hash="h", version=1)
            await vault.credentials.create(credential)
            session = SessionRow(
                account_id=account_id,
                session_id=account_id * 10,
                created_ms=1,
                last_used_ms=1,
                user_agent="a telling agent",
                refresh_hash=b"r",
            )
            await vault.sessions.create(session)
            record = EncodedRecord(topic="likes", key=b"k", value=b"v", headers=(), timestamp_ms=1)
            row = ReservationRow(body_hash=b"b", records=(record,), status=200, answer=b"{}")
            await vault.reservations.reserve(str(account_id), "a-key", row)
        upload_id = await self.objects.create_upload(f"raw/{ANNA}/888", "image/jpeg")
        await vault.uploads.create(
            UploadRow(
                media_id=888,
                owner_id=ANNA,
                client_upload_id="holiday",
                upload_id=upload_id,
                object_key=f"raw/{ANNA}/888",
                content_type="image/jpeg",
                size_bytes=1,
                state="open",
                created_ms=1,
            )
        )


def left_rows(rows: MemoryRows) -> list[tuple[str, Row]]:
    """Rows of Anna's that an erasure should have removed or emptied."""
    return [
        (table, row)
        for (table, _), row in visible_rows(rows).items()
        if table in BY_TABLE and BY_TABLE[table].is_of(ANNA, row) and BY_TABLE[table].is_left(row)
    ]


def of_others(rows: Iterable[tuple[tuple[str, Any], Row]]) -> dict[tuple[str, Any], Row]:
    """Rows that are not Anna's, and no counts or lists of several people: those are for the tests to say."""
    return {
        (table, key): _uncounted(row)
        for (table, key), row in rows
        if not table.endswith("_counts")
        and table not in ("ranked_comments", "follower_heads")
        and not (table == "media_posts" and key[1] in OWN_POSTS)
        and not (table == "media_stories" and key[1] in OWN_STORIES)
        and not (table in BY_TABLE and BY_TABLE[table].is_of(ANNA, row))
    }


def _uncounted(row: Row) -> Row:
    if not isinstance(row, CommentRow):
        return row
    return msgspec.structs.replace(row, likes=0, like_sources=[], like_versions=[], like_counts=[])


__all__ = ["ANNA", "BERT", "CARL", "DORA", "EMIL", "PEOPLE", "World", "account", "resting_hash"]


def _asked(follower_id: int, followee_id: int) -> e.FollowCreated:
    """A request that waits, by a privacy that nothing here is newer than."""
    return e.FollowCreated(
        follower_id=follower_id, followee_id=followee_id, wanted_status="pending", privacy_version=1_000
    )
