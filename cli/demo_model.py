"""What the demo's world must look like in the end, worked out by sets and sorting, with nothing of photolog's own."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cli.demo_world import PRIVATE_PERSON, World


@dataclass(slots=True)
class NaiveWorld:
    """The truth about a world. People and posts are named by their index in the plan."""

    follows: set[tuple[int, int]] = field(default_factory=set)
    requests: set[int] = field(default_factory=set)
    blocks: set[tuple[int, int]] = field(default_factory=set)
    mutes: set[tuple[int, int]] = field(default_factory=set)
    author: dict[int, int] = field(default_factory=dict)
    likes: set[tuple[int, int]] = field(default_factory=set)
    comments: Counter[int] = field(default_factory=Counter)
    comment_likes: Counter[int] = field(default_factory=Counter)
    saves: set[tuple[int, int]] = field(default_factory=set)
    shares: Counter[int] = field(default_factory=Counter)

    def feed_posts(self, reader: int) -> set[int]:
        """The posts of the feed of a person, in no order."""
        return {post for post, author in self.author.items() if self._shows(reader, author)}

    def feed(self, reader: int, place: Mapping[int, tuple[int, int]]) -> list[int]:
        """The feed of a person, newest first.

        Args:
            reader: whose.
            place: for each post when it was published, Unix ms, and its id.
        """
        return sorted(self.feed_posts(reader), key=lambda post: place[post], reverse=True)

    def followers(self, person: int) -> set[int]:
        """Who follows a person."""
        return {follower for follower, followee in self.follows if followee == person}

    def following(self, person: int) -> set[int]:
        """Whom a person follows."""
        return {followee for follower, followee in self.follows if follower == person}

    def like_count(self, post: int) -> int:
        """How many like a post."""
        return sum(liked == post for _, liked in self.likes)

    def save_count(self, post: int) -> int:
        """How many saved a post."""
        return sum(saved == post for _, saved in self.saves)

    def saved(self, person: int) -> set[int]:
        """The posts that a person saved and may still see."""
        return {post for who, post in self.saves if who == person and self._sees(person, self.author[post])}

    def apart(self, one: int, other: int) -> bool:
        """Whether one of two people blocks the other."""
        return bool({(one, other), (other, one)} & self.blocks)

    def _sees(self, viewer: int, author: int) -> bool:
        if viewer == author:
            return True
        return not self.apart(viewer, author) and (author != PRIVATE_PERSON or (viewer, author) in self.follows)

    def _shows(self, reader: int, author: int) -> bool:
        if reader == author:
            return True
        return (reader, author) in self.follows and (reader, author) not in self.mutes


def truth_of(world: World) -> NaiveWorld:
    """What is so after everything in the plan happened."""
    truth = NaiveWorld(follows=set(world.follows))
    truth.follows |= {(asker, PRIVATE_PERSON) for asker, answer in world.requests if answer == "approve"}
    truth.requests = {asker for asker, answer in world.requests if answer == "leave"}
    truth.follows -= set(world.unfollows)
    for blocker, blocked in world.blocks:
        truth.blocks.add((blocker, blocked))
        truth.follows -= {(blocker, blocked), (blocked, blocker)}
    truth.mutes = set(world.mutes)
    kept: Iterable[int] = set(range(len(world.posts))) - set(world.deleted)
    truth.author = {post: world.posts[post].author for post in kept}
    truth.likes = {(person, post) for person, post in world.likes if post in truth.author}
    answered = [world.comments[comment][1] for _, comment, _ in world.replies]
    commented = [post for _, post, _ in world.comments]
    truth.comments = Counter(post for post in commented + answered if post in truth.author)
    truth.comment_likes = Counter(comment for _, comment in world.comment_likes)
    truth.saves = {(person, post) for person, post in world.saves if post in truth.author}
    truth.shares = Counter(post for _, post in world.shares if post in truth.author)
    return truth
