"""Runs the command line of this project under a wall clock that can be set: `shifted_clock FILE ARGUMENTS…`.

The file holds milliseconds, which are added to what Python's clock says whenever it is asked. Clocks that only go
forward, and the engines' own, are left alone.
"""

import sys
import time
from pathlib import Path

from cli.app import main


def shift(file: Path) -> None:
    """From now on the wall clock is off by what stands in the file."""
    time_ns = time.time_ns

    def shifted_ns() -> int:
        return time_ns() + int(file.read_text()) * 1_000_000

    time.time_ns = shifted_ns
    time.time = lambda: shifted_ns() / 1e9


if __name__ == "__main__":
    shift(Path(sys.argv.pop(1)))
    main()
