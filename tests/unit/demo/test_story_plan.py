"""The demo's stories are planned so that each kind of reader is among its people."""

import pytest

from cli.demo_model import truth_of
from cli.demo_plan import plan_world
from cli.demo_story_plan import VIEWERS, plan_stories
from cli.demo_world import CELEBRITY, PRIVATE_PERSON


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("accounts", "threshold"), [(12, 3), (14, 5), (60, 20), (200, 100)])
def test_each_kind_of_reader_is_there_and_no_story_is_hidden_from_who_plays_it(
    seed: int, accounts: int, threshold: int
) -> None:
    world = plan_world(seed, accounts, threshold)
    truth = truth_of(world)
    plan = plan_stories(world, truth)
    assert len(set(plan.viewers)) == VIEWERS
    assert set(plan.viewers) <= truth.followers(CELEBRITY)
    assert plan.close_friend in plan.viewers
    open_, close, of_blocker, of_private = plan.stories
    assert (open_.owner, open_.close, open_.hidden_from) == (CELEBRITY, False, ())
    assert (close.owner, close.close, set(close.hidden_from)) == (
        CELEBRITY,
        True,
        {*plan.viewers} - {plan.close_friend},
    )
    assert all(truth.apart(of_blocker.owner, person) for person in of_blocker.hidden_from)
    assert of_private.owner == PRIVATE_PERSON
    assert not {*of_private.hidden_from} & truth.followers(PRIVATE_PERSON)
    assert all(story.owner not in story.hidden_from for story in plan.stories)
    assert all(story.hidden_from for story in plan.stories[1:])
