"""Media: what became of each uploaded photograph."""

from typing import Literal

from projections.tables import Row, Table


class MediaRow(Row, frozen=True, kw_only=True):
    """A decoded photograph. `variants` is the JSON of `list[schemas.events.MediaVariant]`."""

    media_id: int
    owner_id: int
    status: Literal["ready", "failed"]
    width: int
    height: int
    variants: bytes
    reason: str | None
    detail: str | None


MEDIA = Table("media", MediaRow, ("media_id",), aggregate=True)
