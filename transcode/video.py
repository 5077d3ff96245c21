"""Making everything that is made of one video: looked into, judged, planned, encoded, and looked at once more.

Each video has a folder of its own, which is gone with it; one that a killed worker left is taken away by the next.
"""

import asyncio
import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import imageio_ffmpeg
import msgspec

from photolog.errors import SettingsError
from transcode.caged import Bounds, Ended, python_paths, run_caged
from transcode.encoders import EncoderKind, Encoders
from transcode.encoding import SOURCE, encoding_arguments
from transcode.errors import Reason, SandboxUnavailable, UnprocessableMedia
from transcode.footage import Footage, VideoLimits, judge
from transcode.frames import Refused
from transcode.ladder import MASTER, POSTER, PREVIEW, Ladder, ladder
from transcode.playlists import Segments, master, segments
from transcode.sniff import HEAD_BYTES, detect, detect_video

_PREFIX = "photolog-video-"
_PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
# Looking into a file waits for the disk more than it works.
_PROBE_WALL_FACTOR = 6
_SECONDS_OFF_MAX = 0.1
_CHECK_SECONDS_MAX = 30
_PROBE = (sys.executable, "-P", "-m", "transcode.probing")
_PLAYLIST_BYTES_MAX = 64 * 1024
_TRIES = 2
_DEVICES = {EncoderKind.NVENC: (Path("/dev"), Path("/proc/driver")), EncoderKind.VAAPI: (Path("/dev/dri"),)}
_probe_answers: msgspec.json.Decoder[Footage | Refused] = msgspec.json.Decoder(Footage | Refused)


class VideoFile(msgspec.Struct, frozen=True):
    """One file that was made; width and height in pixels, 0 where it shows nothing."""

    name: str
    content_type: str
    path: Path
    width: int
    height: int
    size_bytes: int


class MadeVideo(msgspec.Struct, frozen=True):
    """What a video became. The files are there for as long as its folder is."""

    plan: Ladder
    files: tuple[VideoFile, ...]

    @property
    def duration_ms(self) -> int:
        """How long every rendition is."""
        return round(self.plan.seconds * 1_000)


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
        async with self._turns:
            path, held = _own_folder()
            try:
                if shutil.disk_usage(path).free < self.limits.bytes_max + self.limits.output_bytes_max:
                    raise SandboxUnavailable("the disk has no room for a video")
                yield path
            finally:
                await asyncio.to_thread(shutil.rmtree, path)
                os.close(held)

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
        weights = _weighed(folder, plan)
        (folder / MASTER).write_text(master(plan, weights))
        return MadeVideo(plan, tuple(_files(folder, plan)))

    async def check(self) -> None:
        """See that the programs do their work inside their cage, before a video is blamed for it.

        Raises:
            SandboxUnavailable: one does not start.
            SettingsError: this machine lacks the encoders.
        """
        bounds = Bounds(self.limits.memory_bytes_max, _CHECK_SECONDS_MAX, _CHECK_SECONDS_MAX, _PLAYLIST_BYTES_MAX)
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
            output_bytes_max=limits.bytes_max + _PLAYLIST_BYTES_MAX,
        )
        arguments = (*_PROBE, SOURCE, str(limits.pixels_max), str(limits.frames_max))
        ended = await _tried(arguments, folder, bounds, python_paths())
        try:
            answer = _probe_answers.decode(ended.answer)
        except msgspec.DecodeError as error:
            raise UnprocessableMedia(Reason.DECODER_CRASHED, f"no answer but {ended.said}") from error
        if isinstance(answer, Refused):
            raise UnprocessableMedia(answer.reason, answer.diagnosis)
        return answer

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
        await _tried(command, folder, bounds, (self._ffmpeg,), _DEVICES.get(self._encoders.kind, ()))


async def _tried(
    command: tuple[str, ...], folder: Path, bounds: Bounds, readable: tuple[Path, ...], devices: tuple[Path, ...] = ()
) -> Ended:
    """Run, and run again after a crash, as a lack of memory may be the cause; anything else is the video's doing."""
    for left in reversed(range(_TRIES)):
        ended = await run_caged(command, folder, bounds, readable, devices)
        if ended.code == 0 and ended.reason is None:
            return ended
        if ended.reason is not Reason.DECODER_CRASHED or not left:
            break
    raise UnprocessableMedia(ended.reason or Reason.DAMAGED_VIDEO, f"exit code {ended.code}: {ended.said}")


def _own_folder() -> tuple[Path, int]:
    """A folder, and the descriptor that holds its lock."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(held, fcntl.LOCK_EX)
        if path.exists():
            return path, held
        # Another worker that started just now swept it away before it was locked.
        os.close(held)


def sweep() -> None:
    """Take away the folders of workers that are no more: nobody holds their locks."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            # Another's, or gone meanwhile.
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path)
        except BlockingIOError:
            continue
        finally:
            os.close(held)


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


def _weighed(folder: Path, plan: Ladder) -> dict[str, Segments]:
    """What each rendition weighs. All are as long as planned, or frames were missing."""
    weights = {name: segments(_playlist(folder / f"{name}.m3u8")) for name in plan.streams}
    for name, weight in weights.items():
        if abs(weight.seconds - plan.seconds) > _SECONDS_OFF_MAX:
            raise UnprocessableMedia(Reason.DAMAGED_VIDEO, f"{name}: {weight.seconds} s of {plan.seconds} s")
    return weights


def _playlist(path: Path) -> str:
    if not path.is_file() or path.stat().st_size > _PLAYLIST_BYTES_MAX:
        raise UnprocessableMedia(Reason.DAMAGED_VIDEO, f"no {path.name}")
    return path.read_text()


def _files(folder: Path, plan: Ladder) -> Iterator[VideoFile]:
    """What is kept of what was made, media before the playlists that name them."""
    for rendition in plan.renditions:
        yield _file(folder, f"{rendition.name}.mp4", "video/mp4", rendition.width, rendition.height)
        yield _file(folder, f"{rendition.name}.m3u8", _PLAYLIST_TYPE, rendition.width, rendition.height)
    for name in plan.streams[len(plan.renditions) :]:
        yield _file(folder, f"{name}.mp4", "audio/mp4")
        yield _file(folder, f"{name}.m3u8", _PLAYLIST_TYPE)
    yield _file(folder, POSTER, "image/jpeg", *plan.sizes[0])
    yield _file(folder, PREVIEW, "image/gif", *plan.preview_size)
    yield _file(folder, MASTER, _PLAYLIST_TYPE, *plan.sizes[0])


def _file(folder: Path, name: str, content_type: str, width: int = 0, height: int = 0) -> VideoFile:
    path = folder / name
    size_bytes = path.stat().st_size if path.is_file() and not path.is_symlink() else 0
    if not size_bytes:
        raise UnprocessableMedia(Reason.DAMAGED_VIDEO, f"no {name} was made")
    return VideoFile(name, content_type, path, width, height, size_bytes)
