"""Making everything that is made of one voice note: looked into, judged, encoded, drawn."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import imageio_ffmpeg
import msgspec

from transcode.attempts import ANSWER_BYTES_MAX, attempted, found
from transcode.caged import Bounds, python_paths, run_caged
from transcode.encoding import SOURCE
from transcode.errors import Reason, SandboxUnavailable, UnprocessableMedia
from transcode.frames import Refused
from transcode.made_files import MadeFile, made_file
from transcode.recording import Recording, VoiceLimits, judge
from transcode.scratch import scratch_folder
from transcode.sniff import HEAD_BYTES, detect
from transcode.sniff_sound import SoundType, detect_sound
from transcode.voice_encoding import DEMUXERS, DRAWN, DRAWN_HZ, VOICE, voice_arguments
from transcode.waveform import waveform

WAVEFORM = "waveform.json"
_PROBE = (sys.executable, "-P", "-m", "transcode.voice_probing")
_SAMPLE_BYTES = 2
# Sound that a decoder could make nothing of is missing from what it made.
_LOST_SECONDS_MAX = 0.5
_recordings: msgspec.json.Decoder[Recording | Refused] = msgspec.json.Decoder(Recording | Refused)


class MadeVoice(msgspec.Struct, frozen=True):
    """What a voice note became. The files are there for as long as its folder is."""

    duration_ms: int
    files: tuple[MadeFile, ...]


class VoiceMaker:
    """Makes voice notes, a few at once; further callers wait.

    Args:
        limits: what one may cost.
        at_once: voice notes that are worked on at once; each uses one core.
    """

    def __init__(self, limits: VoiceLimits, at_once: int = 1) -> None:
        self.limits = limits
        self._turns = asyncio.Semaphore(at_once)
        self._ffmpeg = Path(imageio_ffmpeg.get_ffmpeg_exe()).resolve()

    @asynccontextmanager
    async def folder(self) -> AsyncIterator[Path]:
        """A folder for one voice note, once it is its turn; the caller puts the file there under `SOURCE`.

        Raises:
            SandboxUnavailable: there is no room on the disk.
        """
        async with self._turns, scratch_folder(self.limits.bytes_max + self.limits.output_bytes_max) as path:
            yield path

    async def make(self, folder: Path, kind: SoundType) -> MadeVoice:
        """Everything that is made of the voice note in a folder of ours.

        Args:
            folder: where it is.
            kind: what it was said to be.

        Raises:
            UnprocessableMedia: it is refused, crashed its decoder, or cost more than the limits.
            SandboxUnavailable: a program could not be started; the voice note was not judged.
        """
        _check_type(folder / SOURCE, kind)
        recording = await self._probe(folder, kind)
        judge(recording, self.limits)
        command = (str(self._ffmpeg), *voice_arguments(kind, self.limits))
        await attempted(command, folder, self._bounds(folder), Reason.DAMAGED_AUDIO, (self._ffmpeg,))
        return await asyncio.to_thread(_measured, folder, recording)

    async def check(self) -> None:
        """See that the program that looks into voice notes starts inside its cage; that of videos tries ffmpeg.

        Raises:
            SandboxUnavailable: it does not start.
        """
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            ended = await run_caged((*_PROBE, "--check"), folder, self._bounds(folder), python_paths())
        if ended.code != 0:
            raise SandboxUnavailable(f"{_PROBE[-1]} does not run: exit code {ended.code}: {ended.said}")

    async def _probe(self, folder: Path, kind: SoundType) -> Recording:
        limits = self.limits
        arguments = (*_PROBE, SOURCE, DEMUXERS[kind], str(limits.seconds_max), str(limits.packets_max))
        bounds = self._bounds(folder)
        return found(await attempted(arguments, folder, bounds, Reason.DAMAGED_AUDIO, python_paths()), _recordings)

    def _bounds(self, folder: Path) -> Bounds:
        """What a program may cost beside the file that is there."""
        source = folder / SOURCE
        return Bounds(
            self.limits.memory_bytes_max,
            self.limits.cpu_seconds_max,
            self.limits.wall_seconds_max,
            self.limits.output_bytes_max + ANSWER_BYTES_MAX + (source.stat().st_size if source.exists() else 0),
        )


def _measured(folder: Path, recording: Recording) -> MadeVoice:
    """What ffmpeg made, as long as what was counted, and the waveform, which is written beside it."""
    voice = made_file(folder / VOICE, "audio/mp4", Reason.DAMAGED_AUDIO)
    samples = (folder / DRAWN).read_bytes()
    seconds = len(samples) / (_SAMPLE_BYTES * DRAWN_HZ)
    if not samples or recording.seconds - seconds > _LOST_SECONDS_MAX:
        raise UnprocessableMedia(Reason.DAMAGED_AUDIO, f"{seconds:.1f} s of {recording.seconds:.1f} s")
    drawn = waveform(samples, DRAWN_HZ)
    (folder / WAVEFORM).write_bytes(msgspec.json.encode(drawn))
    return MadeVoice(drawn.duration_ms, (voice, made_file(folder / WAVEFORM, "application/json", Reason.DAMAGED_AUDIO)))


def _check_type(path: Path, kind: SoundType) -> None:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise UnprocessableMedia(Reason.EMPTY)
    other = detect(head) or detect_sound(head)
    if other is None:
        raise UnprocessableMedia(Reason.NOT_AUDIO)
    if other is not kind:
        raise UnprocessableMedia(Reason.MISLABELLED, f"declared {kind}, is {other}")
