"""Uploads that were answered and serve nothing any more: refused ones, and those whose original lies elsewhere."""

from keeper.metrics import REMOVED
from keeper.resources import KeeperResources
from keeper.rules import Told
from transcode.errors import TROUBLE


async def remove_refused(resources: KeeperResources, told: Told) -> None:
    """After an answer: remove a refused upload, and one that holds a content, which has an original of its own. What a
    program failed at stays a while longer."""
    # The row tells which of two answers was the first.
    row = await resources.media_of(told)
    if row is not None and ((row.status == "failed" and row.reason not in TROUBLE) or row.content_id):
        # Nothing is stored of what cannot be made, and the original of a content lies with it.
        REMOVED.labels("refused").inc(await resources.files.remove_upload(row))


async def give_up(resources: KeeperResources, told: Told) -> None:
    """After a refusal: remove an upload that a program failed at, and that no operator had tried again since."""
    row = await resources.media_of(told)
    if row is not None and row.status == "failed":
        REMOVED.labels("given-up").inc(await resources.files.remove_upload(row))
