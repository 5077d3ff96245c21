"""What of a shared cache ends with an event: the keys of what it may have put out of everybody's sight."""

from photolog.media.caches import author_key, post_key
from schemas import events as e

TOPICS = ("accounts", "posts")
ENDING: tuple[type[e.Event], ...] = (e.PostDeleted, e.PrivacyChanged, e.AccountSuspended, e.AccountDeleted)
"""The events after which something may not be public any more."""


def purged_keys(event: e.Event) -> tuple[str, ...]:
    """The keys to purge after an event; none where it hides nothing that was public."""
    match event:
        case e.PostDeleted(post_id=post_id):
            return (post_key(post_id),)
        case (
            e.PrivacyChanged(account_id=account_id, private=True)
            | e.AccountSuspended(account_id=account_id)
            | e.AccountDeleted(account_id=account_id)
        ):
            return (author_key(account_id),)
    return ()
