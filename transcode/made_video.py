"""What was made of a video, held against its plan before anything of it is stored."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from transcode.clip_prints import ClipPrints, read_prints
from transcode.errors import Reason, UnprocessableMedia
from transcode.ladder import MASTER, POSTER, PREVIEW, Ladder
from transcode.made_files import MadeFile, made_file
from transcode.playlists import Segments, master, segments

_PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
_PLAYLIST_BYTES_MAX = 64 * 1024
_SECONDS_OFF_MAX = 0.1


class MadeVideo(msgspec.Struct, frozen=True):
    """What a video became. The files are there for as long as its folder is."""

    plan: Ladder
    files: tuple[MadeFile, ...]
    prints: ClipPrints

    @property
    def duration_ms(self) -> int:
        """How long every rendition is."""
        return round(self.plan.seconds * 1_000)


def measured(folder: Path, plan: Ladder) -> MadeVideo:
    """The files that ffmpeg made, and the master playlist that they ask for, which is written beside them.

    Raises:
        UnprocessableMedia: one is not there, or not as long as planned, so that pictures or sound were missing.
    """
    (folder / MASTER).write_text(master(plan, _weighed(folder, plan)))
    return MadeVideo(plan, tuple(_files(folder, plan)), read_prints(folder, plan))


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


def _files(folder: Path, plan: Ladder) -> Iterator[MadeFile]:
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


def _file(folder: Path, name: str, content_type: str, width: int = 0, height: int = 0) -> MadeFile:
    return made_file(folder / name, content_type, Reason.DAMAGED_VIDEO, width, height)
