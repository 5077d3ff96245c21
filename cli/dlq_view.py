"""Dead letters for people and programs to read. Sealed values stay sealed: nothing here opens one."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from rich.table import Table
from rich.text import Text

from photolog.errors import UndecodableRecord
from photolog.log.letters import Letter
from schemas.serde import Serde
from streams.letters import Chain

_SHOWN_BYTES_MAX = 16_384


class LetterLine(msgspec.Struct, frozen=True, kw_only=True):
    """One open letter, as `--json` prints it. `behind` counts the open letters in front of it in its key."""

    letter: str
    projection: str
    state: Literal["dead", "parked"]
    reason: str
    key: str
    event_id: str
    event_type: str
    happened_ms: int
    behind: int


class LetterPage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one letter. `event` is null where the bytes are none, and `undecodable` says why."""

    letter: str
    projection: str
    reason: str
    failed_at: str
    key: str
    happened_ms: int
    headers: dict[str, str]
    size_bytes: int
    value_hex: str
    event: dict[str, Any] | None
    undecodable: str | None
    in_front: list[str]
    parked_behind: list[str]


def letter_lines(chains: Iterable[Chain]) -> list[LetterLine]:
    """Every letter that nobody gave up, each key's in order."""
    return [_line(letter, at) for chain in chains for at, letter in enumerate(chain.kept)]


def letters_table(chains: Iterable[Chain]) -> Table:
    """One row for each letter that is first of its key, with how many wait behind it."""
    table = Table("letter", "projection", "key", "event", "happened", "waiting", "reason", box=None, pad_edge=False)
    for chain in chains:
        if chain.kept:
            line = _line(chain.kept[0], 0)
            happened = datetime.fromtimestamp(line.happened_ms / 1_000, UTC).isoformat(timespec="seconds")
            waiting = str(len(chain.kept) - 1)
            cells = (line.letter, line.projection, line.key, line.event_type, happened, waiting, line.reason)
            table.add_row(*map(Text, cells))
    return table


def letter_page(letter: Letter, chain: Chain, serde: Serde) -> LetterPage:
    """Everything about a letter of a chain."""
    record, names = letter.record, [one.name for one in chain.letters]
    at = names.index(letter.name)
    event, undecodable = _event(letter, serde)
    return LetterPage(
        letter=letter.name,
        projection=letter.projection,
        reason=_text(letter.reason.encode()),
        failed_at=f"{record.topic}/{letter.failed_at[0]}/{letter.failed_at[1]}",
        key=_text(record.key),
        happened_ms=record.timestamp_ms,
        headers={name: _text(value) for name, value in record.headers},
        size_bytes=len(record.value or b""),
        value_hex=(record.value or b"").hex(),
        event=event,
        undecodable=undecodable,
        in_front=names[:at],
        parked_behind=names[at + 1 :],
    )


def page_table(page: LetterPage) -> Table:
    """A letter for a person to read; of very long bytes the beginning."""
    table = Table(show_header=False, box=None, pad_edge=False)
    value = page.value_hex[: 2 * _SHOWN_BYTES_MAX]
    cut = "" if len(value) == len(page.value_hex) else f" … {page.size_bytes} bytes; --json has all of them"
    rows: list[tuple[str, str]] = [
        ("letter", page.letter),
        ("projection", page.projection),
        ("reason", page.reason),
        ("failed at", page.failed_at),
        ("key", page.key),
        ("happened", datetime.fromtimestamp(page.happened_ms / 1_000, UTC).isoformat(timespec="milliseconds")),
        *((f"header {name}", value) for name, value in page.headers.items()),
        ("bytes", f"{value}{cut}"),
        ("event", page.undecodable or msgspec.json.format(msgspec.json.encode(page.event)).decode()),
        ("in front", _names(page.in_front)),
        ("parked behind", _names(page.parked_behind)),
    ]
    for name, text in rows:
        table.add_row(name, Text(text))
    return table


def _line(letter: Letter, behind: int) -> LetterLine:
    return LetterLine(
        letter=letter.name,
        projection=letter.projection,
        state="parked" if letter.is_parked else "dead",
        reason=_text(letter.reason.encode()),
        key=_text(letter.record.key),
        event_id=letter.event_id,
        event_type=_text(letter.record.header("ce_type")),
        happened_ms=letter.record.timestamp_ms,
        behind=behind,
    )


def _event(letter: Letter, serde: Serde) -> tuple[dict[str, Any] | None, str | None]:
    try:
        sealed = serde.parse(letter.record.value)
    except UndecodableRecord as error:
        return None, f"does not decode: {error}"
    personal = sealed.schema.personal
    values = {
        name: f"sealed ({len(value)} bytes)" if name in personal and value is not None else value
        for name, value in sealed.values.items()
    }
    return {"type": sealed.schema.event.type, **values}, None


def _names(names: Sequence[str]) -> str:
    return f"{len(names)}: {' '.join(names[:20])}{' …' if len(names) > 20 else ''}" if names else "none"


def _text(value: bytes | None) -> str:
    """Bytes as text where they are printable, else in hexadecimal."""
    try:
        text = (value or b"").decode()
    except UnicodeDecodeError:
        text = "\x00"
    return text if text.isprintable() else f"0x{(value or b'').hex()}"
