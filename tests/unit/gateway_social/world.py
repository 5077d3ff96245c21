"""A small world in memory: handlers are called, and what they append is folded into rows at once."""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

from gateway.cursors import Cursors
from gateway.endpoint import Answer, Call, Command, Endpoint
from gateway.services import Services
from gateway.vault.memory import memory_vault
from photolog.engines.object_store import ObjectAbsent, ObjectHead, UploadPart
from photolog.ids import EPOCH_MS, SnowflakeSource, new_event_id
from photolog.settings import LimitSettings, S3Settings, Settings
from projections.cards import cache_writes
from projections.catalogue import PROJECTIONS
from projections.fold import Recorded, fold_batch, needed
from projections.stores.memory_cache import MemoryCache
from projections.stores.memory_rows import MemoryRows
from projections.stores.memory_seen import MemorySeen
from projections.stores.top_comments import read_top_comments
from schemas import events as e
from schemas.topics import topic_of

START_MS = EPOCH_MS + 86_400_000
PARTITION = 3
Handler = Callable[[Services, Call], Awaitable[Command | Answer]]


class MemoryObjects:
    """A bucket in dictionaries; `etags` has it call a part by another ETag than its own."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, str]] = {}
        self.uploads: dict[str, tuple[str, str, dict[int, bytes]]] = {}
        self.aborted: list[str] = []
        self.etags: dict[str, str] = {}

    async def create_upload(self, key: str, content_type: str) -> str:
        upload_id = f"upload-{len(self.uploads) + len(self.aborted) + 1}"
        self.uploads[upload_id] = (key, content_type, {})
        return upload_id

    def presign_part(self, key: str, upload_id: str, number: int) -> str:
        return f"memory:{upload_id}/{number}"

    def presign_get(self, key: str, seconds: int) -> str:
        return f"memory:get/{key}"

    def put_part(self, url: str, data: bytes) -> str:
        """What a client's PUT to a presigned address does; the ETag."""
        upload_id, number = url.removeprefix("memory:").split("/")
        self.uploads[upload_id][2][int(number)] = data
        return f'"{len(data)}-{number}"'

    async def list_parts(self, key: str, upload_id: str) -> list[UploadPart]:
        if upload_id not in self.uploads:
            raise ObjectAbsent("NoSuchUpload")
        parts = self.uploads[upload_id][2]
        listed = [(number, f'"{len(data)}-{number}"', len(data)) for number, data in sorted(parts.items())]
        return [UploadPart(number, self.etags.get(etag, etag), size) for number, etag, size in listed]

    async def complete_upload(self, key: str, upload_id: str, parts: Sequence[UploadPart]) -> None:
        if upload_id not in self.uploads:
            raise ObjectAbsent("NoSuchUpload")
        _, content_type, data = self.uploads.pop(upload_id)
        self.objects[key] = (b"".join(data[part.number] for part in parts), content_type)

    async def abort_upload(self, key: str, upload_id: str) -> None:
        if self.uploads.pop(upload_id, None):
            self.aborted.append(upload_id)

    async def head(self, key: str) -> ObjectHead | None:
        held = self.objects.get(key)
        return ObjectHead(len(held[0]), "etag", held[1]) if held else None

    async def read_range(self, key: str, start: int, length: int) -> bytes:
        if key not in self.objects:
            raise ObjectAbsent("NoSuchKey")
        return self.objects[key][0][start : start + length]

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        self.objects[key] = (data, content_type)

    async def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    async def copy(self, key: str, to_key: str) -> None:
        if key not in self.objects:
            raise ObjectAbsent(key)
        self.objects[to_key] = self.objects[key]


