"""Videos made from bytes, and what an independent reader (PyAV's libav) sees in what was made."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from transcode.encoders import Encoders
from transcode.encoding import SOURCE
from transcode.footage import VideoLimits
from transcode.made_video import MadeVideo
from transcode.video import VideoMaker

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
        streams: list[VideoStream | AudioStream] = [*container.streams.video, *container.streams.audio]
        stream = streams[0]
        packets = [packet for packet in container.demux(stream) if packet.pts is not None]
        context, base = stream.codec_context, stream.time_base or Fraction(0)
        width, height, rate = _shape(stream)
        codec, extradata = context.name, bytes(context.extradata or b"")
    with opened(path) as container:
        times = [seconds(frame) for frame in container.decode((*container.streams.video, *container.streams.audio)[0])]
    return Track(
        codec=codec,
        extradata=extradata,
        width=width,
        height=height,
        first=min(times),
        end=float(max((packet.pts or 0) + (packet.duration or 0) for packet in packets) * base),
        frames=len(times),
        rate=rate,
        keyframes=tuple(float((packet.pts or 0) * base) for packet in packets if packet.is_keyframe),
    )


def seconds(frame: object) -> float:
    """When a picture or a piece of sound is due."""
    assert isinstance(frame, VideoFrame | AudioFrame)
    return float((frame.pts or 0) * (frame.time_base or Fraction(0)))


def _shape(stream: VideoStream | AudioStream) -> tuple[int, int, Fraction]:
    if isinstance(stream, AudioStream):
        return 0, 0, Fraction(0)
    return stream.codec_context.width, stream.codec_context.height, stream.average_rate or Fraction(0)


@contextmanager
def opened(path: Path) -> Iterator[av.container.InputContainer]:
    """A file of ours, read by libav."""
    with av.open(str(path), "r") as container:
        yield container
