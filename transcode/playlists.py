"""HLS playlists (RFC 8216): what ffmpeg's say of their segments, and the master playlist, which is ours. Pure."""

from collections.abc import Mapping

import msgspec

from transcode.errors import Reason, UnprocessableMedia
from transcode.ladder import AUDIO, AUDIO_CODEC, Ladder

_VERSION = 7
"""Of the protocol: fragmented MP4 in every rendition is new in it."""


class Segments(msgspec.Struct, frozen=True):
    """What the segments of one rendition weigh.

    Args:
        seconds: of all of them.
        peak_bits: the most bits that a second of one of them takes, rounded up.
        average_bits: bits that a second of the rendition takes, rounded up.
    """

    seconds: float
    peak_bits: int
    average_bits: int


def segments(playlist: str) -> Segments:
    """Read a media playlist whose segments are ranges of one file.

    Raises:
        UnprocessableMedia: it has no segments or no end, so that nothing whole was made.
    """
    seconds = [float(line[8:].split(",")[0]) for line in playlist.splitlines() if line.startswith("#EXTINF:")]
    ranges = [line[17:].split("@")[0] for line in playlist.splitlines() if line.startswith("#EXT-X-BYTERANGE:")]
    sizes = [int(size) for size in ranges]
    if not seconds or len(seconds) != len(sizes) or min(seconds) <= 0 or "#EXT-X-ENDLIST" not in playlist:
        raise UnprocessableMedia(Reason.DAMAGED_VIDEO, "a playlist without whole segments")
    peak = max(8 * size / length for size, length in zip(sizes, seconds, strict=True))
    return Segments(sum(seconds), _up(peak), _up(8 * sum(sizes) / sum(seconds)))


def master(plan: Ladder, weights: Mapping[str, Segments]) -> str:
    """The master playlist: H.264 before AV1, as a player begins with the first that it can play.

    Args:
        plan: what was made.
        weights: what each rendition weighs, by its name.
    """
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{_VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    sound = weights[AUDIO] if plan.has_audio else Segments(0.0, 0, 0)
    if plan.has_audio:
        lines.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{AUDIO}",NAME="{AUDIO}",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",'
            f'URI="{AUDIO}.m3u8"'
        )
    for rendition in plan.renditions:
        weight = weights[rendition.name]
        codecs = ",".join((rendition.codec_string, *((AUDIO_CODEC,) if plan.has_audio else ())))
        attributes = (
            f"BANDWIDTH={weight.peak_bits + sound.peak_bits}",
            f"AVERAGE-BANDWIDTH={weight.average_bits + sound.average_bits}",
            f"RESOLUTION={rendition.width}x{rendition.height}",
            f"FRAME-RATE={float(plan.fps):.3f}",
            f'CODECS="{codecs}"',
            *((f'AUDIO="{AUDIO}"',) if plan.has_audio else ()),
        )
        lines += [f"#EXT-X-STREAM-INF:{','.join(attributes)}", f"{rendition.name}.m3u8"]
    return "\n".join(lines) + "\n"


def _up(bits: float) -> int:
    return int(-(-bits // 1))
