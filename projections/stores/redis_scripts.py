"""Lua scripts on a Redis node or cluster: many calls in one round trip, loaded where a node does not know them.

Every script of ours may run again, so a call that failed anywhere is simply made again.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from weakref import WeakKeyDictionary

from redis.asyncio.cluster import RedisCluster
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MasterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from photolog.engines.redis_client import RedisClient
from photolog.errors import StoreUnavailable

_FOLDER = files("projections.stores") / "scripts"


@dataclass(frozen=True, slots=True)
class Script:
    """A script with the hash that Redis knows it by."""

    text: str
    digest: str


def script(*names: str) -> Script:
    """The script made of these files of `scripts/`, one after the other."""
    return script_of("\n".join((_FOLDER / f"{name}.lua").read_text() for name in names))


def script_of(text: str) -> Script:
    """A script from its text."""
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """One call. On a cluster all its keys share a hash tag."""

    script: Script
    keys: Sequence[str | bytes]
    arguments: Sequence[str | bytes | int] = ()

    @property
    def command(self) -> tuple[Any, ...]:
        """Its words on the wire."""
        return "EVALSHA", self.script.digest, len(self.keys), *self.keys, *self.arguments


# A cluster client raises where it has no connection left, and a node's pool lets waiters overtake each other until one
# waited too long. So all that share a client wait here, in turn; a few connections are left for whoever does not.
_gates: WeakKeyDictionary[RedisClient, asyncio.Semaphore] = WeakKeyDictionary()
_SPARE_CONNECTIONS = 4
_KEYS_AT_ONCE = 1_000


def _gate_of(client: RedisClient) -> asyncio.Semaphore:
    if isinstance(client, RedisCluster):
        connections = int(client.connection_kwargs["max_connections"])
    else:
        connections = client.connection_pool.max_connections
    return _gates.setdefault(client, asyncio.Semaphore(max(1, connections - _SPARE_CONNECTIONS)))


class ScriptRunner:
    """Runs scripts, and single commands, through one client."""

    def __init__(self, client: RedisClient) -> None:
        self.client = client
        self.clustered = isinstance(client, RedisCluster)
        self._gate = _gate_of(client)

    async def run(self, calls: Sequence[ScriptCall]) -> list[Any]:
        """The answers of the calls, in order, in one round trip for each node.

        Raises:
            StoreUnavailable: not every call is known to have run.
        """
        async with _unavailability(), self._gate:
            answers = await self._send(calls)
            missing = [place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            if missing:
                await self._load({calls[place].script for place in missing})
                again = await self._send([calls[place] for place in missing])
                for place, answer in zip(missing, again, strict=True):
                    answers[place] = answer
            for answer in answers:
                if isinstance(answer, Exception):
                    raise answer
            return answers

    async def command(self, *words: Any) -> Any:
        """One command's answer. Raises StoreUnavailable."""
        async with _unavailability(), self._gate:
            return await self.client.execute_command(*words)

    async def keys(self, pattern: str) -> AsyncIterator[bytes]:
        """Every key of a pattern, on all nodes, in no order. Raises StoreUnavailable."""
        async with _unavailability():
            async for key in self.client.scan_iter(match=pattern, count=_KEYS_AT_ONCE):
                yield key

    async def masters(self) -> RedisCluster | None:
        """The cluster, with its nodes known; None for a single node. Raises StoreUnavailable."""
        if not isinstance(self.client, RedisCluster):
            return None
        async with _unavailability():
            cluster: RedisCluster = await self.client.initialize()
            return cluster

    async def _send(self, calls: Sequence[ScriptCall]) -> list[Any]:
        if len(calls) == 1:
            try:
                return [await self.client.execute_command(*calls[0].command)]
            except NoScriptError as error:
                return [error]
        pipeline = self.client.pipeline() if self.clustered else self.client.pipeline(transaction=False)
        for call in calls:
            pipeline.execute_command(*call.command)
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        return answers

    async def _load(self, scripts: set[Script]) -> None:
        everywhere = {"target_nodes": RedisCluster.PRIMARIES} if self.clustered else {}
        for wanted in scripts:
            await self.client.execute_command("SCRIPT LOAD", wanted.text, **everywhere)


# Answers that speak of the engine's state and not of what was asked: full, or keys and masters on the move.
_UNAVAILABLE = (OutOfMemoryError, ReadOnlyError, AskError, ClusterDownError, MasterDownError, TryAgainError)


@asynccontextmanager
async def _unavailability() -> AsyncIterator[None]:
    """Turns what Redis raises while it is away, full or failing over into StoreUnavailable."""
    try:
        yield
    except _UNAVAILABLE as error:
        raise StoreUnavailable(f"redis: {type(error).__name__}: {error}") from error
    except ResponseError:
        raise  # What we asked is wrong: a defect of ours, not of the engine's state.
    except (RedisError, OSError) as error:
        raise StoreUnavailable(f"redis: {type(error).__name__}: {error}") from error
