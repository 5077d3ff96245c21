"""Cards as clients get them: their typed form, and the cached pieces that are stitched into their JSON.

A cached piece begins with what a rule must know of it, so that a hidden card costs a look and none is ever parsed.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from projections.posts import PostStatus
from schemas.events import MediaItem

_PRIVATE, _SUSPENDED, _DELETED = 1, 2, 4


Standing = Literal["active", "suspended", "deleted"]


class AccountCard(msgspec.Struct, frozen=True, kw_only=True):
    """An account as the author of something."""

    id: str
    username: str | None
    display_name: str | None
    verified: bool


class Photograph(msgspec.Struct, frozen=True, kw_only=True):
    """A photograph or a video of a post. Sizes in pixels; `variants` names the address of each file.

    `blurhash` is what to show until a file is there (blurha.sh), `duration_ms` how long a video lasts. All of it is
    there once the post is published.
    """

    id: str
    alt: str | None
    width: int | None = None
    height: int | None = None
    blurhash: str | None = None
    kind: Literal["photo", "video"] = "photo"
    duration_ms: int = 0
    variants: dict[str, str] = {}


def photograph_of(item: MediaItem, alt: str | None) -> Photograph:
    """A photograph or a video whose files are there."""
    return Photograph(
        id=str(item.media_id),
        alt=alt,
        width=item.width,
        height=item.height,
        blurhash=item.blurhash or None,
        kind=item.kind,
        duration_ms=item.duration_ms,
        variants={name: f"/v1/media/{item.media_id}/{name}" for name in item.variants},
    )


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a post was made, as its author says; degrees of WGS 84."""

    name: str
    latitude: float | None
    longitude: float | None


class PostBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a card shows of the post's own row. Instants in RFC 3339."""

    id: str
    status: PostStatus
    caption: str | None
    hashtags: list[str]
    mentions: list[str]
    photographs: list[Photograph]
    location: Place | None
    created_at: str
    published_at: str | None
    edited: bool


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are. `comments` includes replies; `saves` is for the post's author to see and null to others."""

    likes: int
    comments: int
    shares: int
    saves: int | None


class ViewerState(msgspec.Struct, frozen=True, kw_only=True):
    """What the viewer did with the post."""

    liked: bool
    saved: bool


class TopCommentBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a card shows of a comment's own rows. `created_at` in RFC 3339."""

    id: str
    text: str | None
    likes: int
    created_at: str


class TopComment(TopCommentBody, frozen=True, kw_only=True):
    """A comment on a card."""

    author: AccountCard


class PostCard(PostBody, frozen=True, kw_only=True):
    """A post as clients get it. `top_comments` are up to three: the most liked, among equals the newest."""

    author: AccountCard
    counts: Counts
    viewer: ViewerState
    top_comments: list[TopComment]


class CachedAccount(msgspec.Struct, frozen=True, gc=False):
    """An account's cached form, opened. `card` is the JSON of `AccountCard`."""

    account_id: int
    private: bool
    suspended: bool
    deleted: bool
    card: bytes


class CachedPost(msgspec.Struct, frozen=True, gc=False):
    """A post's cached form, opened. `body` is the JSON of `PostBody` without its braces."""

    status: PostStatus
    owner_id: int
    body: bytes


def format_account(private: bool, suspended: bool, deleted: bool, card: AccountCard) -> bytes:
    """An account's cached form."""
    flags = _PRIVATE * private | _SUSPENDED * suspended | _DELETED * deleted
    return b"%d%b" % (flags, msgspec.json.encode(card))


def parse_account(account_id: int, value: bytes) -> CachedAccount:
    """Open an account's cached form."""
    private, suspended, deleted = _FLAGS[value[:1]]
    return CachedAccount(account_id, private, suspended, deleted, value[1:])


def standing_of(value: bytes) -> Standing:
    """An account's standing by its cached form."""
    flags = int(value[:1])
    return "deleted" if flags & _DELETED else "suspended" if flags & _SUSPENDED else "active"


def format_post(owner_id: int, body: PostBody) -> bytes:
    """A post's cached form."""
    return b"%b%d\n%b" % (_LETTERS[body.status], owner_id, msgspec.json.encode(body)[1:-1])


def parse_post(value: bytes) -> CachedPost:
    """Open a post's cached form."""
    head, _, body = value.partition(b"\n")
    return CachedPost(_STATUSES[head[:1]], int(head[1:]), body)


class CachedCounts(msgspec.Struct, frozen=True, gc=False):
    """A post's counts, in decimal."""

    likes: bytes
    comments: bytes
    shares: bytes
    saves: bytes


def stitched(
    post: CachedPost,
    author: bytes,
    counts: CachedCounts,
    viewer_id: int | None,
    liked: bool,
    saved: bool,
    top_comments: Sequence[bytes],
) -> bytes:
    """The JSON of a `PostCard`.

    Args:
        post: the post.
        author: the author's card.
        counts: the post's counts.
        viewer_id: who looks; how often a post was saved is for its author alone.
        liked: whether the viewer likes it.
        saved: whether the viewer saved it.
        top_comments: the JSON of each.
    """
    return b'{%b,"author":%b,"counts":%b,"viewer":{"liked":%b,"saved":%b},"top_comments":[%b]}' % (
        post.body,
        author,
        b'{"likes":%b,"comments":%b,"shares":%b,"saves":%b}'
        % (counts.likes, counts.comments, counts.shares, counts.saves if viewer_id == post.owner_id else b"null"),
        b"true" if liked else b"false",
        b"true" if saved else b"false",
        b",".join(top_comments),
    )


_FLAGS = {
    b"%d" % flags: (bool(flags & _PRIVATE), bool(flags & _SUSPENDED), bool(flags & _DELETED))
    for flags in range(_PRIVATE + _SUSPENDED + _DELETED + 1)
}
_LETTERS: dict[PostStatus, bytes] = {"processing": b"c", "published": b"p", "rejected": b"r", "deleted": b"d"}
_STATUSES: dict[bytes, PostStatus] = {letter: status for status, letter in _LETTERS.items()}
