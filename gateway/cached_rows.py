"""Rows in their cached forms, from the cache in one round trip. What it does not know is read from the rows and written
back for the next reader.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from gateway.services import Services
from photolog.errors import StoreUnavailable
from projections.cards import cache_writes
from projections.stores.port import MISSING, Missing
from projections.tables import Row, RowKey

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CachedEntry:
    """Some fields of an entry, and the rows that they are made from.

    Args:
        key: of the entry.
        fields: at least one.
        rows: one for each field.
    """

    key: str
    fields: Sequence[str]
    rows: Sequence[RowKey[Row]]


async def cached_rows(services: Services, entries: Sequence[CachedEntry]) -> list[list[bytes | None]]:
    """The cached forms of rows, None for those that are not there.

    Raises:
        StoreUnavailable: the rows did not answer.
    """
    answers = await _read(services, entries)
    unknown = [
        row
        for entry, values in zip(entries, answers, strict=True)
        for row, value in zip(entry.rows, values, strict=True)
        if isinstance(value, Missing)
    ]
    found = await _fill(services, unknown) if unknown else {}
    return [
        [
            found.get((entry.key, field)) if isinstance(value, Missing) else value
            for field, value in zip(entry.fields, values, strict=True)
        ]
        for entry, values in zip(entries, answers, strict=True)
    ]


async def _read(services: Services, entries: Sequence[CachedEntry]) -> list[list[bytes | Missing | None]]:
    try:
        return await services.cache.read([(entry.key, entry.fields) for entry in entries])
    except StoreUnavailable as error:
        logger.debug("cache-away", cause=str(error))
        return [[MISSING] * len(entry.fields) for entry in entries]


async def _fill(services: Services, unknown: Sequence[RowKey[Row]]) -> dict[tuple[str, str], bytes | None]:
    held = await services.rows.load(unknown)
    forms = {key: list(cache_writes(key, held[key])) for key in unknown}
    writes = [write for found in forms.values() for write in found]
    # That a row has ended is what the clock of this process says, which may step back.
    known = [write for key, found in forms.items() if held[key].row or key.table.expires is None for write in found]
    try:
        await services.cache.merge(known)
    except StoreUnavailable as error:
        logger.debug("cache-away", cause=str(error))
    return {(write.key, write.field): write.value for write in writes}
