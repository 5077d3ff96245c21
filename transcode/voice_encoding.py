"""The one call of ffmpeg that makes a voice note: decoded once, made even in loudness, encoded, and drawn.

Pure: names become a command. ffmpeg runs in the folder that it writes to, so all names are relative.
"""

from typing import Any

import ffmpeg

from transcode.encoding import LOUDNESS, NAMELESS, QUIETLY, SOURCE
from transcode.recording import DECODERS, STREAMS_MAX, VoiceLimits
from transcode.sniff_sound import SoundType

VOICE, DRAWN = "voice.m4a", "drawn.pcm"
VOICE_HZ, VOICE_KBPS = 48_000, 64
DRAWN_HZ = 8_000
"""Samples a second of the sound that the waveform is drawn from; 16 bits each, the low byte first."""

DEMUXERS = {
    SoundType.MP4: "mov",
    SoundType.OGG: "ogg",
    SoundType.WEBM: "matroska",
    SoundType.MPEG: "mp3",
}
"""The only demuxer that ffmpeg reads a file of each type with."""

_SECONDS_OVER = 1.0


def voice_arguments(kind: SoundType, limits: VoiceLimits) -> list[str]:
    """ffmpeg's arguments, without its own name.

    Args:
        kind: what the source is.
        limits: what bounds the reading; time and memory are bounded from outside.
    """
    source = ffmpeg.input(SOURCE, **_reading(kind, limits))
    sound = source["a:0"].filter("aresample", VOICE_HZ, **{"async": 1, "first_pts": 0})
    # One channel is heard from two loudspeakers, which its loudness is meant for.
    sound = sound.filter("aformat", channel_layouts="mono").filter("loudnorm", **LOUDNESS, dual_mono="true")
    both = sound.filter("aresample", VOICE_HZ).filter_multi_output("asplit")
    encoded = {"c:a": "aac", "b:a": f"{VOICE_KBPS}k", "ar": VOICE_HZ, "ac": 1, "flags:a": "+bitexact"}
    drawn = {"format": "s16le", "c:a": "pcm_s16le", "ar": DRAWN_HZ, "ac": 1}
    outputs = (
        # The index comes first, so that a player begins before it has all of it.
        ffmpeg.output(both[0], VOICE, format="ipod", movflags="+faststart", **encoded, **NAMELESS),
        ffmpeg.output(both[1], DRAWN, **drawn),
    )
    return [*QUIETLY, *ffmpeg.merge_outputs(*outputs).get_args()]


def _reading(kind: SoundType, limits: VoiceLimits) -> dict[str, Any]:
    """The demuxer is the one that the content asked for, and it opens no file but its own."""
    return {
        "format": DEMUXERS[kind],
        "protocol_whitelist": "file",
        "codec_whitelist": DECODERS,
        "max_streams": STREAMS_MAX,
        "threads": 1,
        # Where time stamps are absurd, there is an end all the same.
        "t": f"{limits.seconds_max + _SECONDS_OVER:.3f}",
    }
