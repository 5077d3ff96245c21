"""Every question of the cookbook, asked of a small world whose answers anybody can count."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from infra.local.home import REPOSITORY
from schemas import events as e
from tests.unit.analytics.asking_world import AskingWorld, holder

PAGE = REPOSITORY / "docs/ANALYTICS.md"
RECIPES = dict(
    re.findall(r"### ([^\n]+)\n[^#]*?```sql\n(.*?)```", PAGE.read_text().partition("## Cookbook")[2], re.DOTALL)
)
SUNDAY, MONDAY, TUESDAY, NEXT_SUNDAY = (date(2026, 11, day) for day in (22, 23, 24, 29))


async def town() -> AskingWorld:
    """Ada, Bob, Cem and Dan on two days, and what there is of them a week later; part of it is exported.

    Eve is private and Fay is erased: whatever they did, it is in no answer.
    """
    world = AskingWorld()
    world.at("2026-11-22T08:00:00")
    await world.signs_up("ada", "bob", "eve", "fay")
    ada, bob, eve, fay = (world.people[name] for name in ("ada", "bob", "eve", "fay"))
    world.at("2026-11-22T09:00:00")
    sea = await world.post(ada, ("sea", "sky"))  # created a second before it is published
    world.at("2026-11-22T09:00:31")
    await world.likes("bob", sea)  # 30 s after the post
    world.at("2026-11-22T09:30:00")
    first = await world.comment(sea, bob)
    for author in (ada, bob, eve):
        await world.comment(sea, author, parent_id=first)
    await world.follows("bob", "ada")
    await world.likes("eve", sea)
    await world.follows("fay", "ada")
    await world.export()

    world.at("2026-11-23T10:00:00")
    await world.signs_up("cem", "dan")
    world.at("2026-11-23T10:30:00")
    sky = await world.post(bob, ("sky",))
    sun = await world.post(ada, ("sky", "sun"))
    hers = await world.post(eve, ("sky",))
    world.at("2026-11-23T10:31:31")
    await world.likes("cem", sky)  # 90 s after the post
    await world.likes("cem", sea)
    await world.likes("dan", sea)
    await world.likes("fay", sky)
    await world.follows("cem", "ada")
    await world.follows("dan", "ada")
    await world.follows("dan", "bob")
    world.at("2026-11-23T12:00:00")
    await world.comment(sky, world.people["cem"])  # more than an hour after the post
    await world.comment(hers, bob)
    await world.export()

    world.at("2026-11-24T10:00:00")
    await world.happen(
        e.PostUnliked(actor_id=world.people["dan"], post_id=sea),
        e.FollowDeleted(follower_id=world.people["dan"], followee_id=bob),
        e.FollowDeleted(follower_id=world.people["dan"], followee_id=ada),
    )
    await world.follows("dan", "ada")
    world.at("2026-11-29T10:00:00")
    await world.likes("ada", sky)
    await world.likes("bob", sun)
    await world.happen(e.PrivacyChanged(account_id=eve, private=True), e.AccountDeleted(account_id=fay))
    return world


ANSWERS: Mapping[str, list[tuple[Any, ...]]] = {
    # Sunday: Ada and Bob. Monday: both and Cem; Dan's likes and follows of that day were taken back. Tuesday: Dan.
    "Daily active accounts": [(SUNDAY, 2), (MONDAY, 3), (TUESDAY, 1), (NEXT_SUNDAY, 2)],
    # Ada and Bob came back on Monday and on the next Sunday; of Cem and Dan, Dan came back on Tuesday.
    "Retention by sign-up day": [(SUNDAY, 2, 1.0, 1.0), (MONDAY, 2, 0.5, 0.0)],
    "Top hashtags of a day": [("sky", 2), ("sun", 1)],
    "When people post": [(9, 1, 0.333), (10, 2, 0.667)],
    # Bob and Ada (followed within the hour), Cem and Bob, Cem and Ada (at once), Ada and Bob.
    "From a like to a follow": [(4, 2, 0.5)],
    # 30 s, 90 s, and six days less some half an hour.
    "Time to the first like": [(90.0, 0)],
    "The day's fastest growers": [("ada", 1, 1)],
    # That of Bob on the sea; Cem's came later, and the sun has none.
    "Posts with a comment within an hour": [(3, 1, 0.333)],
    "What is taken back": [(TUESDAY, "follow", 1, 2), (TUESDAY, "like", 0, 1)],
    # Three on the sea, two of them replies, and one on the sky.
    "How deep comments go": [(2, 4, 2, 2, 0.5)],
}


def test_there_are_ten_questions_and_each_has_its_answer() -> None:
    assert len(RECIPES) >= 10
    assert sorted(RECIPES) == sorted(ANSWERS)


@pytest.fixture(scope="module")
async def asked() -> AskingWorld:
    return await town()


@pytest.mark.parametrize("question", ANSWERS)
async def test_the_cookbooks_answers_are_right(asked: AskingWorld, question: str) -> None:
    audience = holder("kitchen")
    names = {audience.pseudonyms.of("account", number): name for name, number in asked.people.items()}
    rows = await asked.told(RECIPES[question], audience=audience)
    assert [tuple(names.get(cell, cell) for cell in row) for row in rows] == ANSWERS[question]
