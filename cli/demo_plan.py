"""Plans a world. Pure and seeded: the same numbers give the same world, so two runs can be compared."""

from collections.abc import Sequence
from random import Random
from unicodedata import normalize

from cli.demo_words import (
    CAPTIONS,
    COMMENTS,
    FAMILY_NAMES,
    GIVEN_NAMES,
    PLACES,
    SUBJECTS,
    SUBJECTS_BY_SOURCE,
    TAGS,
)
from cli.demo_world import CELEBRITY, PRIVATE_PERSON, Person, PhotoForm, Photograph, Place, PlannedPost, Reply, World

FORMS: tuple[PhotoForm, ...] = ("jpeg", "png", "heic")
FORM_WEIGHTS = (8, 2, 2)
LONG_SIDES_PX: dict[PhotoForm, tuple[int, ...]] = {"jpeg": (1_200, 1_600, 2_000), "png": (900, 1_200), "heic": (900,)}
LARGE_SOURCE = "hubble_deep_field.jpg"  # so full of detail that it takes more than one part of 5 MiB
POPULARITY_EXPONENT = 0.9  # Zipf-like, as in-degrees of social networks are
FOLLOWEES_MEAN = 7
PHOTOGRAPHS_PER_ACCOUNT = 0.3
POSTS_PER_CELEBRITY = 4
BLOCKS, MUTES = 2, 3


