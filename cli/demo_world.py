"""The demo's small world as a plan: who there is, who follows whom, what they post and say."""

from dataclasses import dataclass
from typing import Literal

CELEBRITY = 0
PRIVATE_PERSON = 1
PhotoForm = Literal["jpeg", "png", "heic"]
Reply = Literal["approve", "deny", "leave"]


@dataclass(frozen=True, slots=True)
class Person:
    """One account. `index` is its place in the world; the celebrity is `CELEBRITY`."""

    index: int
    username: str
    display_name: str
    bio: str
    private: bool


@dataclass(frozen=True, slots=True)
class Photograph:
    """A picture to be made from one that ships with scikit-image.

    Args:
        source: the file's name there.
        crop: left, top, right and bottom as parts of the whole.
        long_side_px: the longer side of what is uploaded.
        form: how it is encoded.
    """

    source: str
    crop: tuple[float, float, float, float]
    long_side_px: int
    form: PhotoForm


@dataclass(frozen=True, slots=True)
class Place:
    """Where a post was made; degrees of WGS 84."""

    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class PlannedPost:
    """A post, with what its caption must be found to contain."""

    author: int
    photographs: tuple[Photograph, ...]
    alt_texts: tuple[str, ...]
    caption: str
    hashtags: tuple[str, ...]
    mentions: tuple[str, ...]
    place: Place | None


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is going to happen, in the order of the fields. People and posts are named by their index.

    Args:
        people: the accounts.
        follows: (follower, followee) of everyone but the private person.
        requests: who asks to follow the private person, and what becomes of it.
        early: posts of the time before anyone reads a feed.
        late: posts of the time after, whose way into the feeds is measured.
        likes: (person, post).
        comments: (person, post, text).
        replies: (person, comment, text), the comment by its index in `comments`.
        comment_likes: (person, comment), likewise.
        saves: (person, post).
        shares: (person, post), the same pair as often as they share.
        unfollows: (follower, followee).
        blocks: (blocker, blocked).
        mutes: (muter, muted).
        edits: (post, new caption, its hashtags).
        deleted: posts that their authors delete.
    """

    people: tuple[Person, ...]
    follows: tuple[tuple[int, int], ...]
    requests: tuple[tuple[int, Reply], ...]
    early: tuple[PlannedPost, ...]
    late: tuple[PlannedPost, ...]
    likes: tuple[tuple[int, int], ...]
    comments: tuple[tuple[int, int, str], ...]
    replies: tuple[tuple[int, int, str], ...]
    comment_likes: tuple[tuple[int, int], ...]
    saves: tuple[tuple[int, int], ...]
    shares: tuple[tuple[int, int], ...]
    unfollows: tuple[tuple[int, int], ...]
    blocks: tuple[tuple[int, int], ...]
    mutes: tuple[tuple[int, int], ...]
    edits: tuple[tuple[int, str, tuple[str, ...]], ...]
    deleted: tuple[int, ...]

    @property
    def posts(self) -> tuple[PlannedPost, ...]:
        """All posts; a post's index counts the early ones first."""
        return self.early + self.late
