"""Voice notes made by the real programs in their cage: what comes out, what is refused, and that the next is made."""

import asyncio
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import imageio_ffmpeg
import msgspec
import pytest

from tests.unit.transcode.clips import clip, made, remuxed, with_last_delta
from tests.unit.transcode.pictures import jpeg, quarters
from transcode.encoding import SOURCE
from transcode.errors import Reason, UnprocessableMedia
from transcode.recording import VoiceLimits
from transcode.sniff_sound import SoundType
from transcode.voice import MadeVoice, VoiceMaker

TONE = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=3")
COVER = ("-f", "lavfi", "-i", "color=red:size=64x64:duration=0.1", "-map", "0:a", "-map", "1:v", "-frames:v", "1")
ATTACHED = (*COVER, "-c:v", "mjpeg", "-disposition:v", "attached_pic")
PLACE = ("-metadata", "location=+52.5200+013.4050/", "-metadata", "artist=Somebody")
VP8 = ("-c:v", "libvpx", "-c:a", "libopus")
OPUS, AAC, MP3 = ("-c:a", "libopus"), ("-c:a", "aac"), ("-c:a", "libmp3lame")
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
NOISE = bytes(range(256)) * 99
KINDS: list[tuple[str, SoundType, tuple[str, ...], str]] = [
    ("AAC", SoundType.MP4, AAC, ".m4a"),
    ("AAC in an MP4 of no kind", SoundType.MP4, AAC, ".mp4"),
    ("ALAC", SoundType.MP4, ("-c:a", "alac"), ".m4a"),
    ("Opus in Ogg", SoundType.OGG, OPUS, ".ogg"),
    ("Opus in WebM", SoundType.WEBM, OPUS, ".webm"),
    ("MP3", SoundType.MPEG, MP3, ".mp3"),
    ("MP3 without a tag", SoundType.MPEG, (*MP3, "-id3v2_version", "0"), ".mp3"),
    ("MP3 of 22 kHz", SoundType.MPEG, (*MP3, "-ar", "22050"), ".mp3"),
    ("stereo", SoundType.MP4, (*AAC, "-ac", "2"), ".m4a"),
]


def note(*options: str, suffix: str = ".m4a") -> bytes:
    return made(*TONE, *options, suffix=suffix)


def mp3() -> bytes:
    return note(*MP3, suffix=".mp3")


def ogg() -> bytes:
    return note(*OPUS, suffix=".ogg")


def of_frames(data: bytes, frames: int) -> bytes:
    """An MP3 whose header says that it has so many frames; the header is LAME's."""
    at = data.index(b"Info") + 8
    return data[:at] + frames.to_bytes(4, "big") + data[at + 4 :]


def crowd(channels: int) -> bytes:
    """Opus of many channels that nothing says the places of (RFC 7845 §5.1.1.3)."""
    raw = ("-f", "s16le", "-ar", "48000", "-ch_layout", f"{channels}C", "-i", "{source}")
    return made(*raw, *OPUS, "-mapping_family", "255", suffix=".ogg", source=bytes(2 * channels * 48_000))


def of_channels(data: bytes, channels: int) -> bytes:
    """An Ogg file whose header of Opus says that it has so many; its checksum (RFC 3533) told anew."""
    at = data.index(b"OpusHead")
    changed = bytearray(data)
    changed[at + 9] = channels
    end = data.index(b"OggS", at)
    changed[22:26] = bytes(4)
    changed[22:26] = _ogg_checksum(bytes(changed[:end])).to_bytes(4, "little")
    return bytes(changed)


def _ogg_checksum(page: bytes) -> int:
    found = 0
    for byte in page:
        found ^= byte << 24
        for _ in range(8):
            found = (found << 1 ^ (0x04C11DB7 if found & 0x80000000 else 0)) & 0xFFFFFFFF
    return found