class World:
    """Handlers over memory stores.

    `appended` is everything that commands put into the log; `headers` go out with every request.
    """

    def __init__(self) -> None:
        self.now_ms = START_MS
        self.rows = MemoryRows()
        self.cache = MemoryCache()
        self.seen = MemorySeen(lambda: self.now_ms)
        self.objects = MemoryObjects()
        self.appended: list[e.Event] = []
        self.headers: Mapping[str, str] = {}
        self._offset = 0
        # What a process remembers for itself is made anew; everything else is what a test names, or nothing.
        needed = [
            field.name
            for field in dataclasses.fields(Services)
            if field.init and field.default_factory is dataclasses.MISSING
        ]
        unused: dict[str, Any] = dict.fromkeys(needed, cast(Any, None))
        settings = Settings.model_construct(
            limits=LimitSettings(), s3=S3Settings(region="local", bucket="media", presign_seconds=600)
        )
        own: dict[str, Any] = {
            "rows": self.rows,
            "cache": self.cache,
            "seen": self.seen,
            "objects": self.objects,
            "ids": SnowflakeSource(1, lambda: self.now_ms),
            "vault": memory_vault(),
            "settings": settings,
            "cursors": Cursors(b"k" * 32),
            "clock_ms": lambda: self.now_ms,
        }
        self.services = Services(**(unused | own))

    async def command(self, viewer: int | None, handler: Handler, body: Any = None, **path: Any) -> Command:
        """Call a command's handler and fold what it appends."""
        outcome = await handler(self.services, self._call(viewer, body, None, path))
        assert isinstance(outcome, Command)
        for event in outcome.events:
            self.appended.append(event)
            await self.happen(event)
        return outcome

    async def answer(
        self,
        viewer: int | None,
        handler: Handler,
        body: Any = None,
        query: Any = None,
        **path: Any,
    ) -> Answer:
        """Call a query's handler."""
        outcome = await handler(self.services, self._call(viewer, body, query, path))
        assert isinstance(outcome, Answer)
        return outcome

    async def happen(self, event: e.Event) -> None:
        """Fold an event and write its rows and caches, as its job would."""
        self.now_ms += 1_000
        topic = topic_of(type(event)).name
        recorded = Recorded(event, new_event_id(), topic, PARTITION, self._offset, self.now_ms)
        self._offset += 1
        for projection in PROJECTIONS:
            if topic in {one.name for one in projection.topics}:
                state = await self.rows.load(needed(projection, recorded))
                outcome = fold_batch(projection, state, [recorded])
                await self.rows.apply([list(outcome.others.values()), list(outcome.aggregates.values())])
                await self.cache.merge(
                    [write for key, kept in state.items() if kept.offset >= 0 for write in cache_writes(key, kept)]
                )
        if isinstance(event, e.CommentCreated | e.CommentDeleted | e.CommentLikesCounted):
            await self.cache.merge([await read_top_comments(self.rows, event.post_id)])

    async def person(self, *, private: bool = False) -> int:
        """A new account."""
        account_id = self.services.ids.next()
        name = f"person_{account_id}"
        await self.happen(
            e.AccountCreated(account_id=account_id, username=name, display_name=name.title(), private=private)
        )
        return account_id

    async def photograph(self, owner: int) -> int:
        """A photograph that is ready to be posted."""
        media_id = self.services.ids.next()
        variant = e.MediaVariant(
            name="w640.jpg", content_type="image/jpeg", width=640, height=480, size_bytes=9, object_key=f"p/{media_id}"
        )
        await self.happen(
            e.MediaTranscodingCompleted(media_id=media_id, owner_id=owner, width=800, height=600, variants=[variant])
        )
        return media_id

    async def publish(self, post_id: int, owner: int, media_id: int) -> None:
        """Publish a post as its job would."""
        media = [e.MediaItem(media_id=media_id, width=800, height=600, variants=["w640.jpg"])]
        await self.happen(
            e.PostPublished(post_id=post_id, owner_id=owner, published_ms=self.now_ms, delivery="push", media=media)
        )

    def _call(self, viewer: int | None, body: Any, query: Any, path: dict[str, Any]) -> Call:
        role: Any = "account" if viewer is not None else "anonymous"
        return Call(
            {name: str(value) for name, value in path.items()}, body, query, viewer, None, role, headers=self.headers
        )


def endpoint(endpoints: Sequence[Endpoint], method: str, path: str) -> Endpoint:
    """The endpoint of a method and a path."""
    return next(one for one in endpoints if (one.method, one.path) == (method, path))
