"""The keeper: every rule at work, and uploads swept that nobody completed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from keeper.abandoned import AbandonedUploads
from keeper.archiving import archive, remove_moved, shown_seconds
from keeper.collecting import collect_unheld, collect_unposted, collect_untold, judge, remove_collected
from keeper.reader import DelayedReader
from keeper.refused import give_up, remove_refused
from keeper.resources import KeeperResources
from keeper.rules import Deed, Rule, Told
from photolog.settings import MediaSettings
from schemas import events as e
from schemas.topics import MEDIA_COMPLETED, POSTS, STORIES


def rules_of(resources: KeeperResources, media: MediaSettings) -> tuple[Rule, ...]:
    """What is done when.

    Args:
        resources: the keeper's.
        media: how old events are by then.
    """

    def does(work: Callable[[KeeperResources, Told], Awaitable[None]]) -> Deed:
        return partial(work, resources)

    answers = (e.MediaTranscodingCompleted, e.MediaTranscodingFailed)
    begun = (e.MediaTranscodingCompleted, e.MediaKept)
    grace = media.grace_seconds
    return (
        Rule("refused", MEDIA_COMPLETED, answers, media.refused_seconds, does(remove_refused)),
        Rule("given-up", MEDIA_COMPLETED, (e.MediaTranscodingFailed,), grace, does(give_up)),
        Rule("unposted", MEDIA_COMPLETED, begun, grace, does(collect_unposted)),
        Rule("unheld", POSTS, (e.PostDeleted,), grace, does(collect_unheld)),
        Rule("untold", STORIES, (e.StoryDeleted, e.StoryRejected), grace, does(collect_untold)),
        Rule("judged", MEDIA_COMPLETED, (e.MediaCollected,), 0, does(judge)),
        Rule("removed", MEDIA_COMPLETED, (e.MediaRemoved,), 0, does(remove_collected)),
        Rule("archived", STORIES, (e.StoryPublished,), shown_seconds, does(archive)),
        Rule("moved", MEDIA_COMPLETED, (e.MediaArchived,), 0, does(remove_moved)),
    )


class Keeper:
    """Does what all rules say. Several may run: they share the partitions.

    Args:
        rules: the rules.
        reader: makes the reader of a rule.
        abandoned: the sweep of uploads.
    """

    def __init__(
        self, rules: Sequence[Rule], reader: Callable[[Rule], DelayedReader], abandoned: AbandonedUploads
    ) -> None:
        self._readers = [reader(rule) for rule in rules]
        self._abandoned = abandoned

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set.

        Raises:
            ExceptionGroup: what made it impossible to go on; start a new process.
        """
        async with asyncio.TaskGroup() as group:
            sweeping = group.create_task(self._abandoned.run())
            for reader in self._readers:
                group.create_task(reader.run(stop))
            await stop.wait()
            sweeping.cancel()
