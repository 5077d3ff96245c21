"""Wires a moderation worker: the log, the bucket, the block-list, and the classifiers of the settings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from moderation.block_list import BlockList
from moderation.block_log import KafkaBlockLog
from moderation.intake import moderation_intake
from moderation.panel import Panel, Patience, named_classifiers
from moderation.worker import ModerationWorker
from photolog.engines.object_store import ObjectStore
from photolog.log.producer import LogProducer
from photolog.log.slices import SliceReader
from photolog.settings import Settings
from schemas.registry import load_serde


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[ModerationWorker]:
    """Connect everything, and close it again at the end.

    Raises:
        SettingsError: a classifier cannot be had.
        StoreUnavailable: the registry lacks a schema.
        LogUnavailable: the block-list could not be read.
    """
    chosen = settings.moderation
    classifiers = named_classifiers(settings)
    async with AsyncExitStack() as closing:
        serde = await asyncio.to_thread(load_serde, settings.registry)
        objects = ObjectStore(settings.s3)
        reader = await closing.enter_async_context(SliceReader(settings.kafka))
        block_list = BlockList(KafkaBlockLog(reader), objects, serde)
        # The whole of it takes longer than what is new, and is not to be counted as somebody's attempt.
        await block_list.catch_up()
        log = LogProducer(settings.kafka)
        await log.start()
        closing.push_async_callback(log.close)
        panel = Panel([block_list, *classifiers], Patience(chosen.classifier_seconds, chosen.classifier_attempts))
        yield ModerationWorker(moderation_intake(settings.kafka), panel, objects.get, serde, log, chosen.judged_at_once)
