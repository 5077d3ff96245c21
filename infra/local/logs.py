"""Log files: kept across boots, turned over at a start when they have grown."""

from pathlib import Path
from typing import BinaryIO

ROTATE_BYTES = 8 * 1024 * 1024
KEPT = 3
TAIL_BYTES = 8_192


def open_log(path: Path) -> BinaryIO:
    """Open a log for appending; one that has grown over the bound is renamed first, and the oldest one removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > ROTATE_BYTES:
        for number in range(KEPT - 1, 0, -1):
            older = path.with_name(f"{path.name}.{number}")
            if older.exists():
                older.replace(path.with_name(f"{path.name}.{number + 1}"))
        path.replace(path.with_name(f"{path.name}.1"))
    return path.open("ab")


def tail(path: Path, lines: int = 20) -> str:
    """The last lines of a log; empty if there is none."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
