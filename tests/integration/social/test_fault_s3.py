"""The object store answers 500, answers late, or breaks connections off while people upload, and a worker dies: once it
is well again, everything that was acknowledged is done. No file is refused meanwhile, and nothing is shown in part.
"""

import asyncio
import io
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest
from PIL import Image

from infra.local.ports import pick_free_port_base
from photolog.client import views
from tests.integration.social.people import Person, joining
from tests.integration.social.s3_faults import Fault, FaultyStore, faulty_store
from tests.integration.test_video_worker import children
from tests.integration.workers import WorkerProcess, eventually, wait_serving
from tests.unit.transcode.clips import clip, made

Upload = tuple[bytes, str, str]
"""Bytes, type, purpose."""

TONE = ("-f", "lavfi", "-i", "sine=frequency=440:duration=1", "-c:a", "aac")
MET_MIN = 3
"""Requests that meet with each fault: one that fails is tried three times in all before anybody is told."""
FAULTS_ON_THE_WAY = (Fault.ERRORS, Fault.BROKEN_ANSWER, Fault.BROKEN_REQUEST, Fault.LOST, Fault.SLOW)
"""In this order: behind those that let nothing be read come those that let nothing be stored."""
UNREADABLE = (Fault.ERRORS, Fault.BROKEN_ANSWER)


@dataclass(frozen=True, slots=True)
class Town:
    """Two people at a gateway, and what stands before the object store for the gateway and for the transcode worker."""

    address: str
    ada: Person
    bob: Person
    gateway: FaultyStore
    worker: FaultyStore
    transcoder: WorkerProcess

    async def asked(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """A command of Ada's, sent once, as it is answered."""
        headers = {"authorization": f"Bearer {self.ada.client.transport.access_token}"}
        async with httpx.AsyncClient(base_url=self.address, headers=headers, timeout=30) as http:
            return await http.post(path, json=body)

    async def sent(self, upload: Upload) -> tuple[str, dict[str, Any]]:
        """An upload whose one part is in the store: its id, and the body that completes it."""
        data, content_type, purpose = upload
        body = {"content_type": content_type, "size_bytes": len(data), "purpose": purpose}
        begun = await self.ada.client.transport.command("POST", "/v1/uploads", views.UploadBegun, body)
        async with httpx.AsyncClient() as store:
            answer = (await store.put(begun.parts[0].url, content=data)).raise_for_status()
        return begun.media_id, {"parts": [{"number": 1, "etag": answer.headers["etag"]}]}

    async def completed(self, upload: Upload) -> str:
        """An upload that was acknowledged; its id."""
        media_id, body = await self.sent(upload)
        (await self.asked(f"/v1/uploads/{media_id}/complete", body)).raise_for_status()
        return media_id


@pytest.fixture(scope="module")
async def town(
    workers: list[WorkerProcess],
    transcoder: WorkerProcess,
    migrated: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Town]:
    """A gateway of its own and the transcode worker that is up, each of whom reaches the store through a proxy."""
    assert workers
    endpoint, port = migrated["PHOTOLOG_S3__ENDPOINT_URL"], pick_free_port_base()
    address = f"http://127.0.0.1:{port}"
    async with faulty_store(endpoint) as of_gateway, faulty_store(endpoint) as of_worker:
        environment = migrated | {
            "PHOTOLOG_GATEWAY__PORT": str(port),
            "PHOTOLOG_GATEWAY__PUBLIC_URL": address,
            "PHOTOLOG_S3__ENDPOINT_URL": of_gateway.address,
        }
        # Without an edge, files are fetched from the store itself, and so nothing is shared.
        del environment["PHOTOLOG_EDGE__PUBLIC_URL"]
        gateway = WorkerProcess(("gateway",), environment, tmp_path_factory.mktemp("s3-faults") / "gateway.log")
        try:
            with transcoder.changed(PHOTOLOG_S3__ENDPOINT_URL=of_worker.address, PHOTOLOG_EDGE__PUBLIC_URL=None):
                await asyncio.to_thread(wait_serving, address)
                async with joining(address) as join:
                    ada, bob = await join("ada"), await join("bob")
                    await bob.client.follow(ada.id)
                    yield Town(address, ada, bob, of_gateway, of_worker, transcoder)
        finally:
            await asyncio.to_thread(gateway.end)


def photograph() -> Upload:
    """A picture like none of before, which would share its files."""
    blots = Image.frombytes("RGB", (8, 6), secrets.token_bytes(8 * 6 * 3)).resize((640, 480), Image.Resampling.NEAREST)
    written = io.BytesIO()
    blots.save(written, "JPEG")
    return written.getvalue(), "image/jpeg", "post"


def film(seconds: float = 1.0) -> Upload:
    """A clip with a box of free space behind it (ISO/IEC 14496-12 §8.1.2) that no other has."""
    return clip(seconds=seconds) + (24).to_bytes(4, "big") + b"free" + secrets.token_bytes(16), "video/mp4", "post"


@pytest.mark.parametrize("fault", [Fault.ERRORS, Fault.BROKEN_ANSWER])
async def test_the_gateway_says_when_to_come_again_and_the_same_upload_goes_on(town: Town, fault: Fault) -> None:
    media_id, body = await town.sent(photograph())
    path = f"/v1/uploads/{media_id}/complete"
    another = {"content_type": "image/jpeg", "size_bytes": 9, "client_upload_id": secrets.token_hex(8)}
    with town.gateway.ill(fault):
        refused = await asyncio.gather(town.asked(path, body), town.asked("/v1/uploads", another))
    assert town.gateway.met(fault) >= MET_MIN
    for answer in refused:
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/store-unavailable")
        assert int(answer.headers["retry-after"]) >= 1
    (await town.asked(path, body)).raise_for_status()
    assert (await town.asked("/v1/uploads", another)).json()["state"] == "uploading"
    assert (await town.ada.client.wait_decoded(media_id)).state == "ready"


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.BROKEN_REQUEST, Fault.SLOW])
async def test_parts_that_were_joined_unheard_or_late_are_an_upload_all_the_same(town: Town, fault: Fault) -> None:
    media_id, body = await town.sent(photograph())
    path = f"/v1/uploads/{media_id}/complete"
    with town.gateway.ill(fault):
        answer = await town.asked(path, body)
    assert town.gateway.met(fault) >= 1
    assert answer.status_code in (200, 503), answer.text
    (await town.asked(path, body)).raise_for_status()
    assert (await town.ada.client.wait_decoded(media_id)).state == "ready"


