"""What a look into a voice note finds, and whether we take it: pure, and decided before anything is made of it.

The program that looks into it imports this, so that it may import nothing that the cage does not let it read.
"""

import msgspec

from transcode.errors import Reason, UnprocessableMedia

CODECS = frozenset({"aac", "alac", "opus", "mp3"})
STREAMS_MAX = 8
DECODERS = ",".join(sorted(CODECS | {"mp3float"}))
"""ffmpeg's names of the decoders of `CODECS`, of which MP3's has another; it opens no other."""

# A recorder that stops at five minutes stops a packet later, and a codec begins before its first sample.
_SECONDS_OVER = 0.5
# A file may say that it is longer than what is in it, by a packet here and there, but not by this.
_MISSING_SECONDS_MAX = 0.5


class VoiceLimits(msgspec.Struct, frozen=True):
    """What one voice note may cost.

    Args:
        bytes_max: bytes of the file.
        seconds_max: how long it may be.
        channels_max: of the sound: a telephone has two, a room's microphone some more.
        packets_max: of the file: twice as many as five minutes in the shortest packets of Opus have.
        memory_bytes_max: address space of either program.
        cpu_seconds_max: processor time of either. Five minutes take ffmpeg some 7 s.
        wall_seconds_max: time of either, after which it is killed.
        output_bytes_max: everything that is made, together: sound as it is drawn, 16,000 bytes a second, is the most.
    """

    bytes_max: int = 10 * 1024 * 1024
    seconds_max: float = 300.0
    channels_max: int = 8
    packets_max: int = 240_000
    memory_bytes_max: int = 1024**3
    cpu_seconds_max: int = 60
    wall_seconds_max: float = 120.0
    output_bytes_max: int = 16 * 1024 * 1024


class Recording(msgspec.Struct, frozen=True, tag="recording"):
    """A file of sound as it is played.

    Args:
        seconds: from the first packet until the end of the last.
        declared_seconds: how long the file says that it is; 0 where it says nothing.
        codec: libav's name of it.
        channels: of its sound.
        packets: that were counted, up to one more than there may be.
        ends: whether the file is there to its end, where its kind marks one.
        has_film: whether it holds moving pictures. The picture of a cover is none.
    """

    seconds: float
    declared_seconds: float
    codec: str
    channels: int
    packets: int
    ends: bool
    has_film: bool


def judge(recording: Recording, limits: VoiceLimits) -> None:
    """See that a voice note is one that we take.

    Raises:
        UnprocessableMedia: it is not; the reason says why.
    """
    for reason, is_so, diagnosis in _objections(recording, limits):
        if is_so:
            raise UnprocessableMedia(reason, diagnosis)


def _objections(recording: Recording, limits: VoiceLimits) -> tuple[tuple[Reason, bool, str], ...]:
    missing_seconds = recording.declared_seconds - recording.seconds
    is_long = recording.seconds > limits.seconds_max + _SECONDS_OVER or recording.packets > limits.packets_max
    return (
        (Reason.MISLABELLED, recording.has_film, "it is a film"),
        (Reason.UNSUPPORTED_CODEC, recording.codec not in CODECS, recording.codec),
        (Reason.TOO_MANY_CHANNELS, recording.channels > limits.channels_max, f"{recording.channels} channels"),
        (Reason.TOO_LONG, is_long, f"{recording.seconds:.1f} s, {recording.packets} packets"),
        (Reason.DAMAGED_AUDIO, recording.packets < 1 or recording.seconds <= 0, "no sound"),
        (Reason.DAMAGED_AUDIO, missing_seconds > _MISSING_SECONDS_MAX, f"{missing_seconds:.1f} s are missing"),
        (Reason.DAMAGED_AUDIO, not recording.ends, "its end is missing"),
    )
