"""Who may see what: the one place that decides, for every surface.

The rules:
- What may not be seen is answered as what does not exist. Only a list of an account that may be seen itself is refused
  as private.
- You see yourself always. A suspended account, and all it made, is there for nobody else; a deleted one for nobody.
- A block, whoever of the two made it, hides each from the other.
- A private account shows its name and counts to everyone; its posts, and the lists of who it follows and who follows
  it, to itself and to its active followers.
- A post is its author's alone until it is published, and nobody's once it is deleted. The account's privacy *now*
  decides, not that of the day of the post. Who asks for a post of their own that an operator took down is told so, and
  why; to everyone else it is not there.
- Nobody needs to be signed in to see public accounts and their posts, as a shared link should open. The lists of
  followers and followees need an account, because they are what gets harvested.
- A comment is there for whom its post and its author are; a reply, for whom the comment that it hangs under is, too.
- A story is its owner's alone until it is published, and again once its day is over. Meanwhile it is there for those
  with an account who may see its owner's posts; one for close friends, for those on the owner's list. A deleted one is
  nobody's; its owner is told where an operator took it down, and why.
- Replies and reactions to a story are there for its owner alone.
- A highlight is there for whom its owner's posts are, with an account, and one of its stories at least; in it a story
  stays when its day is over, one for close friends for those on the owner's list now.
- A mute hides nothing here: it only takes an account out of the muter's feed.

The rules are pure; the loaders below them read the rows exactly, so that a block holds on the next request.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from photolog.errors import Forbidden, Gone, NotFound
from projections.accounts import ACCOUNTS, AccountRow
from projections.comments import COMMENTS, CommentRow
from projections.graph import PairRow
from projections.highlights import HIGHLIGHTS, HighlightRow
from projections.posts import POSTS, PostRow, PostStatus
from projections.relations import NO_RELATION, Relation, pair_with, relation_of
from projections.stores.port import RowStore
from projections.stories import STORIES, StoryRow, StoryStatus
from projections.tables import Row, RowKey
from projections.writes import Kept
from schemas.events import StoryAudience


class AccountFacts(Protocol):
    """What the rules ask of an account: its row, or its cached card."""

    @property
    def account_id(self) -> int: ...
    @property
    def private(self) -> bool: ...
    @property
    def suspended(self) -> bool: ...
    @property
    def deleted(self) -> bool: ...


class PostFacts(Protocol):
    """What the rules ask of a post: its row, or its cached card."""

    @property
    def owner_id(self) -> int: ...
    @property
    def status(self) -> PostStatus: ...


class StoryFacts(Protocol):
    """What the rules ask of a story: its row, or its cached form."""

    @property
    def owner_id(self) -> int: ...
    @property
    def status(self) -> StoryStatus: ...
    @property
    def audience(self) -> StoryAudience: ...
    def is_live(self, now_ms: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """An account that the viewer may see, with what is between the two."""

    account: AccountRow
    relation: Relation
    viewer_id: int | None

    @property
    def own(self) -> bool:
        """Whether the viewer looks at themself."""
        return self.viewer_id == self.account.account_id


@dataclass(frozen=True, slots=True)
class SeenPost:
    """A post that the viewer may see, with its author."""

    post: PostRow
    author: Seen


def nothing_here() -> NotFound:
    """The answer to whatever is not there, or may not be known to be there."""
    return NotFound("not-found", "there is nothing here")


def may_see_account(viewer_id: int | None, account: AccountFacts | None, relation: Relation) -> bool:
    """Whether an account exists for the viewer: its name, its profile, its counts."""
    if account is None or account.deleted:
        return False
    if account.account_id == viewer_id:
        return True
    return not (account.suspended or relation.blocks or relation.blocked_by)


def may_see_posts_of(viewer_id: int | None, account: AccountFacts | None, relation: Relation) -> bool:
    """Whether the published posts of an account are open to the viewer."""
    if account is None or not may_see_account(viewer_id, account, relation):
        return False
    return account.account_id == viewer_id or not account.private or relation.follows == "active"


def may_see_lists_of(viewer_id: int | None, account: AccountFacts | None, relation: Relation) -> bool:
    """Whether an account's followers and followees are open to the viewer."""
    return viewer_id is not None and may_see_posts_of(viewer_id, account, relation)