async def test_what_was_acknowledged_is_made_once_the_store_is_well(town: Town) -> None:
    exits, met = list(town.transcoder.exits), dict.fromkeys(FAULTS_ON_THE_WAY, 0)
    uploads = (photograph(), film(), (made(*TONE, suffix=".m4a"), "audio/mp4", "voice"))
    media_ids, post_id = [""] * len(uploads), ""
    for fault in FAULTS_ON_THE_WAY:
        before = town.worker.met(fault)
        with town.worker.ill(fault):
            if not post_id:
                media_ids = [await town.completed(upload) for upload in uploads]
                post_id = await town.ada.client.post(media_ids[:2], "in a storm")
            await eventually(partial(_met, town.worker, fault, before + MET_MIN))
            states = {(await town.ada.client.upload_state(media_id)).state for media_id in media_ids}
            # A photograph that is nearly one of before needs only to be read.
            assert states <= ({"processing"} if fault in UNREADABLE else {"processing", "ready"})
        met[fault] = town.worker.met(fault) - before
    assert min(met.values()) >= MET_MIN, met
    decoded = [await town.ada.client.wait_decoded(media_id) for media_id in media_ids]
    assert [(one.state, one.kind) for one in decoded] == [("ready", "photo"), ("ready", "video"), ("ready", "voice")]
    await town.ada.client.wait_published(post_id)
    for upload in decoded:
        for variant in upload.variants:
            assert await _length(town.ada, upload.media_id, variant.name) == variant.size_bytes
    assert town.transcoder.exits == exits, "the worker died of it"


async def test_no_page_shows_a_post_before_all_its_files_are_there_though_the_worker_dies_in_the_middle(
    town: Town,
) -> None:
    shown: set[str] = set()
    watching = asyncio.create_task(_watch(town.bob, shown))
    media_ids = [await town.completed(upload) for upload in (photograph(), film(4.0))]
    post_id = await town.ada.client.post(media_ids)
    await eventually(lambda: _encodes(town.transcoder))
    town.transcoder.kill()
    with town.worker.ill(Fault.SLOW):
        await eventually(lambda: _stores(town.worker))
        assert post_id not in shown
    await town.ada.client.wait_published(post_id)
    await eventually(lambda: _holds(shown, post_id, watching))
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert town.transcoder.exits[-1] == -9


async def _watch(person: Person, shown: set[str]) -> None:
    """Look at one's feed again and again, and fetch every file that a post names as soon as it is there."""
    while True:
        for post in (await person.client.feed_page()).items:
            if post.id not in shown:
                assert post.status == "published"
                for item in post.photographs:
                    assert item.variants
                    for name in item.variants:
                        assert await _length(person, item.id, name) > 0, f"{name} of a post that is shown"
                shown.add(post.id)
        await asyncio.sleep(0.05)


async def _length(person: Person, media_id: str, name: str) -> int:
    """Of a file, as anybody gets it who has its address."""
    address = await person.client.photograph_address(media_id, name)
    async with httpx.AsyncClient() as anyone:
        return len((await anyone.get(address)).raise_for_status().content)


async def _met(store: FaultyStore, fault: Fault, times: int) -> bool:
    return store.met(fault) >= times


async def _encodes(transcoder: WorkerProcess) -> bool:
    return any("ffmpeg" in child.name() for child in children(transcoder))


async def _stores(store: FaultyStore) -> bool:
    return store.fired[Fault.SLOW, "PUT"] > 0


async def _holds(shown: set[str], post_id: str, watching: "asyncio.Task[None]") -> bool:
    if watching.done():
        watching.result()
    return post_id in shown
