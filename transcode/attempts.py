"""Running a program on an upload's file in its cage, and telling the file's fault from our own."""

from pathlib import Path
from typing import TypeVar

import msgspec

from transcode.caged import Bounds, Ended, run_caged
from transcode.errors import Reason, UnprocessableMedia
from transcode.frames import Refused
from transcode.scratch import check_room

ANSWER_BYTES_MAX = 64 * 1024
"""What a program may write that has nothing to write but an answer."""

_TRIES = 2
T = TypeVar("T")


async def attempted(
    command: tuple[str, ...],
    folder: Path,
    bounds: Bounds,
    damaged: Reason,
    readable: tuple[Path, ...],
    devices: tuple[Path, ...] = (),
) -> Ended:
    """Run, and run again after a crash, as a lack of memory may be the cause; anything else is the file's doing.

    Args:
        command: the program, absolute, and its arguments.
        folder: where it runs.
        bounds: what it may cost.
        damaged: why a file is refused on which the program fails for no reason of its own.
        readable: what it needs to read beside the folder.
        devices: what it may use beside.

    Raises:
        UnprocessableMedia: the program failed, or cost more than it may.
        SandboxUnavailable: it could not be started, or the disk is full.
    """
    for left in reversed(range(_TRIES)):
        ended = await run_caged(command, folder, bounds, readable, devices)
        if ended.code == 0 and ended.reason is None:
            return ended
        if ended.reason is not Reason.DECODER_CRASHED or not left:
            break
    check_room(folder)
    raise UnprocessableMedia(ended.reason or damaged, f"exit code {ended.code}: {ended.said}")


def found(ended: Ended, answers: "msgspec.json.Decoder[T | Refused]") -> T:
    """What a program that looked into a file says that it is. Raises UnprocessableMedia where it refuses it."""
    try:
        answer = answers.decode(ended.answer)
    except msgspec.DecodeError as error:
        raise UnprocessableMedia(Reason.DECODER_CRASHED, f"no answer but {ended.said}") from error
    if isinstance(answer, Refused):
        raise UnprocessableMedia(answer.reason, answer.diagnosis)
    return answer
