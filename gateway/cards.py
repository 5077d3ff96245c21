"""Hydration: posts by id become the JSON of their cards, for those that the viewer may see.

One round trip reads all that a page shows but the authors of its comments, one more what stands in for hidden posts,
and a last one these authors.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from gateway.card_reads import NO_FACTS, Facts, Values, nobody_asks, read_facts
from gateway.services import Services
from gateway.visibility import may_see_account, may_see_post
from projections.card_json import CachedAccount, CachedCounts, CachedPost, parse_post, stitched
from projections.cards import CARD
from projections.relations import NO_RELATION, Relation
from projections.top_comments import TOP_COMMENTS_MAX, CachedComment, parse_top, top_comment

Rule = Callable[[int | None, CachedPost, CachedAccount, Relation], bool]
"""Whether a viewer sees a post of an author, given what is between the two."""


class _SeenPost(msgspec.Struct, frozen=True):
    """A post that the viewer sees, and where among those that were asked for it stands."""

    place: int
    post_id: int
    post: CachedPost
    author: CachedAccount
    counts: CachedCounts
    candidates: Sequence[CachedComment]


async def hydrate(
    services: Services,
    viewer_id: int | None,
    shown: Sequence[tuple[int, int]],
    rule: Rule = may_see_post,
    away: Callable[[], None] = nobody_asks,
    cards_max: int | None = None,
) -> list[bytes | None]:
    """The cards of posts.

    Args:
        services: the gateway's.
        viewer_id: who looks; None for an anonymous viewer.
        shown: (post id, author id) of each post.
        rule: which of them the viewer sees.
        away: called where the cache did not answer, so that what it would have told came from rows.
        cards_max: how many cards to make at most; None for all.

    Returns:
        For each post the JSON of a `PostCard`, None where it is not to be shown and behind the last one made.
    """
    wanted = len(shown) if cards_max is None else cards_max
    facts, seen = NO_FACTS, list[_SeenPost]()
    # What lies behind the cards that are wanted is read only in place of hidden ones.
    for first, part in ((0, shown[:wanted]), (wanted, shown[wanted:])):
        if part and len(seen) < wanted:
            author_ids = dict.fromkeys([author_id for _, author_id in part])
            read = await read_facts(services, viewer_id, [post_id for post_id, _ in part], author_ids, away=away)
            seen += _seen(viewer_id, first, part, read, rule)
            facts = facts.with_more(read) if first else read
    seen = seen[:wanted]
    commenters = await _commenters(services, viewer_id, facts, seen, away)
    cards: list[bytes | None] = [None] * len(shown)
    for one in seen:
        field = str(one.post_id)
        comments = _comments(one.candidates, commenters)
        liked, saved = field in facts.liked, field in facts.saved
        cards[one.place] = stitched(one.post, one.author.card, one.counts, viewer_id, liked, saved, comments)
    return cards


async def visible_posts(services: Services, viewer_id: int | None, post_ids: Sequence[int]) -> dict[int, int]:
    """Of posts, those that are published and that the viewer may see, each with its author. Two round trips where the
    cache knows everything, however many posts there are."""
    read = await read_facts(services, viewer_id, post_ids, post_fields=(CARD,))
    posts = {
        post_id: parse_post(card)
        for post_id, (card,) in zip(post_ids, read.posts, strict=True)
        if isinstance(card, bytes)
    }
    facts = await read_facts(services, viewer_id, account_ids={post.owner_id for post in posts.values()})
    return {
        post_id: post.owner_id
        for post_id, post in posts.items()
        if post.status == "published"
        and may_see_post(
            viewer_id,
            post,
            facts.accounts.get(post.owner_id),
            facts.relations.get(post.owner_id, NO_RELATION),
        )
    }


def _seen(
    viewer_id: int | None, first: int, shown: Sequence[tuple[int, int]], facts: Facts, rule: Rule
) -> Iterable[_SeenPost]:
    for place, ((post_id, author_id), values) in enumerate(zip(shown, facts.posts, strict=True), first):
        author = facts.accounts.get(author_id)
        card, counts = values[0], _counts(values)
        if author is None or counts is None or not isinstance(card, bytes):
            continue
        post = parse_post(card)
        # The relation and the account are those of the author that was named: they say nothing of another's post.
        relation = facts.relations.get(author_id, NO_RELATION)
        if post.owner_id == author_id and rule(viewer_id, post, author, relation):
            top = values[-1]
            yield _SeenPost(place, post_id, post, author, counts, parse_top(top) if isinstance(top, bytes) else ())


def _counts(values: Values) -> CachedCounts | None:
    _, likes, comments, shares, saves, _ = values
    if (
        isinstance(likes, bytes)
        and isinstance(comments, bytes)
        and isinstance(shares, bytes)
        and isinstance(saves, bytes)
    ):
        return CachedCounts(likes, comments, shares, saves)
    return None


async def _commenters(
    services: Services, viewer_id: int | None, facts: Facts, seen: Sequence[_SeenPost], away: Callable[[], None]
) -> dict[int, CachedAccount]:
    """The authors of candidates whom the viewer may see."""
    wanted = dict.fromkeys(comment.author_id for one in seen for comment in one.candidates)
    unknown = [account_id for account_id in wanted if account_id not in facts.accounts]
    more = await read_facts(services, viewer_id, account_ids=unknown, away=away) if unknown else facts
    accounts, relations = facts.accounts | more.accounts, facts.relations | more.relations
    return {
        account_id: account
        for account_id in wanted
        if (account := accounts.get(account_id)) is not None
        and may_see_account(viewer_id, account, relations.get(account_id, NO_RELATION))
    }


def _comments(candidates: Sequence[CachedComment], commenters: dict[int, CachedAccount]) -> Sequence[bytes]:
    if not candidates:
        return ()
    visible = [(one, commenters[one.author_id]) for one in candidates if one.author_id in commenters]
    return [top_comment(one, author.card) for one, author in visible[:TOP_COMMENTS_MAX]]
