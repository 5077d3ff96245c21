"""Which read model covers which topic, and by what path: the map that waits walk."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from photolog.positions import Position
from projections.catalogue import PROJECTIONS
from schemas.topics import (
    COMMENTS,
    FEED_FANOUT,
    FEED_FANOUT_PRIORITY,
    GRAPH,
    HASHTAG_USES,
    MEDIA_COMPLETED,
    MEDIA_REQUESTED,
    POST_ENGAGEMENT,
    POSTS,
    STORIES,
    TOPICS,
    Topic,
)


@dataclass(frozen=True, slots=True)
class ReadModel:
    """A projection as a wait sees it.

    Args:
        name: the projection's name.
        folds: topics that it folds.
        emits: topics that its job appends to before it stores its position.
        in_timelines: whether its positions stand with the timelines rather than with the rows.
    """

    name: str
    folds: tuple[str, ...]
    emits: tuple[str, ...] = ()
    in_timelines: bool = False


class Path(Enum):
    """How a position in a topic leads to a model, where it is not one hop through another model."""

    DIRECT = "direct"
    FAR = "far"
    UNRELATED = "unrelated"


_EMITS: Mapping[str, tuple[Topic, ...]] = {
    "accounts": (GRAPH,),
    "graph": (GRAPH,),
    "posts": (FEED_FANOUT, FEED_FANOUT_PRIORITY, POSTS, HASHTAG_USES),
    "media": (POSTS, STORIES),
    "stories": (STORIES,),
    "comment_likes": (COMMENTS,),
    "comments": (COMMENTS, POST_ENGAGEMENT),
    "likes": (POST_ENGAGEMENT,),
    "saves": (POST_ENGAGEMENT,),
    "shares": (POST_ENGAGEMENT,),
}
# The transcoding worker is no projection: nothing stores how far it has come, so no wait goes through it.
# Telemetry leads to no read model at all.
_BLIND: Mapping[str, tuple[str, ...]] = {
    MEDIA_REQUESTED.name: (MEDIA_COMPLETED.name,),
    **{topic.name: () for topic in TOPICS if topic.kind == "telemetry"},
}

READ_MODELS: tuple[ReadModel, ...] = (
    *(
        ReadModel(p.name, tuple(topic.name for topic in p.topics), tuple(t.name for t in _EMITS.get(p.name, ())))
        for p in PROJECTIONS
    ),
    ReadModel("feed", (FEED_FANOUT.name, FEED_FANOUT_PRIORITY.name), in_timelines=True),
)


FURTHER_HOPS = 1
"""The posts job appends a publication to its own topic: one hop more, along the same chain, leads from a post's
creation to its fan-out."""


def positions_of(outputs: Mapping[tuple[str, int], int]) -> list[Position]:
    """The last records that a job is known to have appended."""
    return [Position(*place, next_offset - 1) for place, next_offset in outputs.items() if next_offset > 0]


class ReadModelMap:
    """Paths from topics to models.

    Args:
        models: all of them.
    """

    def __init__(self, models: Sequence[ReadModel] = READ_MODELS) -> None:
        self.models = {model.name: model for model in models}
        self.topics = frozenset(topic for model in models for topic in model.folds) | frozenset(_BLIND)

    def path(self, topic: str, model: str) -> Path | ReadModel:
        """How the topic leads to the model; a `ReadModel` stands for the one hop to go through."""
        wanted = self.models[model]
        if topic in wanted.folds:
            return Path.DIRECT
        folding = [between for between in self.models.values() if topic in between.folds]
        hops = [between for between in folding if set(between.emits) & set(wanted.folds)]
        if hops:
            return hops[0]
        return Path.FAR if set(wanted.folds) & self._reachable(topic) else Path.UNRELATED

    def concerns(self, topic: str, model: str) -> bool:
        """Whether what happens in a topic can change what a model shows."""
        return self.path(topic, model) is not Path.UNRELATED

    def _reachable(self, topic: str) -> set[str]:
        reached: set[str] = set()
        ahead = [topic]
        while ahead:
            here = ahead.pop()
            following: Iterable[str] = _BLIND.get(here, ())
            emitted = [t for model in self.models.values() if here in model.folds for t in model.emits]
            new = {*following, *emitted} - reached
            reached |= new
            ahead.extend(new)
        return reached
