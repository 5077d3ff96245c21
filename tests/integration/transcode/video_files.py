"""Videos made from bytes, and what an independent reader (PyAV's libav) sees in what was made."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.video.stream import VideoStream

from transcode.encoders import Encoders
from transcode.encoding import SOURCE
from transcode.footage import VideoLimits
from transcode.video import MadeVideo, VideoMaker

FASTEST = Encoders(h264_preset="superfast", av1_preset=13)


@dataclass(frozen=True)
class Track:
    """One stream as it was decoded: times in seconds."""

    codec: str
    extradata: bytes
    width: int
    height: int
    first: float
    end: float
    frames: int
    rate: Fraction
    keyframes: tuple[float, ...]


async def make_into(
    kept: Path, data: bytes, limits: VideoLimits | None = None, seconds_max: float = 60.0, encoders: Encoders = FASTEST
) -> MadeVideo:
    """Make everything of a video and keep its files in a folder."""
    maker = VideoMaker(limits or VideoLimits(), encoders)
    async with maker.folder() as folder:
        await asyncio.to_thread((folder / SOURCE).write_bytes, data)
        made = await maker.make(folder, seconds_max)
        for file in made.files:
            shutil.copy(file.path, kept / file.name)
    return made


def track(path: Path) -> Track:
    """The one stream of a file, every frame of it decoded."""
    with opened(path) as container:
        (stream,) = container.streams
        base, keyframes, end = stream.time_base or Fraction(0), [], 0
        for packet in container.demux(stream):
            if packet.pts is not None:
                end = max(end, packet.pts + (packet.duration or 0))
                if packet.is_keyframe:
                    keyframes.append(float(packet.pts * base))
        context = stream.codec_context  # type: ignore[attr-defined]
        is_picture = isinstance(stream, VideoStream)
        codec, extradata = context.name, bytes(context.extradata or b"")
        width, height = (context.width, context.height) if is_picture else (0, 0)
        rate = stream.average_rate if is_picture else None
    with opened(path) as container:
        times = [float((frame.pts or 0) * (frame.time_base or 0)) for frame in container.decode(container.streams[0])]
    return Track(
        codec,
        extradata,
        width,
        height,
        min(times),
        float(end * base),
        len(times),
        rate or Fraction(0),
        tuple(keyframes),
    )


@contextmanager
def opened(path: Path) -> Iterator[av.container.InputContainer]:
    """A file of ours, read by libav."""
    with av.open(str(path), "r") as container:
        yield container
