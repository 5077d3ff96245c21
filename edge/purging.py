"""What of a shared cache ends with an event: the keys of what it may have put out of everybody's sight."""

from collections.abc import Mapping

from photolog.media.caches import author_key, media_key, post_key
from projections.accounts import ACCOUNTS_PROJECTION
from projections.media import MEDIA_PROJECTION
from projections.posts import POSTS_PROJECTION
from schemas import events as e

MODELS: Mapping[str, str] = {
    topic.name: projection.name
    for projection in (ACCOUNTS_PROJECTION, POSTS_PROJECTION, MEDIA_PROJECTION)
    for topic in projection.topics
}
"""The topics that purges follow, and the read model of each that the edge asks."""
ENDING: tuple[type[e.Event], ...] = (
    e.PostDeleted,
    e.PrivacyChanged,
    e.AccountSuspended,
    e.AccountDeleted,
    e.MediaTakenDown,
    e.MediaReviewed,
    e.MediaCollected,
    e.MediaArchived,
)
"""The events after which something may not be public any more."""


def purged_keys(event: e.Event) -> tuple[str, ...]:
    """The keys to purge after an event; none where it hides nothing that was public."""
    match event:
        case e.PostDeleted(post_id=post_id):
            return (post_key(post_id),)
        case e.MediaTakenDown(media_id=media_id) | e.MediaReviewed(media_id=media_id, decision="refused"):
            return (media_key(media_id),)
        case e.MediaCollected(media_id=media_id) | e.MediaArchived(media_id=media_id):
            return (media_key(media_id),)
        case (
            e.PrivacyChanged(account_id=account_id, private=True)
            | e.AccountSuspended(account_id=account_id)
            | e.AccountDeleted(account_id=account_id)
        ):
            return (author_key(account_id),)
    return ()
