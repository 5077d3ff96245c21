"""Following, requesting and blocking on real engines, each person reading their own writes."""

import pytest

from photolog.client.views import Relationship
from photolog.errors import Forbidden, NotFound
from tests.integration.social.conftest import Joining
from tests.integration.social.people import Person, listed, settles


async def counts_of(person: Person) -> tuple[int, int]:
    counts = (await person.client.me()).counts
    assert counts is not None
    return counts.followers, counts.following


async def test_a_following_shows_on_both_sides_and_in_the_counts(join: Joining) -> None:
    ada, ben = await join("ada"), await join("ben")
    assert (await ada.client.follow(ben.id)).following == "active"
    assert [one.id for one in await listed(ada.client.following(ada.id))] == [ben.id]
    assert [one.id for one in await listed(ada.client.followers(ben.id))] == [ada.id]
    assert await counts_of(ada) == (0, 1)
    await settles(lambda: counts_of(ben), (1, 0))
    await ada.client.unfollow(ben.id)
    assert await listed(ada.client.following(ada.id)) == []
    assert await counts_of(ada) == (0, 0)
    await settles(lambda: counts_of(ben), (0, 0))


async def test_a_request_is_approved_and_opens_a_private_account(join: Joining) -> None:
    ada, ben = await join("ada"), await join("ben", private=True)
    assert (await ada.client.follow(ben.id)).following == "pending"
    with pytest.raises(Forbidden):
        await listed(ada.client.followers(ben.id))
    await settles(lambda: ids_of_requests(ben), [ada.id])
    await ben.client.approve(ada.id)
    assert [one.id for one in await listed(ben.client.followers(ben.id))] == [ada.id]
    assert await ids_of_requests(ben) == []
    await settles(lambda: following_of(ada, ben), "active")
    assert [one.id for one in await listed(ada.client.followers(ben.id))] == [ada.id]


async def test_a_block_ends_everything_until_it_is_lifted(join: Joining) -> None:
    ada, ben = await join("ada"), await join("ben")
    await ada.client.follow(ben.id)
    await ben.client.follow(ada.id)
    await ben.client.block(ada.id)
    with pytest.raises(NotFound):
        await ben.client.account(ada.id)
    await settles(lambda: is_there(ada, ben), False)
    with pytest.raises(NotFound):
        await ada.client.follow(ben.id)
    assert await counts_of(ben) == (0, 0)
    await ben.client.unblock(ada.id)
    nothing = Relationship(account_id=ada.id, following="none", followed_by="none", blocking=False, muting=False)
    assert await ben.client.relationship(ada.id) == nothing


async def test_crossing_follows_of_two_people_both_stand(join: Joining) -> None:
    people = [await join(f"p{number}") for number in range(4)]
    for one in people:
        for other in people:
            if one is not other:
                await one.client.follow(other.id)
    for one in people:
        await settles(lambda one=one: counts_of(one), (3, 3))  # type: ignore[misc]  # binds the loop's person
        mutual = {item.id for item in await listed(one.client.mutuals(one.id))}
        assert mutual == {other.id for other in people if other is not one}


async def ids_of_requests(person: Person) -> list[str]:
    return [one.id for one in await listed(person.client.requests())]


async def following_of(person: Person, other: Person) -> str:
    return (await person.client.relationship(other.id)).following


async def is_there(person: Person, other: Person) -> bool:
    try:
        await person.client.account(other.id)
    except NotFound:
        return False
    return True
