"""The demo's plan, and the naive truth that follows from it."""

import io
from collections import Counter

import pillow_heif
import pytest
from PIL import Image, ImageOps

from cli.demo_model import NaiveWorld, truth_of
from cli.demo_photos import render, shown_size
from cli.demo_plan import plan_world
from cli.demo_words import SUBJECTS_BY_SOURCE, TAGS
from cli.demo_world import CELEBRITY, PRIVATE_PERSON, PhotoForm, Photograph
from photolog.text import USERNAME_FORM, read_caption

SEEDS = range(5)


def test_the_same_seed_is_the_same_world_and_another_is_another() -> None:
    assert plan_world(7, 60, 20) == plan_world(7, 60, 20)
    assert plan_world(7, 60, 20) != plan_world(8, 60, 20)


def test_another_edition_differs_in_names_alone() -> None:
    first, second = plan_world(7, 40, 20), plan_world(7, 40, 20, edition=2)
    assert not {one.username for one in first.people} & {one.username for one in second.people}
    assert (first.follows, first.likes, first.blocks) == (second.follows, second.likes, second.blocks)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("accounts", "threshold"), [(12, 3), (60, 20), (300, 100)])
def test_a_world_has_all_that_it_is_meant_to_show(seed: int, accounts: int, threshold: int) -> None:
    world = plan_world(seed, accounts, threshold)
    assert len({person.username for person in world.people}) == accounts
    assert all(USERNAME_FORM.fullmatch(person.username) for person in world.people)
    fans = Counter(followee for _, followee in world.follows)
    assert fans[CELEBRITY] > threshold
    assert fans.most_common(1)[0][0] == CELEBRITY
    assert PRIVATE_PERSON not in fans
    assert all(follower != followee for follower, followee in world.follows)
    assert len(set(world.follows)) == len(world.follows)
    assert any(post.author == PRIVATE_PERSON for post in world.posts)
    assert {answer for _, answer in world.requests} == {"approve", "deny", "leave"}
    assert world.early
    assert world.late
    assert world.unfollows
    assert world.blocks
    assert world.deleted
    assert not {edit[0] for edit in world.edits} & set(world.deleted)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_caption_names_is_what_the_plan_says(seed: int) -> None:
    for post in plan_world(seed, 80, 20).posts:
        read = read_caption(post.caption)
        assert (read.hashtags, read.mentions) == (post.hashtags, post.mentions)


def test_only_those_who_see_a_post_like_and_comment_it() -> None:
    world = plan_world(3, 100, 40)
    before = NaiveWorld(follows=set(world.follows))
    before.follows |= {(asker, PRIVATE_PERSON) for asker, answer in world.requests if answer == "approve"}
    commented = [(person, number) for person, number, _ in world.comments]
    for person, number in (*world.likes, *commented):
        assert (person, world.posts[number].author) in before.follows


def test_a_feed_is_what_follows_leave_of_all_posts() -> None:
    world = NaiveWorld(
        follows={(0, 1), (0, 2), (0, 3)}, mutes={(0, 3)}, author={10: 1, 11: 2, 12: 3, 13: 4, 14: 0, 15: 1}
    )
    place = {10: (5, 1), 11: (9, 1), 12: (7, 1), 13: (8, 1), 14: (6, 1), 15: (5, 2)}
    assert world.feed(0, place) == [11, 14, 15, 10]


def test_a_block_ends_both_followings() -> None:
    plan = plan_world(7, 60, 20)
    truth = truth_of(plan)
    for blocker, blocked in plan.blocks:
        assert not truth.follows & {(blocker, blocked), (blocked, blocker)}
    assert not set(plan.deleted) & truth.feed_posts(0)


@pytest.mark.parametrize("form", ["jpeg", "png", "heic"])
def test_a_rendered_photograph_shows_at_its_planned_size(form: PhotoForm) -> None:
    photograph = Photograph("rocket.jpg", (0.1, 0.0, 0.9, 0.6), 320, form)
    data = io.BytesIO(render(photograph))
    opened = pillow_heif.read_heif(data).to_pillow() if form == "heic" else Image.open(data)
    shown = ImageOps.exif_transpose(opened)
    assert shown.size == shown_size(photograph)
    assert render(photograph) == render(photograph)


def test_a_large_photograph_takes_more_than_one_part() -> None:
    photographs = [one for post in plan_world(7, 30, 5).posts for one in post.photographs]
    large = max(photographs, key=lambda one: one.long_side_px)
    assert len(render(large)) > 5 * 1024 * 1024


def test_every_source_ships_with_scikit_image() -> None:
    for source in SUBJECTS_BY_SOURCE:
        assert render(Photograph(source, (0, 0, 1, 1), 32, "png"))
    assert len(TAGS) == len(set(TAGS))
