"""Retried records: a dead letter's bytes, appended to its topic again under the same ids, with headers that say so.

A record whose key is parked is put aside, but for one that carries these headers: it stands for the record that it
was made of, and takes its place in the key's order. `retry_behind` names what was put aside before it: where that is
not settled yet, a retry would overtake it, and is not let through.
"""

from dataclasses import dataclass

from photolog.log.record import StoredRecord

PREFIX = "retry_"
Place = tuple[int, int]
"""A partition and an offset of the topic."""


@dataclass(frozen=True, slots=True)
class Retry:
    """What a retried record says of itself.

    Args:
        projection: whose letter it was; others have applied the record, or have a letter of their own.
        origin: where the record that failed lies.
        ordered: whether its key is parked, so that order matters.
        behind: what was put aside before it of its key; None for the first.
        dropped: it is not to be applied: it was given up, and only lets the next one through.
    """

    projection: str
    origin: Place
    ordered: bool
    behind: Place | None = None
    dropped: bool = False

    def headers(self) -> tuple[tuple[str, bytes], ...]:
        """The headers that say so."""
        told = {"retry_of": _written(self.origin), "retry_projection": self.projection.encode()}
        if self.ordered:
            told["retry_behind"] = _written(self.behind) if self.behind else b""
        if self.dropped:
            told["retry_dropped"] = b"1"
        return tuple(told.items())


def retry_of(record: StoredRecord) -> Retry | None:
    """What a record says of itself; None where it is no retry."""
    if record.header("retry_of") is None:
        return None
    told = {name: value or b"" for name, value in record.headers if name.startswith(PREFIX)}
    origin, behind = _place(told["retry_of"]), told.get("retry_behind")
    if origin is None or (behind and _place(behind) is None):
        return None  # nobody of ours wrote this
    return Retry(
        projection=told.get("retry_projection", b"").decode(errors="replace"),
        origin=origin,
        ordered=behind is not None,
        behind=_place(behind) if behind else None,
        dropped="retry_dropped" in told,
    )


def _written(place: Place) -> bytes:
    return b"%d/%d" % place


def _place(text: bytes) -> Place | None:
    partition, _, offset = text.partition(b"/")
    return (int(partition), int(offset)) if partition.isdigit() and offset.isdigit() else None
