"""The jobs as a table: which steps take which topic, and what each needs. Faust and the replay engine run the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from photolog.ids import now_ms
from photolog.keyring import Keys
from photolog.log.growth import Growths, NeverGrown
from projections.accounts import ACCOUNTS_PROJECTION
from projections.catalogue import PROJECTIONS
from projections.comment_likes import COMMENT_LIKES_PROJECTION
from projections.comments import COMMENTS_PROJECTION
from projections.fold import Projection
from projections.graph import GRAPH_PROJECTION
from projections.likes import LIKES_PROJECTION
from projections.media import MEDIA_PROJECTION
from projections.posts import POSTS_PROJECTION
from projections.saves import SAVES_PROJECTION
from projections.seen_stories import SEEN_STORIES_PROJECTION
from projections.shares import SHARES_PROJECTION
from projections.stores.generation_positions import GenerationPositions, Selected, first_generations
from projections.stores.port import RecentPosts, RowStore, TimelineStore, VersionedCache
from projections.stores.seen_port import SeenFilters
from projections.stories import STORIES_PROJECTION
from schemas.serde import Serde
from schemas.topics import FEED_FANOUT, FEED_FANOUT_PRIORITY
from streams.comment_reactions import CommentLikesReaction, RepliesReaction, TopCommentsReaction
from streams.consent import ApprovalReaction, FollowReaction
from streams.decoding import Decoder
from streams.delivery import NAME as FEED
from streams.delivery import FanoutDelivery
from streams.emission import Emitter
from streams.epochs import Epochs
from streams.folding import Announcement, CacheForm, Folding, Reaction, Reactions
from streams.hashtag_uses import HashtagUsesReaction
from streams.lanes import ORDINARY, PRIORITY, Lanes
from streams.post_engagement import EngagementAnnouncement
from streams.publication import Publisher, ReachRule
from streams.reactions import FolloweesReaction, MediaReaction, NewFollowingsReaction, PostsReaction
from streams.recent import RecentReaction
from streams.seen import SeenReaction
from streams.step import Log, Step
from streams.story_publication import MediaStoriesReaction, StoriesReaction, StoryPublisher
from streams.user_stories import UserStoriesReaction
from streams.witness import WitnessedPositions

_ENGAGEMENT = (LIKES_PROJECTION, COMMENTS_PROJECTION, SHARES_PROJECTION, SAVES_PROJECTION)
Steps = dict[str, tuple[Step, ...]]
"""The steps of each topic, by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResources:
    """What jobs work with.

    Args:
        rows: rows and their positions.
        timelines: timelines, with the position of their deliveries; a witness of every other one stands there too,
            so they are in the engine that holds the caches.
        recent: authors' recent posts, a cache of rows.
        seen: viewers' filters of seen stories, a cache of rows.
        cache: caches of rows.
        cache_form: the cached forms of a row.
        log: takes decided and derived events, and dead letters.
        serde: the codec.
        keys: subjects' keys.
        reach: who is pushed and who is pulled, and how a fan-out is cut.
        timeline_entries: how many entries a timeline holds.
        story_life_ms: how long a story is shown.
        clock_ms: Unix milliseconds; stamps what is concluded.
        growths: how topics have grown.
        selected: the generations that rows and caches are those of.
    """

    rows: RowStore
    timelines: TimelineStore
    recent: RecentPosts
    seen: SeenFilters
    cache: VersionedCache
    cache_form: CacheForm
    log: Log
    serde: Serde
    keys: Keys
    reach: ReachRule
    timeline_entries: int
    story_life_ms: int = 86_400_000
    clock_ms: Callable[[], int] = now_ms
    growths: Growths = field(default_factory=NeverGrown)
    selected: Selected = first_generations


