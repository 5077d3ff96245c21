"""A folder on the disk for each upload that is worked on, gone with it; what a killed worker left, the next sweeps."""

import asyncio
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from transcode.errors import SandboxUnavailable

_PREFIX = "photolog-video-"
# With less than this, whatever fails may fail for want of room.
_FREE_BYTES_MIN = 16 * 1024 * 1024


@asynccontextmanager
async def scratch_folder(bytes_needed: int) -> AsyncIterator[Path]:
    """A folder of one's own until the end of the block, locked so that nobody sweeps it.

    Raises:
        SandboxUnavailable: the disk has no room for so many bytes.
    """
    path, held = _locked_folder()
    try:
        if shutil.disk_usage(path).free < bytes_needed:
            raise SandboxUnavailable("the disk has no room for an upload")
        yield path
    finally:
        await asyncio.to_thread(shutil.rmtree, path)
        os.close(held)


def check_room(folder: Path) -> None:
    """Raises SandboxUnavailable where the disk is full, so that what failed there is not the file's fault."""
    if shutil.disk_usage(folder).free < _FREE_BYTES_MIN:
        raise SandboxUnavailable("the disk is full")


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


def _locked_folder() -> tuple[Path, int]:
    """A folder, and the descriptor that holds its lock."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(held, fcntl.LOCK_EX)
        if path.exists():
            return path, held
        # Another worker that started just now swept it away before it was locked.
        os.close(held)
