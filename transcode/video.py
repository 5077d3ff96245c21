"""Making everything that is made of one video: looked into, judged, planned, encoded, and held against the plan."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import imageio_ffmpeg
import msgspec

from photolog.errors import SettingsError
from transcode.attempts import ANSWER_BYTES_MAX, attempted, found
from transcode.caged import Bounds, python_paths, run_caged
from transcode.encoders import EncoderKind, Encoders
from transcode.encoding import SOURCE, encoding_arguments
from transcode.errors import Reason, SandboxUnavailable, UnprocessableMedia
from transcode.footage import Footage, VideoLimits, judge
from transcode.frames import Refused
from transcode.ladder import Ladder, ladder
from transcode.made_video import MadeVideo, measured
from transcode.scratch import scratch_folder, sweep
from transcode.sniff import HEAD_BYTES, detect, detect_video

# Looking into a file waits for the disk more than it works.
_PROBE_WALL_FACTOR = 6
_CHECK_SECONDS_MAX = 30
_PROBE = (sys.executable, "-P", "-m", "transcode.probing")
_DEVICES = {EncoderKind.NVENC: (Path("/dev"), Path("/proc/driver")), EncoderKind.VAAPI: (Path("/dev/dri"),)}
_probe_answers: msgspec.json.Decoder[Footage | Refused] = msgspec.json.Decoder(Footage | Refused)


class VideoMaker:
    """Makes videos, a few at once; further callers wait.

    Args:
        limits: what one may cost.
        encoders: by what pictures are encoded.
        at_once: videos encoded at once. ffmpeg uses every core, so one is right but on large machines.
    """

    def __init__(self, limits: VideoLimits, encoders: Encoders, at_once: int = 1) -> None:
        self.limits = limits
        self._encoders = encoders
        self._turns = asyncio.Semaphore(at_once)
        self._ffmpeg = Path(imageio_ffmpeg.get_ffmpeg_exe()).resolve()
        sweep()

    @asynccontextmanager
    async def folder(self) -> AsyncIterator[Path]:
        """A folder for one video, once it is its turn; the caller puts the file there under `SOURCE`.

        Raises:
            SandboxUnavailable: there is no room on the disk.
        """
        limits = self.limits
        async with self._turns, scratch_folder(limits.bytes_max + limits.output_bytes_max) as path:
            yield path

    async def make(self, folder: Path, seconds_max: float) -> MadeVideo:
        """Everything that is made of the video in a folder of ours.

        Raises:
            UnprocessableMedia: it is refused, crashed its decoder, or cost more than the limits.
            SandboxUnavailable: a program could not be started; the video was not judged.
        """
        _check_type(folder / SOURCE)
        footage = await self._probe(folder)
        judge(footage, self.limits, seconds_max)
        plan = ladder(footage)
        await self._encode(folder, footage, plan)
        return await asyncio.to_thread(measured, folder, plan)

    async def check(self) -> None:
        """See that the programs do their work inside their cage, before a video is blamed for it.

        Raises:
            SandboxUnavailable: one does not start.
            SettingsError: this machine lacks the encoders.
        """
        bounds = Bounds(self.limits.memory_bytes_max, _CHECK_SECONDS_MAX, _CHECK_SECONDS_MAX, ANSWER_BYTES_MAX)
        readable, devices = (*python_paths(), self._ffmpeg), _DEVICES.get(self._encoders.kind, ())
        with tempfile.TemporaryDirectory() as name:
            for command in ((*_PROBE, "--check"), (str(self._ffmpeg), "-version")):
                ended = await run_caged(command, Path(name), bounds, readable)
                if ended.code != 0:
                    raise SandboxUnavailable(f"{command[0]} does not run: exit code {ended.code}: {ended.said}")
            trial = (str(self._ffmpeg), *self._encoders.trial())
            ended = await run_caged(trial, Path(name), bounds, readable, devices)
        if ended.code != 0:
            key = "PHOTOLOG_TRANSCODE__VIDEO_ENCODER"
            raise SettingsError(f"{key}: {self._encoders.kind} does not work on this machine: {ended.said}")

    async def _probe(self, folder: Path) -> Footage:
        limits = self.limits
        bounds = Bounds(
            limits.probe_memory_bytes_max,
            limits.probe_seconds_max,
            limits.probe_seconds_max * _PROBE_WALL_FACTOR,
            output_bytes_max=limits.bytes_max + ANSWER_BYTES_MAX,
        )
        arguments = (*_PROBE, SOURCE, str(limits.pixels_max), str(limits.frames_max))
        ended = await attempted(arguments, folder, bounds, Reason.DAMAGED_VIDEO, python_paths())
        return found(ended, _probe_answers)

    async def _encode(self, folder: Path, footage: Footage, plan: Ladder) -> None:
        limits = self.limits
        command = (str(self._ffmpeg), *encoding_arguments(footage, plan, self._encoders, limits))
        source_bytes = (folder / SOURCE).stat().st_size
        bounds = Bounds(
            limits.memory_bytes_max,
            limits.cpu_seconds_max,
            limits.wall_seconds_max,
            output_bytes_max=limits.output_bytes_max + source_bytes,
        )
        devices = _DEVICES.get(self._encoders.kind, ())
        await attempted(command, folder, bounds, Reason.DAMAGED_VIDEO, (self._ffmpeg,), devices)


def _check_type(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise UnprocessableMedia(Reason.EMPTY)
    photo = detect(head)
    if photo is not None:
        raise UnprocessableMedia(Reason.MISLABELLED, f"declared a video, is {photo}")
    if detect_video(head) is None:
        raise UnprocessableMedia(Reason.NOT_A_VIDEO)