def live_steps(resources: JobResources) -> Steps:
    """Every job, with everything that follows from an event."""
    emitter = Emitter(resources.log, resources.serde)
    publisher = Publisher(resources.rows, emitter, resources.reach, resources.clock_ms)
    story_publisher = StoryPublisher(resources.rows, emitter, resources.story_life_ms, resources.clock_ms)
    follow = FollowReaction(resources.rows, emitter, resources.clock_ms)
    followings = NewFollowingsReaction(resources.rows, resources.timelines, resources.timeline_entries)
    caching = cache_reactions(resources)
    reactions: Mapping[str, Reaction] = {
        ACCOUNTS_PROJECTION.name: ApprovalReaction(resources.rows, emitter, resources.clock_ms),
        GRAPH_PROJECTION.name: Reactions(follow, caching[GRAPH_PROJECTION.name], followings),
        POSTS_PROJECTION.name: Reactions(
            caching[POSTS_PROJECTION.name],
            PostsReaction(resources.rows, publisher, emitter, resources.timelines),
            HashtagUsesReaction(resources.rows, emitter),
        ),
        MEDIA_PROJECTION.name: Reactions(
            MediaReaction(resources.rows, publisher), MediaStoriesReaction(story_publisher)
        ),
        COMMENTS_PROJECTION.name: Reactions(
            RepliesReaction(resources.rows, emitter), caching[COMMENTS_PROJECTION.name]
        ),
        COMMENT_LIKES_PROJECTION.name: CommentLikesReaction(emitter),
        STORIES_PROJECTION.name: Reactions(caching[STORIES_PROJECTION.name], StoriesReaction(story_publisher)),
        SEEN_STORIES_PROJECTION.name: caching[SEEN_STORIES_PROJECTION.name],
    }
    engagement = EngagementAnnouncement(resources.rows, emitter)
    announcements: Mapping[str, Announcement] = {projection.name: engagement for projection in _ENGAGEMENT}
    decoder = Decoder(resources.serde, resources.keys)
    positions = WitnessedPositions(resources.rows, GenerationPositions(resources.timelines, resources.selected))
    steps: Steps = {}
    for projection in PROJECTIONS:
        work = Folding(
            projection,
            resources.rows,
            resources.cache,
            resources.cache_form,
            reactions.get(projection.name),
            resources.clock_ms,
            announcements.get(projection.name),
        )
        epochs = Epochs(projection.name, resources.rows, resources.growths)
        _list(steps, projection, Step(projection.name, positions, decoder, work, resources.log, epochs=epochs))
    _add_lanes(steps, resources, decoder)
    return steps


def cache_reactions(resources: JobResources) -> Mapping[str, Reaction]:
    """What keeps those caches up to date that are made of more than one row, by projection. They append nothing."""
    return {
        GRAPH_PROJECTION.name: FolloweesReaction(resources.cache),
        POSTS_PROJECTION.name: RecentReaction(resources.rows, resources.recent),
        COMMENTS_PROJECTION.name: TopCommentsReaction(resources.rows, resources.cache),
        STORIES_PROJECTION.name: UserStoriesReaction(resources.rows, resources.cache),
        SEEN_STORIES_PROJECTION.name: SeenReaction(resources.seen),
    }


def _add_lanes(steps: Steps, resources: JobResources, decoder: Decoder) -> None:
    """The fan-out's two topics: one projection, whose lanes know of each other."""
    lanes = Lanes()
    # Entries find their places in a timeline by themselves, in whatever order they come.
    epochs = Epochs(FEED, resources.timelines, resources.growths, ordered=False)
    for topic, lane in ((FEED_FANOUT, ORDINARY), (FEED_FANOUT_PRIORITY, PRIORITY)):
        work = FanoutDelivery(resources.rows, resources.timelines, lanes, lane, clock_ms=resources.clock_ms)
        steps[topic.name] = (Step(FEED, resources.timelines, decoder, work, resources.log, epochs=epochs),)


def folding_steps(
    projections: Sequence[Projection],
    rows: RowStore,
    serde: Serde,
    keys: Keys,
    log: Log,
    growths: Growths | None = None,
) -> Steps:
    """The folds alone, into rows that nobody reads yet: no caches, and nothing is decided a second time.

    Args:
        projections: what to fold.
        rows: where to.
        serde: the codec.
        keys: subjects' keys.
        log: takes dead letters.
        growths: how topics have grown.
    """
    decoder = Decoder(serde, keys)
    steps: Steps = {}
    for projection in projections:
        epochs = Epochs(projection.name, rows, growths)
        work = Folding(projection, rows)
        _list(steps, projection, Step(projection.name, rows, decoder, work, log, epochs=epochs))
    return steps


def _list(steps: Steps, projection: Projection, step: Step) -> None:
    for topic in projection.topics:
        steps[topic.name] = (*steps.get(topic.name, ()), step)
