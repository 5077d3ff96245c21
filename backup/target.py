"""Whether there is anything in a system that is to be restored into."""

from collections.abc import Iterable
from typing import Any

from redis.exceptions import RedisError

from backup.outside import KEPT
from backup.survey import OURS
from backup.tables import Tables
from backup.topics import Topics
from photolog.errors import Conflict, StoreUnavailable
from projections.catalogue import TABLES

_LISTED_MAX = 12
MODELS: tuple[str, ...] = ("positions", "generations", *(table.name for table in TABLES))
"""Tables that only a system that lived has rows in."""


async def in_the_way(topics: Topics, tables: Tables, redis: Any, names: Iterable[str], *, begun: bool) -> list[str]:
    """What must not be there, said in words.

    Args:
        topics: Kafka.
        tables: Cassandra.
        redis: a client.
        names: the topics of the backup.
        begun: whether a restore of this very backup is under way, so that what it restores may be there.

    Raises:
        LogUnavailable, StoreUnavailable: something did not answer.
    """
    found = [f"Cassandra: {name} has rows" for name in MODELS if await tables.holds_any(name)]
    if await tables.holds_any("nodes"):
        found.append("Cassandra: nodes has rows: a gateway or a worker ran within the last three minutes")
    keys = await _keys(redis)
    if keys:
        found.append(f"Redis: {keys} keys")
    if begun:
        return found
    kept = [table.name for table in KEPT if await tables.holds_any(table.name)]
    found += [f"Cassandra: {name} has rows" for name in kept]
    there = await topics.described({*OURS, *names})
    held = {place: bounds.end for place, bounds in (await topics.bounds(sorted(there))).items() if bounds.end}
    return found + [f"Kafka: {topic}/{partition} ends at {end}" for (topic, partition), end in sorted(held.items())]


def refuse(found: list[str]) -> None:
    """Keep a restore away from a system that is not empty. Raises Conflict, listing what is there."""
    if not found:
        return
    more = f"; and {len(found) - _LISTED_MAX} more" if len(found) > _LISTED_MAX else ""
    raise Conflict(
        "not-empty",
        f"this system is not empty, and a restore would mix two worlds: {'; '.join(found[:_LISTED_MAX])}{more}. Point "
        "the settings at new topics, a new keyspace and an empty Redis, or remove these first",
    )


async def _keys(redis: Any) -> int:
    try:
        return int(await redis.dbsize())
    except RedisError as error:
        raise StoreUnavailable(f"Redis: {error}") from error
