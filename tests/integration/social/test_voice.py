"""A voice note on the real platform: sent, made, heard by nobody else, and no part of a post."""

import asyncio
import json
from pathlib import Path

import av
import httpx
import pytest

from photolog.errors import Invalid, NotFound
from tests.integration.command_line import CommandLine
from tests.integration.social.conftest import Joining
from tests.integration.social.people import PASSWORD, Person, jpeg
from tests.integration.workers import WorkerProcess
from tests.unit.transcode.clips import made

SECONDS = 2.0
TONE = ("-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={SECONDS}")
SPOKEN = ("-metadata", "artist=Somebody", "-c:a", "libopus")


async def heard(person: Person, media_id: str, name: str) -> bytes:
    """What is behind the address of a file."""
    address = await person.client.photograph_address(media_id, name)
    async with httpx.AsyncClient() as anyone:
        return (await anyone.get(address)).raise_for_status().content


async def test_a_voice_note_is_made_for_its_owner_and_is_no_part_of_a_post(
    join: Joining, gateway_address: str, migrated: dict[str, str], tmp_path: Path
) -> None:
    ada, bob = await join("ada"), await join("bob")
    file = tmp_path / "hello.ogg"
    await asyncio.to_thread(file.write_bytes, made(*TONE, *SPOKEN, suffix=".ogg"))
    command = CommandLine(migrated | {"PHOTOLOG_PASSWORD": PASSWORD})
    words = ("upload", str(file), "--purpose", "voice", "--username", ada.username, "--address", gateway_address)
    said = json.loads(await command.run(*words, "--wait", "--json"))
    assert (said["state"], said["kind"]) == ("ready", "voice")
    assert abs(said["duration_ms"] - SECONDS * 1_000) < 100
    assert {one["name"]: one["content_type"] for one in said["variants"]} == {
        "voice.m4a": "audio/mp4",
        "waveform.json": "application/json",
    }

    sound = tmp_path / "voice.m4a"
    await asyncio.to_thread(sound.write_bytes, await heard(ada, said["media_id"], "voice.m4a"))
    with av.open(str(sound)) as container:
        context = container.streams.audio[0].codec_context
        assert (context.name, context.profile, context.sample_rate, context.channels) == ("aac", "LC", 48_000, 1)
        assert container.duration is not None
        assert abs(container.duration / av.time_base - SECONDS) < 0.1
        assert "artist" not in container.metadata
    peaks = json.loads(await heard(ada, said["media_id"], "waveform.json"))["peaks"]
    assert len(peaks) == 100
    assert max(peaks) == 100

    with pytest.raises(NotFound):
        await bob.client.photograph_address(said["media_id"], "voice.m4a")
    photograph = await ada.client.upload(jpeg(), "image/jpeg")
    with pytest.raises(Invalid) as refused:
        await ada.client.post([photograph, said["media_id"]])
    assert (refused.value.kind, refused.value.field) == ("voice-note", "media_ids[1]")


async def test_a_recording_that_is_none_is_refused_and_the_worker_lives_on(
    join: Joining, transcoder: WorkerProcess
) -> None:
    ada, exits = await join("ada"), list(transcoder.exits)
    sound = made(*TONE, *SPOKEN, suffix=".ogg")
    cut = await ada.client.upload(sound[: len(sound) // 2], "audio/ogg", purpose="voice")
    film = await ada.client.upload(await asyncio.to_thread(a_film), "audio/mp4", purpose="voice")
    whole = await ada.client.upload(sound, "audio/ogg", purpose="voice")
    states = [await ada.client.wait_decoded(media_id) for media_id in (cut, film, whole)]
    assert [(state.state, state.reason) for state in states] == [
        ("failed", "damaged-audio"),
        ("failed", "mislabelled-type"),
        ("ready", None),
    ]
    assert transcoder.exits == exits
    with pytest.raises(Invalid) as refused:
        await ada.client.upload(b"just some words\n" * 9, "audio/mpeg", purpose="voice")
    assert refused.value.kind == "not-audio"
    with pytest.raises(Invalid) as refused:
        await ada.client.upload(jpeg(), "image/jpeg", purpose="voice")
    assert refused.value.kind == "unsupported-type"


def a_film() -> bytes:
    return made("-f", "lavfi", "-i", "testsrc2=size=96x64:duration=1", *TONE, "-c:v", "libx264", "-c:a", "aac")
