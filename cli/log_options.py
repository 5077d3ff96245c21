"""Options that several commands on the log share: times, event types, names of topics."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import overload

import typer

from photolog.errors import Invalid
from photolog.ids import now_ms
from photolog.log.moments import parse_moment
from schemas.serde import SCHEMAS

_OFFSET = re.compile(r"(?:([A-Za-z0-9._-]+)/)?([0-9]{1,5})@([0-9]{1,18})")
TIME_HELP = "ISO 8601, UTC where it names no offset; or how long ago: 45s, 30m, 2h, 7d, 1w."


@overload
def moment_ms(text: str, option: str) -> int: ...
@overload
def moment_ms(text: str | None, option: str) -> int | None: ...
def moment_ms(text: str | None, option: str) -> int | None:
    """The instant that an option's text means, Unix milliseconds.

    Raises:
        typer.BadParameter: it means none.
    """
    if text is None:
        return None
    try:
        return parse_moment(text, now_ms(), option)
    except Invalid as error:
        raise typer.BadParameter(error.detail, param_hint=option) from error


def event_types(given: Sequence[str] | None, option: str) -> frozenset[str]:
    """Event types that exist.

    Raises:
        typer.BadParameter: there is no such type.
    """
    known = [event.type for event in SCHEMAS]
    for one in given or ():
        if one not in known:
            near = get_close_matches(one, known, n=3)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise typer.BadParameter(f"there is no event type {one}{hint}", param_hint=option)
    return frozenset(given or ())


def offsets(text: str | None, topic: str, option: str) -> dict[int, int] | None:
    """Offsets of partitions, such as `0@1200,2@900` or a position (`likes/0@1200`); None for a text that names none.

    Raises:
        typer.BadParameter: a part is malformed, of another topic, or names a partition again.
    """
    if text is None or "@" not in text:
        return None
    found: dict[int, int] = {}
    for part in text.split(","):
        match = _OFFSET.fullmatch(part.strip())
        if match is None or (match[1] or topic) != topic or int(match[2]) in found:
            raise typer.BadParameter(
                f"{part.strip()!r} is no offset of {topic}: one looks like 0@1200, and each partition has one",
                param_hint=option,
            )
        found[int(match[2])] = int(match[3])
    return found


def plain(text: str) -> str:
    """Text without anything that a terminal would act on."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
