"""The program that looks into a voice note, in `transcode.cage`.

`python -m transcode.voice_probing FILE DEMUXER SECONDS_MAX PACKETS_MAX`. As with videos, every packet is counted, as a
file's own word for its length proves nothing. Nothing is decoded here.
"""

import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import IO

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from transcode.errors import Reason, UnprocessableMedia
from transcode.probing import named, report
from transcode.recording import CODECS, DECODERS, STREAMS_MAX, Recording

_OGG_PAGE, _OGG_PAGE_BYTES_MAX, _OGG_LAST = b"OggS", 65_307, 4


def main() -> None:
    """Print what the file is, or why it is refused, as JSON; nothing where only a start was asked for."""
    if sys.argv[1:] == ["--check"]:
        return
    path, demuxer, seconds_max, packets_max = sys.argv[1:]
    report(path, lambda file: look_into(file, demuxer, float(seconds_max), int(packets_max)), Reason.DAMAGED_AUDIO)


def look_into(file: IO[bytes], demuxer: str, seconds_max: float, packets_max: int) -> Recording:
    """What a file of sound is, counted up to a little more than there may be.

    Raises:
        UnprocessableMedia: it has no sound.
        av.FFmpegError: it cannot be read.
    """
    ends = demuxer != "ogg" or _has_last_page(file)
    bounds = {"protocol_whitelist": "", "codec_whitelist": DECODERS, "max_streams": str(STREAMS_MAX)}
    with av.open(file, "r", format=demuxer, options=bounds, metadata_errors="replace") as container:
        if not container.streams.audio:
            raise UnprocessableMedia(Reason.NOT_AUDIO, "no track of sound")
        sound = container.streams.audio[0]
        packets, seconds = _counted(container, sound, seconds_max, packets_max)
        return Recording(
            seconds=float(seconds),
            declared_seconds=float((sound.duration or 0) * (sound.time_base or 0)),
            codec=named(sound),
            channels=sound.codec_context.channels if named(sound) in CODECS else 0,
            packets=packets,
            ends=ends,
            has_film=any(not track.disposition & Disposition.attached_pic for track in container.streams.video),
        )


def _counted(
    container: InputContainer, sound: AudioStream, seconds_max: float, packets_max: int
) -> tuple[int, Fraction]:
    """How many packets there are, and the seconds from the first until the end of the last."""
    packets, seconds = 0, Fraction(0)
    for packets, seconds in enumerate(_ends(container, sound), start=1):
        if packets > packets_max or seconds > seconds_max + 1:
            break
    return packets, seconds


def _ends(container: InputContainer, sound: AudioStream) -> Iterator[Fraction]:
    """For each packet the seconds from the first until the end of the last so far."""
    first, end, base = None, 0, sound.time_base or Fraction(0)
    for packet in container.demux(sound):
        if packet.pts is not None:
            first = packet.pts if first is None else min(first, packet.pts)
            end = max(end, packet.pts + (packet.duration or 0))
            yield (end - first) * base


def _has_last_page(file: IO[bytes]) -> bool:
    """Whether an Ogg file ends with a whole page that says it is the last; RFC 3533 §6."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _OGG_PAGE_BYTES_MAX))
    tail = file.read()
    file.seek(0)
    page = tail[tail.rfind(_OGG_PAGE) :]
    if not page.startswith(_OGG_PAGE) or len(page) < 27:
        return False
    sizes = page[27 : 27 + page[26]]
    return bool(page[5] & _OGG_LAST) and len(page) >= 27 + page[26] + sum(sizes)


if __name__ == "__main__":
    main()
