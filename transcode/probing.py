"""The program that looks into a video, in `transcode.cage`: `python -m transcode.probing FILE PIXELS_MAX FRAMES_MAX`.

Every packet is counted and the first picture decoded, as a file's own word for its length and size proves nothing. The
demuxer reads through a file that is open already, so that nothing in the file can name another. libav here is PyAV's:
ffmpeg comes without ffprobe, and what ffmpeg prints is for people.
"""

import sys
from collections.abc import Callable
from fractions import Fraction
from typing import IO

import av
import msgspec
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from transcode.errors import Reason, UnprocessableMedia
from transcode.footage import AUDIO_CODECS, VIDEO_CODECS, Footage
from transcode.frames import Refused

# PyAV names a codec by its decoder.
_BY_DECODER = {"libdav1d": "av1", "mp3float": "mp3"}
_STREAMS_MAX = "32"
_AS_DECODED = ",".join(sorted(VIDEO_CODECS | AUDIO_CODECS | set(_BY_DECODER)))


def main() -> None:
    """Print what the file is, or why it is refused, as JSON; nothing where only a start was asked for."""
    if sys.argv[1:] == ["--check"]:
        return
    path, pixels_max, frames_max = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    report(path, lambda file: look_into(file, pixels_max, frames_max), Reason.DAMAGED_VIDEO)


def report(path: str, look: Callable[[IO[bytes]], msgspec.Struct], damaged: Reason) -> None:
    """Print what a look into a file finds, or why the file is refused: as `damaged` where libav cannot read it."""
    answer: msgspec.Struct
    try:
        with open(path, "rb") as file:
            answer = look(file)
    except UnprocessableMedia as refusal:
        answer = Refused(refusal.reason, refusal.diagnosis)
    except (av.FFmpegError, ValueError, EOFError) as error:
        answer = Refused(damaged, str(error)[:500])
    except MemoryError:
        answer = Refused(Reason.TOO_MUCH_MEMORY, "")
    sys.stdout.buffer.write(msgspec.json.encode(answer))


def look_into(file: IO[bytes], pixels_max: int, frames_max: int) -> Footage:
    """What a video file is, with its frames counted up to one more than there may be.

    Raises:
        UnprocessableMedia: it has no pictures, or more pixels than it may have.
        av.FFmpegError: it cannot be read.
    """
    bounds = {"protocol_whitelist": "", "codec_whitelist": _AS_DECODED, "max_streams": _STREAMS_MAX}
    with av.open(file, "r", format="mov", options=bounds, metadata_errors="replace") as container:
        if not container.streams.video:
            raise UnprocessableMedia(Reason.NOT_A_VIDEO, "no track of pictures")
        pictures = container.streams.video[0]
        coded_pixels = pictures.codec_context.width * pictures.codec_context.height
        if coded_pixels > pixels_max:
            raise UnprocessableMedia(Reason.TOO_MANY_PIXELS, f"{coded_pixels} pixels")
        first = _first_picture(container, pictures, pixels_max)
        container.seek(0)
        frames, seconds = _counted(container, pictures, frames_max)
        width, height = _as_shown(pictures, first)
        track, audio_codec = _sound(container)
        return Footage(
            width=width,
            height=height,
            coded_pixels=max(coded_pixels, first.width * first.height),
            frames=frames,
            seconds=float(seconds),
            declared_seconds=float((pictures.duration or 0) * (pictures.time_base or 0)),
            video_codec=named(pictures),
            audio_codec=audio_codec,
            audio_track=track,
            primaries=first.color_primaries,
            transfer=first.color_trc,
            matrix=first.colorspace,
        )


def _first_picture(container: InputContainer, pictures: VideoStream, pixels_max: int) -> VideoFrame:
    if named(pictures) not in VIDEO_CODECS:
        raise UnprocessableMedia(Reason.UNSUPPORTED_CODEC, named(pictures))
    pictures.codec_context.options = {"max_pixels": str(pixels_max)}
    for frame in container.decode(pictures):
        return frame
    raise UnprocessableMedia(Reason.DAMAGED_VIDEO, "no picture could be decoded")


def _counted(container: InputContainer, pictures: VideoStream, frames_max: int) -> tuple[int, Fraction]:
    """How many pictures there are, and the seconds from the first until the end of the last."""
    frames, first, end = 0, None, 0
    for packet in container.demux(pictures):
        if packet.pts is None or packet.is_discard:
            continue
        frames += 1
        first = packet.pts if first is None else min(first, packet.pts)
        end = max(end, packet.pts + (packet.duration or 0))
        if frames > frames_max:
            break
    return frames, (end - (first or 0)) * (pictures.time_base or Fraction(0))


def _as_shown(pictures: VideoStream, first: VideoFrame) -> tuple[int, int]:
    """Width and height, turned upright, with pixels made square by making the picture wider."""
    shape = pictures.sample_aspect_ratio or Fraction(1)
    width, height = round(first.width * shape), first.height
    return (height, width) if first.rotation % 180 else (width, height)


def _sound(container: InputContainer) -> tuple[int, str | None]:
    """The first track of sound that we decode, as phones put one of a newer kind beside it; else the first of all."""
    tracks: list[tuple[int, AudioStream]] = list(enumerate(container.streams.audio))
    for at, track in tracks:
        if named(track) in AUDIO_CODECS:
            return at, named(track)
    return (0, named(tracks[0][1])) if tracks else (0, None)


def named(stream: VideoStream | AudioStream) -> str:
    """libav's name of what a stream is coded in; `unknown` where nothing here decodes it."""
    # A stream that nothing here can decode has no codec context.
    context = getattr(stream, "codec_context", None)
    return _BY_DECODER.get(context.name, context.name) if context is not None else "unknown"


if __name__ == "__main__":
    main()