def plan_world(seed: int, accounts: int, celebrity_followers: int, edition: int = 1) -> World:
    """Plan a world.

    Args:
        seed: decides everything that looks like chance.
        accounts: how many people, at least 12.
        celebrity_followers: the celebrity gets more followers than this wherever there are enough people.
        edition: sets the user names of a world apart from those of an earlier one in the same data.
    """
    if accounts < 12:
        raise ValueError("a world has at least 12 people")
    people = _people(Random(f"{seed}/people"), accounts, "" if edition == 1 else f"_{edition}")
    requests = _requests(Random(f"{seed}/requests"), accounts)
    follows = _follows(Random(f"{seed}/follows"), accounts, celebrity_followers)
    posts = _posts(Random(f"{seed}/posts"), people)
    half = len(posts) // 2
    readers = _readers(follows, requests)
    comments = _comments(Random(f"{seed}/comments"), posts, readers)
    commented = [posts[number] for _, number, _ in comments]
    replies = _acts(Random(f"{seed}/replies"), commented, readers, 2)
    words = Random(f"{seed}/words")
    quarrels = _quarrels(Random(f"{seed}/quarrels"), follows, BLOCKS + MUTES)
    return World(
        people=people,
        follows=follows,
        requests=requests,
        early=posts[:half],
        late=posts[half:],
        likes=_acts(Random(f"{seed}/likes"), posts, readers, 12),
        comments=comments,
        replies=tuple((person, comment, words.choice(COMMENTS)) for person, comment in replies),
        comment_likes=_acts(Random(f"{seed}/comment-likes"), commented, readers, 4),
        saves=_acts(Random(f"{seed}/saves"), posts, readers, 3),
        shares=_acts(Random(f"{seed}/shares"), posts, readers, 2) * 2,
        unfollows=tuple(Random(f"{seed}/unfollows").sample(follows, max(2, len(follows) // 25))),
        blocks=quarrels[:BLOCKS],
        mutes=quarrels[BLOCKS:],
        edits=((0, "Second thoughts. #edited", ("edited",)), (half, "Now with #two #tags", ("two", "tags"))),
        deleted=tuple(Random(f"{seed}/deleted").sample(range(1, half), max(1, len(posts) // 20))),
    )


def _people(random: Random, accounts: int, ending: str) -> tuple[Person, ...]:
    names = [f"{given} {family}" for given in GIVEN_NAMES for family in FAMILY_NAMES]
    chosen = [names[place % len(names)] for place in random.sample(range(max(accounts, len(names))), accounts)]
    people = []
    for index, name in enumerate(chosen):
        given, family = name.lower().split(" ")
        bio = f"{random.choice(PLACES)[0]}. Mostly {random.choice(SUBJECTS)}."
        people.append(Person(index, f"{given}_{family[:4]}{index}{ending}", name, bio, index == PRIVATE_PERSON))
    return tuple(people)


def _follows(random: Random, accounts: int, celebrity_followers: int) -> tuple[tuple[int, int], ...]:
    others = [index for index in range(accounts) if index != PRIVATE_PERSON]
    weights = [1 / (index + 1) ** POPULARITY_EXPONENT for index in others]
    fans = min(accounts - 2, max(celebrity_followers + celebrity_followers // 4 + 1, accounts // 2))
    edges = {(fan, CELEBRITY) for fan in random.sample([index for index in others if index != CELEBRITY], fans)}
    for follower in range(accounts):
        wanted = min(len(others), 1 + int(random.expovariate(1 / FOLLOWEES_MEAN)))
        edges |= {(follower, followee) for followee in random.choices(others, weights, k=wanted)}
    ordered = sorted((follower, followee) for follower, followee in edges if follower != followee)
    random.shuffle(ordered)
    return tuple(ordered)


def _requests(random: Random, accounts: int) -> tuple[tuple[int, Reply], ...]:
    asking = random.sample([index for index in range(accounts) if index != PRIVATE_PERSON], min(9, accounts // 2))
    answers: tuple[Reply, ...] = ("approve", "deny", "leave")
    return tuple((asker, answers[place % 3]) for place, asker in enumerate(asking))


def _posts(random: Random, people: tuple[Person, ...]) -> tuple[PlannedPost, ...]:
    photographs = max(8, int(len(people) * PHOTOGRAPHS_PER_ACCOUNT))
    authors = [CELEBRITY] * POSTS_PER_CELEBRITY + [PRIVATE_PERSON] * 2
    made = 0
    posts: list[PlannedPost] = []
    while made < photographs:
        count = random.choice((1, 1, 1, 2, 3))
        author = authors[len(posts)] if len(posts) < len(authors) else random.randrange(len(people))
        posts.append(_post(random, people, author, count, large=made == 0))
        made += len(posts[-1].photographs)
    random.shuffle(posts)
    return tuple(posts)


def _post(random: Random, people: tuple[Person, ...], author: int, count: int, large: bool) -> PlannedPost:
    sources = [LARGE_SOURCE] if large else random.sample(sorted(SUBJECTS_BY_SOURCE), count)
    subject = SUBJECTS_BY_SOURCE[sources[0]]
    tags = random.sample(TAGS, random.choice((0, 1, 2, 3)))
    friends = random.sample([person.username for person in people if person.index != author], random.choice((0, 0, 1)))
    words = random.choice(CAPTIONS).format(subject=subject)
    caption = " ".join([words, *(f"#{tag}" for tag in tags), *(f"@{friend}" for friend in friends)])
    return PlannedPost(
        author=author,
        photographs=tuple(_photograph(random, source, large) for source in sources),
        alt_texts=tuple(f"A photograph of {SUBJECTS_BY_SOURCE[source]}." for source in sources),
        caption=caption,
        hashtags=tuple(normalize("NFC", tag.casefold()) for tag in tags),
        mentions=tuple(friends),
        place=Place(*random.choice(PLACES)) if random.random() < 0.4 else None,
    )


def _photograph(random: Random, source: str, large: bool) -> Photograph:
    left, top = random.uniform(0, 0.2), random.uniform(0, 0.2)
    crop = (left, top, random.uniform(0.8, 1), random.uniform(0.8, 1))
    if large:
        return Photograph(source, crop, 2_800, "png")
    form = random.choices(FORMS, FORM_WEIGHTS)[0]
    return Photograph(source, crop, random.choice(LONG_SIDES_PX[form]), form)


def _readers(follows: tuple[tuple[int, int], ...], requests: tuple[tuple[int, str], ...]) -> dict[int, list[int]]:
    """Who sees each author's posts in their feed."""
    readers: dict[int, list[int]] = {}
    for follower, followee in follows:
        readers.setdefault(followee, []).append(follower)
    readers[PRIVATE_PERSON] = [asker for asker, answer in requests if answer == "approve"]
    return readers


def _acts(
    random: Random, posts: Sequence[PlannedPost], readers: dict[int, list[int]], most: int
) -> tuple[tuple[int, int], ...]:
    """What up to so many of those who see each post do with it or, where posts are those of comments, with these."""
    found = []
    for number, post in enumerate(posts):
        fans = readers.get(post.author, [])
        found += [(fan, number) for fan in random.sample(fans, min(len(fans), random.randint(0, most)))]
    random.shuffle(found)
    return tuple(found)


def _comments(
    random: Random, posts: tuple[PlannedPost, ...], readers: dict[int, list[int]]
) -> tuple[tuple[int, int, str], ...]:
    found = []
    for number, post in enumerate(posts):
        fans = readers.get(post.author, [])
        speakers = random.sample(fans, min(len(fans), random.randint(0, 3)))
        found += [(speaker, number, random.choice(COMMENTS)) for speaker in speakers]
    random.shuffle(found)
    return tuple(found)


def _quarrels(random: Random, follows: tuple[tuple[int, int], ...], count: int) -> tuple[tuple[int, int], ...]:
    """Some (follower, followee) of ordinary people, each pair once: what parts them takes posts out of a feed."""
    pairs = {tuple(sorted(edge)): edge for edge in follows if CELEBRITY not in edge}
    return tuple(random.sample(list(pairs.values()), min(count, len(pairs))))
