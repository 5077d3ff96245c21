"""Every event that takes something public out of sight purges it, whatever events there will be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.purging import ENDING, MODELS, purged_keys
from schemas import events as e
from schemas.events import Event
from schemas.serde import SCHEMAS
from schemas.topics import topic_of
from tests.unit.edge.world import EdgeWorld, edge_world
from tests.unit.gateway_social.world import World
from tests.unit.schemas.samples import events_of

FOLDED = [event for event in SCHEMAS if topic_of(event).name in (*MODELS, "graph")]
"""Whatever the edge looks at before it answers is made of these."""


@settings(max_examples=200)
@given(st.sampled_from(FOLDED).flatmap(events_of))
async def test_whatever_ends_an_unsigned_address_names_a_key_of_its_answer(event: Event) -> None:
    async with edge_world(World()) as edge:
        ada = await edge.world.person()
        media_id = await edge.photograph(ada)
        post_id = await edge.post(ada, media_id)
        address = f"/media/{media_id}/file/w1080.jpeg"
        before = await edge.client.get(address)
        assert before.status_code == 200
        await edge.world.happen(about(event, ada, post_id, media_id))
        if await edge.status(address) == 404:
            assert set(purged_keys(about(event, ada, post_id, media_id))) & set(before.headers["xkey"].split())


def about(event: Event, account_id: int, post_id: int, media_id: int) -> Event:
    """The event, as if it were about these."""
    known = {"account_id": account_id, "owner_id": account_id, "post_id": post_id, "media_id": media_id}
    return type(event)(**{name: known.get(name, getattr(event, name)) for name in event.__struct_fields__})


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (e.PostDeleted(post_id=1, owner_id=1), 404),
        (e.PrivacyChanged(account_id=1, private=True), 404),
        (e.PrivacyChanged(account_id=1, private=False), 200),
        (e.AccountSuspended(account_id=1, reason="spam", operator="op"), 404),
        (e.AccountReinstated(account_id=1, operator="op"), 200),
        (e.AccountDeleted(account_id=1), 404),
        (e.MediaTakenDown(media_id=1, owner_id=1, rule="hate", operator="op"), 404),
        (e.MediaReviewed(media_id=1, owner_id=1, decision="refused", operator="op", rule="hate"), 404),
        (e.MediaReviewed(media_id=1, owner_id=1, decision="allowed", operator="op"), 200),
        (e.MediaCollected(media_id=1, owner_id=1), 404),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_hides_purges_and_what_does_not_purges_nothing(edge: EdgeWorld, event: Event, status: int) -> None:
    ada = await edge.world.person()
    media_id = await edge.photograph(ada)
    post_id = await edge.post(ada, media_id)
    meant = about(event, ada, post_id, media_id)
    await edge.world.happen(meant)
    assert await edge.status(f"/media/{media_id}/file/w1080.jpeg") == status
    assert bool(purged_keys(meant)) == (status == 404)


def test_the_purger_reads_the_topics_of_what_hides() -> None:
    assert {topic_of(event).name for event in ENDING} == set(MODELS)