HOSTILE: list[tuple[str, SoundType, Callable[[], bytes], Reason]] = [
    ("nothing", SoundType.MP4, lambda: b"", Reason.EMPTY),
    ("noughts", SoundType.MPEG, lambda: bytes(10_000), Reason.NOT_AUDIO),
    ("text", SoundType.MPEG, lambda: b"just some words\n" * 100, Reason.NOT_AUDIO),
    ("a playlist", SoundType.MPEG, lambda: PLAYLIST, Reason.NOT_AUDIO),
    ("a playlist behind the mark of an M4A", SoundType.MP4, lambda: note(*AAC)[:32] + PLAYLIST, Reason.DAMAGED_AUDIO),
    ("a playlist behind a tag", SoundType.MPEG, lambda: b"ID3\x04\0\0\0\0\0\0" + PLAYLIST, Reason.DAMAGED_AUDIO),
    ("a photograph", SoundType.MP4, lambda: jpeg(quarters(64, 64)), Reason.MISLABELLED),
    ("an MP3 said to be an MP4", SoundType.MP4, mp3, Reason.MISLABELLED),
    ("a film", SoundType.MP4, clip, Reason.MISLABELLED),
    ("a film without sound", SoundType.MP4, lambda: clip(sound_seconds=0), Reason.NOT_AUDIO),
    ("a WebM film", SoundType.WEBM, lambda: made(*TONE, *COVER, *VP8, suffix=".webm"), Reason.MISLABELLED),
    ("FLAC in Ogg", SoundType.OGG, lambda: note("-c:a", "flac", suffix=".ogg"), Reason.NOT_AUDIO),
    ("FLAC in MP4", SoundType.MP4, lambda: note("-c:a", "flac", suffix=".mp4"), Reason.UNSUPPORTED_CODEC),
    ("Vorbis in WebM", SoundType.WEBM, lambda: note("-c:a", "libvorbis", suffix=".webm"), Reason.UNSUPPORTED_CODEC),
    ("an M4A cut short, its index lost", SoundType.MP4, lambda: half(note(*AAC)), Reason.DAMAGED_AUDIO),
    ("an M4A cut short, its index there", SoundType.MP4, lambda: half(indexed(note(*AAC))), Reason.DAMAGED_AUDIO),
    ("an Ogg cut short", SoundType.OGG, lambda: half(ogg()), Reason.DAMAGED_AUDIO),
    ("an MP3 cut short", SoundType.MPEG, lambda: half(mp3()), Reason.DAMAGED_AUDIO),
    ("a WebM of its header alone", SoundType.WEBM, lambda: note(*OPUS, suffix=".webm")[:300], Reason.DAMAGED_AUDIO),
    ("noise behind the mark of an Ogg", SoundType.OGG, lambda: ogg()[:47] + NOISE, Reason.DAMAGED_AUDIO),
    ("ten hours by its index", SoundType.MP4, lambda: with_last_delta(note(*AAC), 36_000 * 48_000), Reason.TOO_LONG),
    ("ten hours by its header", SoundType.MPEG, lambda: of_frames(mp3(), 1_500_000), Reason.DAMAGED_AUDIO),
    ("302 seconds", SoundType.MPEG, lambda: quiet(302), Reason.TOO_LONG),
    ("100 channels", SoundType.OGG, lambda: crowd(100), Reason.TOO_MANY_CHANNELS),
    ("9 channels", SoundType.OGG, lambda: crowd(9), Reason.TOO_MANY_CHANNELS),
    ("one channel, said to be 100", SoundType.OGG, lambda: of_channels(ogg(), 100), Reason.DAMAGED_AUDIO),
]  # fmt: skip


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def indexed(data: bytes) -> bytes:
    """With the index before the sound."""
    return remuxed(data, "-movflags", "+faststart", suffix=".m4a")


def quiet(seconds: int) -> bytes:
    source = f"anullsrc=r=8000:cl=mono:d={seconds}"
    return made("-f", "lavfi", "-i", source, *MP3, "-b:a", "8k", suffix=".mp3")


async def outcome(
    maker: VoiceMaker, data: bytes, kind: SoundType, kept: Path | None = None
) -> MadeVoice | UnprocessableMedia:
    """What comes of a recording; its files are kept in a folder where one is given."""
    async with maker.folder() as folder:
        await asyncio.to_thread((folder / SOURCE).write_bytes, data)
        try:
            made_of_it = await maker.make(folder, kind)
        except UnprocessableMedia as refusal:
            return refusal
        for file in made_of_it.files if kept is not None else ():
            await asyncio.to_thread(file.path.rename, kept / file.name if kept else file.path)
        return made_of_it


async def made_of(data: bytes, kind: SoundType, kept: Path) -> MadeVoice:
    found = await outcome(VoiceMaker(VoiceLimits()), data, kind, kept)
    assert isinstance(found, MadeVoice), found
    return found


