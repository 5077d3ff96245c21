"""What people of the town may think of doing next, and who they are."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schemas import events as e
from tests.integration.fault_log import Deed

RECENT_POSTS = 40


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody of the town.

    Args:
        account_id: their account.
        token: of a session that outlives the tests.
        media_id: their one photograph, which all their posts show.
    """

    account_id: int
    token: str
    media_id: int


@dataclass(frozen=True, slots=True)
class Wish:
    """A command, and the deed that it is to become.

    Args:
        who: sends it.
        method: of the request.
        path: of the request.
        kind: the event's class.
        ids: the deed's fields that are known already.
        named: the member of the answer that names the last one, where the command makes something.
        body: the request's JSON.
    """

    who: Resident
    method: str
    path: str
    kind: type[e.Event]
    ids: tuple[int, ...]
    named: str | None = None
    body: object = None


class Ideas:
    """Gives wishes by chance, from what there is.

    Args:
        residents: all people, the eldest first.
    """

    def __init__(self, residents: Sequence[Resident]) -> None:
        self.posts: dict[int, int] = {}
        self._residents = residents
        self._comments: dict[int, list[tuple[int, int]]] = {who.account_id: [] for who in residents}

    def next(self, who: Resident, chance: random.Random) -> Wish | None:
        """What somebody wants; None is to look at their feed."""
        (plan,) = chance.choices(tuple(_PLANS), tuple(_PLANS.values()))
        return plan(self, who, chance)

    def happened(self, deed: Deed) -> None:
        """Let everybody know what somebody made."""
        match deed:
            case (e.PostCreated, (owner_id, post_id)):
                self.posts[post_id] = owner_id
            case (e.CommentCreated, (author_id, post_id, comment_id)):
                self._comments[author_id].append((post_id, comment_id))

    def _likes(self, who: Resident, chance: random.Random) -> Wish | None:
        if not self.posts:
            return None
        post_id = chance.choice(list(self.posts)[-RECENT_POSTS:])
        if chance.random() < 0.7:
            return liking(who, post_id)
        return Wish(who, "DELETE", f"/v1/posts/{post_id}/like", e.PostUnliked, (who.account_id, post_id))

    def _comments_on(self, who: Resident, chance: random.Random) -> Wish | None:
        own = self._comments[who.account_id]
        if own and chance.random() < 0.3:
            post_id, comment_id = own.pop(chance.randrange(len(own)))
            path = f"/v1/posts/{post_id}/comments/{comment_id}"
            return Wish(who, "DELETE", path, e.CommentDeleted, (who.account_id, post_id, comment_id))
        if not self.posts:
            return None
        post_id = chance.choice(list(self.posts)[-RECENT_POSTS:])
        ids, body = (who.account_id, post_id), {"text": f"number {chance.random()}"}
        return Wish(who, "POST", f"/v1/posts/{post_id}/comments", e.CommentCreated, ids, "comment_id", body)

    def _meets(self, who: Resident, chance: random.Random) -> Wish | None:
        """Either of two people does something to the other; it is the lane of the elder."""
        younger = [one for one in self._residents if one.account_id > who.account_id]
        if not younger:
            return self._likes(who, chance)
        other = chance.choice(younger)
        one, two = chance.sample([who, other], 2)
        verb, kind = chance.choices(_MEETINGS, (12, 4, 1, 3))[0]
        action, noun = verb.split()
        return Wish(one, action, f"/v1/accounts/{two.account_id}/{noun}", kind, (one.account_id, two.account_id))

    def _posts_or_deletes(self, who: Resident, chance: random.Random) -> Wish:
        own = [post_id for post_id, owner_id in self.posts.items() if owner_id == who.account_id]
        if len(own) > 3 and chance.random() < 0.25:
            post_id = chance.choice(own)
            del self.posts[post_id]
            return Wish(who, "DELETE", f"/v1/posts/{post_id}", e.PostDeleted, (who.account_id, post_id))
        return posting(who)

    def _looks(self, who: Resident, chance: random.Random) -> None:
        return None


_MEETINGS: tuple[tuple[str, type[e.Event]], ...] = (
    ("PUT follow", e.FollowCreated),
    ("DELETE follow", e.FollowDeleted),
    ("PUT block", e.AccountBlocked),
    ("DELETE block", e.AccountUnblocked),
)
_PLANS: dict[Callable[[Ideas, Resident, random.Random], Wish | None], int] = {
    Ideas._likes: 40,
    Ideas._comments_on: 20,
    Ideas._meets: 25,
    Ideas._posts_or_deletes: 8,
    Ideas._looks: 15,
}


def posting(who: Resident) -> Wish:
    """A post of somebody's photograph."""
    body = {"media_ids": [str(who.media_id)], "caption": "a view"}
    return Wish(who, "POST", "/v1/posts", e.PostCreated, (who.account_id,), "post_id", body)


def liking(who: Resident, post_id: int) -> Wish:
    """A like of a post."""
    return Wish(who, "PUT", f"/v1/posts/{post_id}/like", e.PostLiked, (who.account_id, post_id))
