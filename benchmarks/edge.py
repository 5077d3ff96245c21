"""Pictures made to measure, each of them a miss: the whole edge against bare libvips in the same server, and sharp.

Ours judges by rows in Cassandra who may see the picture, reads its source from S3, makes it, and says what purges it.
The opponents hold the source in memory and ask nobody.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec

from benchmarks.edge_server import SIDE_PX, SOURCE_PX
from benchmarks.engines import migrated_engines
from benchmarks.feed_gateway import rate, stack_settings
from benchmarks.feed_world import account_row, posted
from benchmarks.gateway_process import await_serving, gateway_process
from benchmarks.http_load import Load
from benchmarks.photograph import photograph
from benchmarks.result import Result, paired
from infra.local.ports import pick_free_port_base
from photolog.engines.cassandra_session import CassandraSession
from photolog.engines.object_store import ObjectStore
from photolog.ids import SnowflakeSource, now_ms
from photolog.media.addresses import Fit, Picture, PictureFormat
from photolog.media.likenesses import LIKENESSES
from photolog.settings import Settings
from projections.accounts import ACCOUNTS
from projections.media import MEDIA, MediaRow
from projections.posts import MEDIA_POSTS, MediaPostRow, PostRow
from projections.stores.cassandra_rows import CassandraRows
from projections.writes import Positioned, Put, Write, put
from schemas.events import MediaVariant

_POSTS = 32  # of two pictures each: what is asked for at once is never the same
_REQUESTS = 300
_CONNECTIONS = 8
_SHARP = "0.34.5"


def run(rounds: int = 5) -> list[Result]:
    """Pictures a second, as fast as they come; beside sharp where this machine has npm."""
    with migrated_engines("edge") as environment, gateway_process("benchmarks.edge_server", environment) as address:
        media_ids = asyncio.run(_seed(stack_settings(environment)))
        square = partial(Picture, width=SIDE_PX, height=SIDE_PX, fit=Fit.COVER, format=PictureFormat.JPEG)
        paths = [square(media_id).path for media_id in media_ids]
        _require_equal(address, paths[0])
        ours = partial(rate, _load(address, paths))
        note = f"{SOURCE_PX[0]}x{SOURCE_PX[1]} to {SIDE_PX}x{SIDE_PX}, {_CONNECTIONS} at a time"
        bare = partial(rate, _load(address, ["/bench/thumbnail"]))
        results = [
            paired("edge, cache miss", "pictures/s", ours, bare, opponent_name="bare libvips, same server", aim=0.8,
                   rounds=rounds, note=note)
        ]  # fmt: skip
        if shutil.which("npm"):
            with _sharp_server() as sharp:
                theirs = partial(rate, _load(sharp, ["/"]))
                results.append(
                    paired("edge, cache miss", "pictures/s", ours, theirs, opponent_name=f"sharp {_SHARP}", aim=None,
                           rounds=rounds, note=note)
                )  # fmt: skip
        return results


def _load(address: str, paths: list[str]) -> Load:
    at = urlsplit(address)
    return Load(
        host=at.hostname or "", port=at.port or 80, method="GET", path=paths[0], paths=paths, headers={}, body="",
        requests=_REQUESTS, connections=_CONNECTIONS, status=200,
    )  # fmt: skip


def _require_equal(address: str, path: str) -> None:
    """Both make the same file, or nothing is compared."""
    made, bare = (httpx.get(f"{address}{one}", timeout=30).raise_for_status() for one in (path, "/bench/thumbnail"))
    if made.content != bare.content:
        raise AssertionError("the opponent makes another file than ours")


async def _seed(settings: Settings) -> list[int]:
    """Public posts and their pictures, straight into rows and the bucket; the pictures' ids."""
    ids, bucket, data = SnowflakeSource(1_023), ObjectStore(settings.s3), photograph(*SOURCE_PX)
    author_id = ids.next()
    writes: list[Write] = [put(ACCOUNTS, account_row(author_id, "author", now_ms()))]
    for _ in range(_POSTS):
        writes += posted(ids, author_id, now_ms())
    posts = [write.row for write in writes if isinstance(write, Put) and isinstance(write.row, PostRow)]
    for post in posts:
        for media_id in post.media_ids:
            writes += _media(post, media_id, len(data))
            await bucket.put(_key(media_id), data, "image/jpeg")
    session = await CassandraSession.connect(settings.cassandra)
    try:
        await CassandraRows(session).apply([[Positioned(write, 0) for write in writes]])
    finally:
        await session.close()
    return [media_id for post in posts for media_id in post.media_ids]


def _key(media_id: int) -> str:
    return f"processed/{media_id}/{LIKENESSES[0]}"


def _media(post: PostRow, media_id: int, size_bytes: int) -> Iterator[Write]:
    width, height = SOURCE_PX
    variant = MediaVariant(
        name=LIKENESSES[0], content_type="image/jpeg", width=width, height=height, size_bytes=size_bytes,
        object_key=_key(media_id),
    )  # fmt: skip
    ready = MediaRow(
        media_id=media_id, owner_id=post.owner_id, status="ready", width=width, height=height,
        variants=msgspec.json.encode([variant]), reason=None, detail=None, blurhash=None,
    )  # fmt: skip
    yield put(MEDIA, ready)
    yield put(MEDIA_POSTS, MediaPostRow(media_id=media_id, post_id=post.post_id))


@contextmanager
def _sharp_server() -> Iterator[str]:
    """sharp behind Node's own HTTP server, as many pictures at once as there are cores; its address."""
    with tempfile.TemporaryDirectory(prefix="photolog-sharp-") as folder:
        install = ["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--silent", f"sharp@{_SHARP}"]
        subprocess.run(install, check=True, timeout=300)
        Path(folder, "source.jpeg").write_bytes(photograph(*SOURCE_PX))
        program = Path(folder, "server.mjs")
        program.write_text(_SHARP_PROGRAM)
        port = pick_free_port_base(["gateway"])
        words = ["node", str(program), str(port), str(SIDE_PX)]
        server = subprocess.Popen(words, env=os.environ | {"UV_THREADPOOL_SIZE": str(os.cpu_count() or 1)}, cwd=folder)
        try:
            address = f"http://127.0.0.1:{port}"
            await_serving(address, server)
            yield address
        finally:
            server.terminate()
            server.wait(30)


_SHARP_PROGRAM = """
import http from 'node:http';
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
const [port, side] = process.argv.slice(2).map(Number);
sharp.concurrency(1);
sharp.cache(false);
const source = readFileSync('source.jpeg');
http.createServer(async (request, response) => {
  const made = await sharp(source).resize(side, side).jpeg({ quality: 82 }).toBuffer();
  response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': made.length });
  response.end(made);
}).listen(port, '127.0.0.1');
"""
