"""Wires what looks back: the log, the growths of its topics, and the keyring where personal fields are to be opened."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from gateway.vault.port import Usernames
from gateway.vault.usernames import CassandraUsernames
from lineage.decoding import Opening
from lineage.reading import Log, Progress
from photolog.engines.cassandra_session import CassandraSession
from photolog.keyring import SubjectKeyring
from photolog.log.growths import CassandraGrowths
from photolog.log.slices import SliceReader
from photolog.settings import Settings, key_bytes
from schemas.registry import load_serde


@dataclass(frozen=True, slots=True)
class LookingBack:
    """What a look back works with.

    Args:
        log: the log.
        opening: makes events of records, personal fields opened or sealed.
        usernames: whose a name is.
    """

    log: Log
    opening: Opening
    usernames: Usernames


@asynccontextmanager
async def connect(settings: Settings, progress: Progress, open_personal: bool) -> AsyncIterator[LookingBack]:
    """Connect, and close again at the end.

    Args:
        settings: the platform's.
        progress: told how far reading has come.
        open_personal: whether personal fields are opened, as far as their keys are there.

    Raises:
        StoreUnavailable: Cassandra did not answer, or the registry lacks a schema.
    """
    async with AsyncExitStack() as closing:
        session = await CassandraSession.connect(settings.cassandra)
        closing.push_async_callback(session.close)
        reader = await closing.enter_async_context(SliceReader(settings.kafka))
        serde = await asyncio.to_thread(load_serde, settings.registry)
        keys = SubjectKeyring(session, key_bytes(settings.secrets.master_key)) if open_personal else None
        yield LookingBack(
            log=Log(reader, CassandraGrowths(session), progress),
            opening=Opening(serde, keys),
            usernames=CassandraUsernames(session, settings.limits.username_rest_seconds),
        )
