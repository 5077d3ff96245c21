"""The one call of ffmpeg for a voice note: what it may read, and what it is told to make."""

import itertools

import pytest

from transcode.recording import VoiceLimits
from transcode.sniff_sound import SoundType
from transcode.voice_encoding import voice_arguments


def told(command: list[str]) -> dict[str, str]:
    return {name: value for name, value in itertools.pairwise(command) if name.startswith("-")}


@pytest.mark.parametrize(
    ("kind", "demuxer"),
    [(SoundType.MP4, "mov"), (SoundType.OGG, "ogg"), (SoundType.WEBM, "matroska"), (SoundType.MPEG, "mp3")],
)
def test_the_source_is_read_by_the_demuxer_of_its_type_and_names_no_other_file(kind: SoundType, demuxer: str) -> None:
    command = voice_arguments(kind, VoiceLimits())
    assert command.count("-i") == 1
    reading = told(command[: command.index("-i") + 2])
    assert (reading["-i"], reading["-f"], reading["-protocol_whitelist"]) == ("source", demuxer, "file")
    assert set(reading["-codec_whitelist"].split(",")) == {"aac", "alac", "mp3", "mp3float", "opus"}
    assert float(reading["-t"]) == pytest.approx(301.0)


def test_only_the_first_track_of_sound_is_used_and_nothing_that_the_file_says_of_itself() -> None:
    command = voice_arguments(SoundType.MP4, VoiceLimits())
    assert told(command)["-filter_complex"].startswith("[0:a:0]aresample=48000:async=1:first_pts=0[")
    assert command.count("-map") == command.count("-ac") == 2
    voice = told(command[: command.index("voice.m4a")])
    assert (voice["-map_metadata"], voice["-map_chapters"], voice["-movflags"]) == ("-1", "-1", "+faststart")
    assert (voice["-c:a"], voice["-b:a"], voice["-ar"], voice["-ac"]) == ("aac", "64k", "48000", "1")