def may_see_post(
    viewer_id: int | None, post: PostFacts | None, author: AccountFacts | None, relation: Relation
) -> bool:
    """Whether a post is there for the viewer."""
    if post is None or post.status == "deleted":
        return False
    if post.owner_id == viewer_id:
        return True
    return post.status == "published" and may_see_posts_of(viewer_id, author, relation)


def may_see_story(
    viewer_id: int | None,
    story: StoryFacts | None,
    owner: AccountFacts | None,
    relation: Relation,
    close_friend: bool,
    now_ms: int,
) -> bool:
    """Whether a story is there for the viewer.

    Args:
        viewer_id: who looks; None for an anonymous viewer.
        story: the story.
        owner: whose it is.
        relation: of the viewer to them.
        close_friend: whether the viewer is on the owner's list.
        now_ms: Unix milliseconds.
    """
    if viewer_id is None or story is None or story.status == "deleted":
        return False
    if story.owner_id == viewer_id:
        return owner is not None and not owner.deleted
    if not story.is_live(now_ms) or not may_see_posts_of(viewer_id, owner, relation):
        return False
    return story.audience == "everyone" or close_friend


def may_see_kept_story(viewer_id: int, story: StoryFacts | None, close_friend: bool) -> bool:
    """Whether a story is there in a highlight, for somebody who may see its owner's posts. `close_friend` as above."""
    if story is None or story.status != "published":
        return False
    return story.owner_id == viewer_id or story.audience == "everyone" or close_friend


async def look_at(rows: RowStore, viewer_id: int | None, account_ids: Iterable[int]) -> dict[int, Seen]:
    """The accounts among these that are there, whether or not the viewer may see them. One concurrent read."""
    wanted = list(dict.fromkeys(account_ids))
    keys: list[RowKey[Row]] = [ACCOUNTS.key(account_id) for account_id in wanted]
    if viewer_id is not None:
        keys += [pair_with(viewer_id, account_id) for account_id in wanted if account_id != viewer_id]
    held = await rows.load(keys)
    found = {}
    for account_id in wanted:
        account = cast(AccountRow | None, held[ACCOUNTS.key(account_id)].row)
        if account is not None and not account.deleted:
            found[account_id] = Seen(account, _relation(held, viewer_id, account_id), viewer_id)
    return found


async def visible_accounts(rows: RowStore, viewer_id: int | None, account_ids: Iterable[int]) -> dict[int, Seen]:
    """The accounts among these that the viewer may see."""
    found = await look_at(rows, viewer_id, account_ids)
    return {
        account_id: seen
        for account_id, seen in found.items()
        if may_see_account(viewer_id, seen.account, seen.relation)
    }


async def see_account(rows: RowStore, viewer_id: int | None, account_id: int) -> Seen:
    """An account that the viewer may see. Raises NotFound for any other."""
    seen = (await visible_accounts(rows, viewer_id, [account_id])).get(account_id)
    if seen is None:
        raise nothing_here()
    return seen


async def see_posts_of(rows: RowStore, viewer_id: int | None, account_id: int) -> Seen:
    """An account whose posts the viewer may see. Raises NotFound for one that is not there, Forbidden for a private
    one."""
    seen = await see_account(rows, viewer_id, account_id)
    if not may_see_posts_of(viewer_id, seen.account, seen.relation):
        raise _private()
    return seen


async def see_lists_of(rows: RowStore, viewer_id: int | None, account_id: int) -> Seen:
    """An account whose followers and followees the viewer may see. Raises as `see_posts_of`."""
    seen = await see_account(rows, viewer_id, account_id)
    if not may_see_lists_of(viewer_id, seen.account, seen.relation):
        raise _private()
    return seen


async def see_post(rows: RowStore, viewer_id: int | None, post_id: int) -> SeenPost:
    """A post that the viewer may see. Raises NotFound for any other."""
    post = await rows.get(POSTS.key(post_id))
    if post is None:
        await look_at(rows, viewer_id, [post_id])  # nobody's: a hidden post takes as many round trips
        raise nothing_here()
    author = (await look_at(rows, viewer_id, [post.owner_id])).get(post.owner_id)
    if author is None or not may_see_post(viewer_id, post, author.account, author.relation):
        raise nothing_here()
    return SeenPost(post, author)


