"""An edge in memory, over the rows of a small world."""

import contextlib
import dataclasses
import io
from collections.abc import AsyncIterator, Mapping

import httpx
from PIL import Image

from edge.bootstrap import EdgeServices, Wired
from edge.pictures import Pictures
from edge.resizing import Resizer
from edge.service import create_app
from edge.sources import Sources
from photolog.engines.object_store import ObjectAbsent
from photolog.media.signing import AddressSigner
from photolog.settings import EdgeSettings, Settings
from schemas import events as e
from tests.unit.gateway_social.world import World
from tests.unit.streams.scenario import post

KEY = b"k" * 32
SHARED_SECONDS = 1_234


class MemoryBucket:
    """Objects in a dictionary, and how often they were read."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.reads = 0

    async def get(self, key: str) -> bytes:
        return await self.read_range(key, 0, 1 << 40)

    async def read_range(self, key: str, start: int, length: int) -> bytes:
        self.reads += 1
        if key not in self.objects:
            raise ObjectAbsent(key)
        return self.objects[key][start : start + length]


@dataclasses.dataclass
class EdgeWorld:
    """The world, its bucket, and an edge to ask."""

    world: World
    bucket: MemoryBucket
    signer: AddressSigner
    client: httpx.AsyncClient

    async def photograph(self, owner: int, width: int = 64, height: int = 48, name: str = "w1080.jpeg") -> int:
        """A photograph that is ready, with one stored file."""
        media_id = self.world.services.ids.next()
        data = jpeg(width, height)
        key = f"processed/{media_id}/{name}"
        self.bucket.objects[key] = data
        variant = e.MediaVariant(
            name=name, content_type="image/jpeg", width=width, height=height, size_bytes=len(data), object_key=key
        )
        await self.world.happen(
            e.MediaTranscodingCompleted(
                media_id=media_id, owner_id=owner, width=width, height=height, variants=[variant]
            )
        )
        return media_id

    async def video(self, owner: int, files: Mapping[str, bytes]) -> int:
        """A video that is ready, with these stored files."""
        media_id = self.world.services.ids.next()
        variants = []
        for name, data in files.items():
            key = f"processed/{media_id}/{name}"
            self.bucket.objects[key] = data
            kind = "application/vnd.apple.mpegurl" if name.endswith(".m3u8") else "video/mp4"
            variants.append(
                e.MediaVariant(name=name, content_type=kind, width=1, height=1, size_bytes=len(data), object_key=key)
            )
        await self.world.happen(
            e.MediaTranscodingCompleted(media_id=media_id, owner_id=owner, width=1, height=1, variants=variants)
        )
        return media_id

    async def post(self, owner: int, media_id: int, *, published: bool = True) -> int:
        """A post of it."""
        post_id = self.world.services.ids.next()
        await self.world.happen(post(post_id, owner, media_id))
        if published:
            await self.world.publish(post_id, owner, media_id)
        return post_id

    async def status(self, address: str) -> int:
        """Of an address."""
        return (await self.client.get(address)).status_code


@contextlib.asynccontextmanager
async def edge_world(world: World, at_once: int = 2, waiting_max: int = 8) -> AsyncIterator[EdgeWorld]:
    """An edge as long as the context lasts."""
    bucket, signer = MemoryBucket(), AddressSigner([KEY], lambda: world.now_ms)
    resizer, sources = Resizer(at_once, waiting_max), Sources(bucket)
    services = EdgeServices(
        rows=world.rows,
        bucket=bucket,
        sources=sources,
        pictures=Pictures(sources, resizer),
        signer=signer,
        shared_seconds=SHARED_SECONDS,
    )

    @contextlib.asynccontextmanager
    async def connected(settings: Settings) -> AsyncIterator[Wired]:
        yield Wired(services, {})

    app = create_app(Settings.model_construct(edge=EdgeSettings()), connected)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://edge.test") as client,
    ):
        yield EdgeWorld(world, bucket, signer, client)
    resizer.close()


def jpeg(width: int, height: int) -> bytes:
    """A small photograph."""
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()
