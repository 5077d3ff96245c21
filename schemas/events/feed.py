"""How posts reach followers: derived, never appended by a client."""

from typing import Literal

from schemas.events.base import Event, Snowflake


class FanoutRequested(Event, frozen=True, kw_only=True):
    """Some of the author's followers are to get the post. Emitted after the post's row is written.

    They are those whose slots lie between `first_slot` and `last_slot`, both included; -1 stands for all slots of
    `shard`, as every request said once.

    `delivery` is the post's own: a pulled post is requested where the author's post before it was pushed, so that
    followers' timelines learn that there is something to pull.
    """

    type = "feed.fanout.requested"
    capability = "feed"
    post_id: Snowflake
    author_id: Snowflake
    published_ms: int
    shard: int
    delivery: Literal["push", "pull"] = "push"
    first_slot: int = -1
    last_slot: int = -1


class PriorityFanoutRequested(FanoutRequested, frozen=True, kw_only=True):
    """The same for a verified author's post, in a topic of its own that is served ahead."""

    type = "feed.fanout.priority_requested"
    capability = "feed"
