"""A video from its request to its answer through the real worker, against ffmpeg called by hand for the same files.

The clip lies in the bucket before either begins. Ours reads the request from Kafka, fetches the clip, looks into it,
encodes it in a cage, stores everything and appends the answer; the opponent is the one call of ffmpeg alone, with the
file on its disk already and nothing to store. Encoders that are held to so many bits make other bytes each time, so
what is compared first is the names of their files, and their sizes within a few parts of a hundred.
"""

import asyncio
import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.engines import migrated_engines
from benchmarks.feed_gateway import stack_settings
from benchmarks.records import record_of
from benchmarks.result import Result, paired
from cli.transcode_worker import video_encoders, video_limits
from photolog.engines.object_store import ObjectStore
from photolog.ids import SnowflakeSource
from photolog.log.kafka_config import client_config
from photolog.media.originals import raw_key
from photolog.settings import Settings
from schemas.events import MediaTranscodingCompleted, MediaTranscodingRequested
from schemas.registry import load_serde
from schemas.topics import MEDIA_COMPLETED
from transcode.encoding import SOURCE, encoding_arguments
from transcode.ladder import MASTER, SAMPLES, SOUND_DIGEST, ladder
from transcode.probing import look_into

_SECONDS = 10
_FRAMES_PER_SECOND = 30
_SIZE = "1280x720"
_ANSWER_SECONDS = 600
_OWNER = 1
_SIZES_APART_MAX = 0.05


def run(rounds: int = 5) -> list[Result]:
    """Frames of the source a second, whole path against bare ffmpeg, one video at a time."""
    with tempfile.TemporaryDirectory() as folder, migrated_engines("ladder") as environment:
        clip = _clip(Path(folder))
        river = _River(stack_settings(environment), clip)
        by_hand = _ByHand(river.settings, clip, Path(folder))
        with _worker(environment), contextlib.closing(river):
            made = river.answer(river.uploaded())
            by_hand.call()
            _compare(made, Path(folder))
            return [
                paired(
                    f"ladder of a {_SECONDS} s {_SIZE} video",
                    "frames/s",
                    lambda: _rate(partial(river.answer, river.uploaded())),
                    lambda: _rate(by_hand.call),
                    opponent_name="ffmpeg by hand, the same files in one call",
                    aim=0.9,
                    rounds=rounds,
                    note=f"{len(made.variants)} files; the opponent has no queue, bucket, check or cage",
                )
            ]


def _rate(call: Any) -> float:
    started = time.perf_counter()
    call()
    return _SECONDS * _FRAMES_PER_SECOND / (time.perf_counter() - started)


class _River:
    """Appends requests, and reads the answers."""

    def __init__(self, settings: Settings, clip: Path) -> None:
        self.settings = settings
        self._clip = clip
        self._serde = load_serde(settings.registry)
        self._ids = SnowflakeSource(1_021)
        self._writer: Any = Producer(client_config(settings.kafka))
        self._reader: Any = Consumer({**client_config(settings.kafka), "group.id": f"bench-{secrets.token_hex(4)}"})
        partitions = self._reader.list_topics(MEDIA_COMPLETED.name, timeout=20).topics[MEDIA_COMPLETED.name].partitions
        self._reader.assign([TopicPartition(MEDIA_COMPLETED.name, partition, 0) for partition in partitions])

    def answer(self, request: MediaTranscodingRequested) -> MediaTranscodingCompleted:
        """Ask for one video, and wait until it is there."""
        record = record_of(self._serde, request)
        self._writer.produce(record.topic, record.value, record.key, headers=list(record.headers))
        self._writer.flush()
        give_up = time.monotonic() + _ANSWER_SECONDS
        while time.monotonic() < give_up:
            message = self._reader.poll(0.05)
            if message is not None and message.error() is None:
                event = self._serde.open_record(self._serde.parse(message.value()), lambda _: None)
                if not isinstance(event, MediaTranscodingCompleted):
                    raise RuntimeError(f"the worker answered {event}")
                return event
        raise RuntimeError("the worker did not answer")

    def close(self) -> None:
        """Stop reading."""
        self._reader.close()

    def uploaded(self) -> MediaTranscodingRequested:
        """Put a video where an upload would, which is the client's work; what asks for it."""
        media_id = self._ids.next()
        key = raw_key(_OWNER, media_id)
        asyncio.run(ObjectStore(self.settings.s3).put_file(key, self._clip, "video/mp4"))
        return MediaTranscodingRequested(
            media_id=media_id,
            owner_id=_OWNER,
            object_key=key,
            content_type="video/mp4",
            size_bytes=self._clip.stat().st_size,
        )


class _ByHand:
    """The opponent: ffmpeg in a folder that holds the clip."""

    def __init__(self, settings: Settings, clip: Path, folder: Path) -> None:
        limits = video_limits(settings)
        with clip.open("rb") as file:
            footage = look_into(file, limits.pixels_max, limits.frames_max)
        arguments = encoding_arguments(footage, ladder(footage), video_encoders(settings), limits)
        self._command = (imageio_ffmpeg.get_ffmpeg_exe(), *arguments)
        self._folder = folder

    def call(self) -> None:
        """Make everything once."""
        subprocess.run(self._command, cwd=self._folder, check=True, stderr=subprocess.DEVNULL)


def _compare(made: MediaTranscodingCompleted, folder: Path) -> None:
    unkept = {SOURCE, SAMPLES, SOUND_DIGEST}
    theirs = {path.name: path.stat().st_size for path in folder.iterdir() if path.name not in unkept}
    # The master playlist is written by us and not by ffmpeg.
    ours = {variant.name: variant.size_bytes for variant in made.variants if variant.name != MASTER}
    if ours.keys() != theirs.keys() or any(abs(ours[name] / theirs[name] - 1) > _SIZES_APART_MAX for name in ours):
        raise AssertionError(f"the opponent makes {theirs}, and not {ours}")


def _clip(folder: Path) -> Path:
    path = folder / SOURCE
    picture = f"testsrc2=size={_SIZE}:rate={_FRAMES_PER_SECOND}:duration={_SECONDS},noise=alls=8:allf=t"
    sources = ("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", f"sine=frequency=440:duration={_SECONDS}")
    coded = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-f", "mp4")
    command = (imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-nostdin", *sources, *coded, str(path))
    subprocess.run(command, check=True)
    return path


@contextlib.contextmanager
def _worker(environment: Mapping[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", "cli.app", "transcode-worker", "--decoders", "1"]
    # Without an edge nothing is shared, so that the same video is made each time.
    alone = {key: value for key, value in environment.items() if key != "PHOTOLOG_EDGE__PUBLIC_URL"}
    process = subprocess.Popen(command, env=os.environ | alone, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)
