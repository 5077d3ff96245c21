"""People in memory whom analysts may or may not hear of, and a real server for analysts to connect to."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import uvicorn

from gateway.app import create_app
from gateway.bootstrap import Wired
from gateway.protocol import AbortableWebSocket, BoundedProtocol
from gateway.streams.desk import SubscribeQuery
from gateway.streams.filters import PUBLIC
from gateway.streams.frames import Frame, Heartbeat
from gateway.streams.subscription import Subscription
from gateway.vault.port import GrantRow
from photolog.settings import StreamSettings
from schemas import events as e
from tests.unit.gateway.river import River
from tests.unit.gateway.stream_log import MemoryStreamLog
from tests.unit.gateway_social.matrix_world import created, happen

HOUR_MS = 3_600_000
YEAR_SECONDS = 365 * 86_400


class Scene:
    """A river with people in it. Each happening is a second after the one before."""

    def __init__(self, **streams: Any) -> None:
        self.river = River(streams=StreamSettings(**{"heartbeat_seconds": 5, "look_seconds": 0.1} | streams))
        self.desk = self.river.services.streams

    @property
    def log(self) -> MemoryStreamLog:
        """What the desk reads."""
        log: Any = self.desk._log
        assert isinstance(log, MemoryStreamLog)
        return log

    async def happen(self, *events: e.Event) -> None:
        """Append and fold."""
        for event in events:
            self.river.now_ms += 1_000
            await happen(self.river, event)

    async def person(self, *, private: bool = False) -> int:
        """Somebody new."""
        account_id = self.river.services.ids.next()
        await self.river.keyring.create(account_id)
        await self.happen(
            e.AccountCreated(account_id=account_id, username=f"p{account_id}", display_name=None, private=private)
        )
        return account_id

    async def post(self, owner: int, hashtags: tuple[str, ...] = ("sky",), **changes: Any) -> int:
        """A published post."""
        post_id, media_id = self.river.services.ids.next(), self.river.services.ids.next()
        fields = {name: getattr(created(post_id, owner, media_id), name) for name in e.PostCreated.__struct_fields__}
        await self.happen(e.PostCreated(**fields | {"hashtags": list(hashtags)} | changes))
        media = [e.MediaItem(media_id=media_id, width=640, height=480, variants=["w640.jpg"])]
        await self.happen(
            e.PostPublished(
                post_id=post_id,
                owner_id=owner,
                published_ms=self.river.now_ms,
                delivery="push",
                media=media,
                hashtags=list(hashtags),
            )
        )
        return post_id

    async def comment(self, post_id: int, author: int, **fields: Any) -> int:
        """A comment."""
        comment_id = self.river.services.ids.next()
        await self.happen(
            e.CommentCreated(comment_id=comment_id, post_id=post_id, author_id=author, text="words", **fields)
        )
        return comment_id

    async def grant(self, *types: str, sample_max: float = 1.0) -> GrantRow:
        """A grant of some types, of all where none is named."""
        return (await self.grant_with_token(*types, sample_max=sample_max))[0]

    async def grant_with_token(self, *types: str, sample_max: float = 1.0) -> tuple[GrantRow, str]:
        """The same, with its token."""
        return await self.desk.grants.create("lab", types or tuple(PUBLIC), sample_max, YEAR_SECONDS)

    @contextlib.asynccontextmanager
    async def opened(self, grant: GrantRow, **query: Any) -> AsyncIterator["Listener"]:
        """A subscription, listened to as a test likes."""
        subscription = await self.desk.open(grant, SubscribeQuery(**query))
        listener = Listener(subscription)
        try:
            yield listener
        finally:
            await listener.outgoing.aclose()
            await self.desk.close(subscription)

    @contextlib.asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """The address of a real server over all of it, without its scheme."""

        @contextlib.asynccontextmanager
        async def connected(settings: object) -> AsyncIterator[Wired]:
            yield Wired(self.river.services, {})

        config = uvicorn.Config(
            create_app(self.river.settings, connected),
            host="127.0.0.1",
            port=0,
            http=BoundedProtocol,
            ws=AbortableWebSocket,
            ws_per_message_deflate=False,
            ws_max_size=4_096,
            log_config=None,
            timeout_graceful_shutdown=5,
        )
        server = uvicorn.Server(config)
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        try:
            yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            await server.shutdown()


class Listener:
    """Takes what a subscription gives out, event by event."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self.outgoing = subscription.outgoing()
        self.cursor: str | None = None
        self._left: list[dict[str, Any]] = []

    async def events(self, count: int) -> list[dict[str, Any]]:
        """The next so many events; fewer where it ends before."""
        while len(self._left) < count:
            try:
                one = await anext(self.outgoing)
            except StopAsyncIteration:
                break
            self._take(one)
        taken, self._left = self._left[:count], self._left[count:]
        if taken:
            self.cursor = taken[-1]["cursor"]
        return taken

    async def heartbeat(self) -> str:
        """The cursor of the next heartbeat; events before it are kept."""
        while True:
            one = await anext(self.outgoing)
            self._take(one)
            if isinstance(one, Heartbeat):
                self.cursor = one.cursor
                return one.cursor

    def _take(self, one: Frame | Heartbeat) -> None:
        if isinstance(one, Frame):
            self._left += [decode(event) for event in one.events]


def decode(event: bytes) -> dict[str, Any]:
    """An event's JSON."""
    found: dict[str, Any] = msgspec.json.decode(event)
    return found
