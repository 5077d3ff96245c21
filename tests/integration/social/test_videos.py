"""A video on the real platform: sent by a program that is killed, gone on with, decoded whole, posted, and seen."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx

from cli.upload import resumable_name
from infra.local.home import REPOSITORY
from photolog.client import views
from photolog.client.uploads import Content
from tests.integration.command_line import CommandLine
from tests.integration.social import stalled_upload
from tests.integration.social.conftest import Joining
from tests.integration.social.people import PASSWORD, Person, jpeg, settles
from tests.unit.transcode.clips import clip

PART_BYTES = 5 * 1024 * 1024
PARTS = 8


def long_file(folder: Path) -> Path:
    """A short clip with a box of free space behind it (ISO/IEC 14496-12 §8.1.2), to be of several parts."""
    data = clip(seconds=1.0)
    room = (PARTS - 1) * PART_BYTES
    file = folder / "film.mp4"
    file.write_bytes(data + room.to_bytes(4, "big") + b"free" + b"\0" * (room - 8))
    return file


async def killed_while_sending(person: Person, address: str, file: Path, name: str) -> None:
    """Have a program send some parts, and kill it."""
    words = (address, person.username, PASSWORD, str(file), name)
    sending = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", stalled_upload.__name__, *words), cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE
    )
    assert sending.stdout is not None
    assert await asyncio.wait_for(sending.stdout.readline(), 60) == b"stalled\n"
    sending.kill()
    await sending.communicate()


async def begun(person: Person, file: Path, name: str) -> views.UploadBegun:
    size_bytes = file.stat().st_size  # noqa: ASYNC240 - of a small folder of this test
    body: dict[str, Any] = {"content_type": "video/mp4", "size_bytes": size_bytes, "client_upload_id": name}
    return await person.client.transport.command("POST", "/v1/uploads", views.UploadBegun, body)


async def test_an_upload_whose_program_was_killed_goes_on_and_its_video_is_posted(
    join: Joining, gateway_address: str, migrated: dict[str, str], tmp_path: Path
) -> None:
    ada, bob, file = await join("ada"), await join("bob"), long_file(tmp_path)
    name = resumable_name("post", await Content(file).sha256())
    await killed_while_sending(ada, gateway_address, file, name)
    half = await begun(ada, file, name)
    assert len(half.arrived) == stalled_upload.PARTS_SENT, "it was killed in the middle"
    assert {part.number for part in half.arrived}.isdisjoint(part.number for part in half.parts)

    command = CommandLine(migrated | {"PHOTOLOG_PASSWORD": PASSWORD})
    words = ("upload", str(file), "--username", ada.username, "--address", gateway_address, "--wait", "--json")
    said = json.loads(await command.run(*words))
    assert (said["media_id"], said["state"], said["kind"]) == (half.media_id, "ready", "video")
    assert abs(said["duration_ms"] - 1_000) <= 100
    assert {"master.m3u8", "poster.jpeg", "preview.gif"} <= {variant["name"] for variant in said["variants"]}
    assert said["media_id"] == json.loads(await command.run(*words))["media_id"], "done again, it is the same upload"

    post_id = await ada.client.post([half.media_id], "a film")
    post = await ada.client.wait_published(post_id)
    (film,) = post.photographs
    assert (film.kind, film.duration_ms) == ("video", said["duration_ms"])
    await settles(lambda: _begins_like_a_playlist(bob, half.media_id), True)


async def _begins_like_a_playlist(person: Person, media_id: str) -> bool:
    address = await person.client.photograph_address(media_id, "master.m3u8")
    async with httpx.AsyncClient() as anyone:
        return (await anyone.get(address)).content.startswith(b"#EXTM3U")


async def test_a_file_that_is_not_what_its_checksum_says_is_refused(join: Joining) -> None:
    ada, data = await join("ada"), jpeg()
    body = {"content_type": "image/jpeg", "size_bytes": len(data), "sha256": "0" * 64}
    upload = await ada.client.transport.command("POST", "/v1/uploads", views.UploadBegun, body)
    async with httpx.AsyncClient() as store:
        etag = (await store.put(upload.parts[0].url, content=data)).headers["etag"]
    parts = {"parts": [{"number": 1, "etag": etag}]}
    await ada.client.transport.command("POST", f"/v1/uploads/{upload.media_id}/complete", dict, parts)
    state = await ada.client.wait_decoded(upload.media_id)
    assert (state.state, state.reason) == ("failed", "checksum-mismatch")