@pytest.mark.parametrize(("name", "kind", "options", "suffix"), KINDS, ids=[one[0] for one in KINDS])
async def test_each_kind_becomes_one_channel_of_aac_as_long_as_it_was_and_a_waveform(
    name: str, kind: SoundType, options: tuple[str, ...], suffix: str, tmp_path: Path
) -> None:
    made_of_it = await made_of(note(*options, suffix=suffix), kind, tmp_path)
    assert [(file.name, file.content_type) for file in made_of_it.files] == [
        ("voice.m4a", "audio/mp4"),
        ("waveform.json", "application/json"),
    ]
    with av.open(str(tmp_path / "voice.m4a")) as container:
        (stream,) = container.streams
        context = container.streams.audio[0].codec_context
        assert (context.name, context.profile, context.sample_rate, context.channels) == ("aac", "LC", 48_000, 1)
        assert stream.duration is not None
        assert stream.time_base is not None
        assert abs(float(stream.duration * stream.time_base) - 3.0) < 0.1
    assert abs(made_of_it.duration_ms - 3_000) < 100
    drawn = json.loads((tmp_path / "waveform.json").read_bytes())
    assert drawn["duration_ms"] == made_of_it.duration_ms
    assert len(drawn["peaks"]) == 100
    assert min(drawn["peaks"][5:95]) > 50, "a tone is even"


async def test_a_player_may_begin_at_once_and_nothing_tells_where_it_was_recorded(tmp_path: Path) -> None:
    source = made(*TONE, *COVER[:3], *ATTACHED[3:], *AAC, *PLACE, suffix=".m4a")
    assert b"Somebody" in source
    await made_of(source, SoundType.MP4, tmp_path)
    data = (tmp_path / "voice.m4a").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(tmp_path / "voice.m4a")) as container:
        assert len(container.streams) == 1, "the cover's picture is left behind"
        assert "artist" not in container.metadata
    assert all(word not in data for word in (b"Somebody", b"+52.52", b"Lavf", b"JFIF"))


@pytest.mark.parametrize("volume", ["0.02", "1.0"])
async def test_quiet_and_loud_recordings_become_as_loud_as_each_other(volume: str, tmp_path: Path) -> None:
    source = f"sine=frequency=440:sample_rate=48000:duration=6,volume={volume}"
    await made_of(made("-f", "lavfi", "-i", source, *AAC, suffix=".m4a"), SoundType.MP4, tmp_path)
    measured = await asyncio.to_thread(loudness, tmp_path / "voice.m4a")
    assert abs(measured + 16) < 2, measured


def loudness(path: Path) -> float:
    """LUFS of a file, as heard from two loudspeakers, by ffmpeg's own meter (EBU R128)."""
    words = ("-nostdin", "-i", str(path), "-af", "ebur128=dualmono=true", "-f", "null", "-")
    command = (imageio_ffmpeg.get_ffmpeg_exe(), *words)
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return float(re.findall(r"I:\s+(-?[\d.]+) LUFS", told.stderr)[-1])


async def test_silence_is_made_and_drawn_as_silence(tmp_path: Path) -> None:
    found = await made_of(quiet(3), SoundType.MPEG, tmp_path)
    assert abs(found.duration_ms - 3_000) < 100
    assert set(json.loads((tmp_path / "waveform.json").read_bytes())["peaks"]) == {0}


async def test_each_hostile_recording_has_its_reason_and_the_next_one_is_made() -> None:
    maker = VoiceMaker(VoiceLimits())
    for name, kind, data, reason in HOSTILE:
        found = await outcome(maker, data(), kind)
        assert isinstance(found, UnprocessableMedia), name
        assert (name, found.reason) == (name, reason), found.diagnosis
    assert isinstance(await outcome(maker, note(*AAC), SoundType.MP4), MadeVoice)


async def test_five_minutes_are_taken_and_a_second_more_is_not() -> None:
    maker = VoiceMaker(VoiceLimits())
    taken = await outcome(maker, quiet(300), SoundType.MPEG)
    assert isinstance(taken, MadeVoice), taken
    assert abs(taken.duration_ms - 300_000) < 200
    refused = await outcome(maker, quiet(301), SoundType.MPEG)
    assert isinstance(refused, UnprocessableMedia)
    assert refused.reason is Reason.TOO_LONG


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"wall_seconds_max": 0.05}, Reason.TOO_SLOW),
        ({"output_bytes_max": 10_000}, Reason.TOO_MUCH_OUTPUT),
    ],
)
async def test_a_recording_that_costs_more_than_it_may_is_stopped(limits: dict[str, int], reason: Reason) -> None:
    maker = VoiceMaker(msgspec.structs.replace(VoiceLimits(), **limits))
    found = await outcome(maker, quiet(60), SoundType.MPEG)
    assert isinstance(found, UnprocessableMedia)
    assert found.reason is reason, found.diagnosis


async def test_the_program_that_looks_starts_in_its_cage() -> None:
    await VoiceMaker(VoiceLimits()).check()