async def look_for_post(rows: RowStore, viewer_id: int | None, post_id: int) -> SeenPost:
    """A post as whoever asks for itself gets it. Raises as `see_post`, but Gone for one of the viewer's own that an
    operator took down."""
    try:
        return await see_post(rows, viewer_id, post_id)
    except NotFound:
        post = await rows.get(POSTS.key(post_id)) if viewer_id is not None else None
        if post is not None and post.owner_id == viewer_id and post.is_taken_down:
            raise Gone("post-taken-down", f"this post was taken down: {post.rule}") from None
        raise


async def see_comment(rows: RowStore, viewer_id: int | None, post_id: int, comment_id: int) -> CommentRow:
    """A comment or a reply that the viewer may see. Raises NotFound for any other."""
    await see_post(rows, viewer_id, post_id)
    comment = await rows.get(COMMENTS.key(post_id, comment_id))
    if comment is None:
        raise nothing_here()
    thread = [comment]
    if comment.parent_id is not None:
        parent = await rows.get(COMMENTS.key(post_id, comment.parent_id))
        if parent is None:
            raise nothing_here()
        thread.append(parent)
    authors = {one.author_id for one in thread}
    if (await visible_accounts(rows, viewer_id, authors)).keys() != authors:
        raise nothing_here()
    return comment


async def own_post(rows: RowStore, viewer_id: int, post_id: int) -> PostRow:
    """A post of the viewer's own. Raises NotFound for one that they may not see, Forbidden for one that they may.

    The owner decides alone: their row need not be read.
    """
    post = await rows.get(POSTS.key(post_id))
    if post is not None and post.owner_id == viewer_id and post.status != "deleted":
        return post
    await see_post(rows, viewer_id, post_id)
    raise Forbidden("not-yours", "only its author may do this to a post")


async def own_story(rows: RowStore, viewer_id: int, story_id: int) -> StoryRow:
    """A story of the viewer's own. Raises NotFound for any other, seen or not: what is asked for under it is there for
    its owner alone."""
    story = await rows.get(STORIES.key(story_id))
    if story is None or story.owner_id != viewer_id or story.status == "deleted":
        raise nothing_here()
    return story


async def absent_story(rows: RowStore, viewer_id: int, story_id: int) -> NotFound | Gone:
    """What whoever asks for a story that they may not see is told: Gone for one of the viewer's own that an operator
    took down, else NotFound."""
    story = await rows.get(STORIES.key(story_id))
    if story is not None and story.owner_id == viewer_id and story.is_taken_down:
        return Gone("story-taken-down", f"this story was taken down: {story.rule}")
    return nothing_here()


async def own_highlight(rows: RowStore, viewer_id: int, highlight_id: int) -> HighlightRow:
    """A highlight of the viewer's own. Raises NotFound for any other, seen or not."""
    highlight = await rows.get(HIGHLIGHTS.key(highlight_id))
    if highlight is None or highlight.owner_id != viewer_id:
        raise nothing_here()
    return highlight


async def see_highlight(rows: RowStore, viewer_id: int, highlight_id: int) -> HighlightRow:
    """A highlight of somebody whose posts the viewer may see; its stories are for the caller to judge. Raises NotFound
    for any other."""
    highlight = await rows.get(HIGHLIGHTS.key(highlight_id))
    owner_id = highlight.owner_id if highlight else highlight_id  # a hidden one takes as many round trips
    owner = (await look_at(rows, viewer_id, [owner_id])).get(owner_id)
    if highlight is None or owner is None or not may_see_posts_of(viewer_id, owner.account, owner.relation):
        raise nothing_here()
    return highlight


def _private() -> Forbidden:
    return Forbidden("private-account", "this account shows its posts and lists to its followers only")


def _relation(held: Mapping[RowKey[Row], Kept], viewer_id: int | None, account_id: int) -> Relation:
    if viewer_id is None or viewer_id == account_id:
        return NO_RELATION
    return relation_of(viewer_id, cast(PairRow | None, held[pair_with(viewer_id, account_id)].row))
