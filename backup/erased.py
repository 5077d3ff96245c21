"""The list of erased accounts beside a backup: it may be newer than the backup, and a restore obeys it.

It holds account ids, one a line, which say nothing about anybody: a backup that is older than an erasure would bring
the person back, and with the list it does not.
"""

import re
from collections.abc import Iterable

from backup.outside import KeptTable
from backup.shelf import Shelf
from backup.tables import Tables
from photolog.errors import Invalid

ERASED = "erased.txt"
_MARKERS = KeptTable("erasures", "markers")
_LINE = re.compile(r"[0-9]{1,19}")


async def write_erased(tables: Tables, shelf: Shelf) -> int:
    """Bring the list up to date; how many it names. Markers are never removed, so it only grows."""
    erased = sorted([row["account_id"] async for page in tables.rows(_MARKERS) for row in page])
    await shelf.put(ERASED, "".join(f"{account_id}\n" for account_id in erased).encode())
    return len(erased)


async def read_erased(shelf: Shelf) -> set[int]:
    """The accounts of the list; none where there is no list."""
    data = await shelf.get(ERASED)
    return set() if data is None else parse_erased(data, f"{shelf.label}/{ERASED}")


def parse_erased(data: bytes, label: str) -> set[int]:
    """The accounts that a list names, one id a line.

    Raises:
        Invalid: a line is no id.
    """
    return {int(line) for line in _lines(data.decode(errors="replace").split("\n"), label)}


def _lines(lines: Iterable[str], label: str) -> Iterable[str]:
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line:
            continue
        if not _LINE.fullmatch(line):
            raise Invalid("malformed-list", f"{label}, line {number}: {line[:40]!r} is no account id")
        yield line
