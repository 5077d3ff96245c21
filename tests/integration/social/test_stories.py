"""Stories on the real platform: posted, made, shown to whom they are for, and taken back."""

from typing import Any

import httpx
import pytest

from photolog.errors import Invalid, NotFound
from tests.integration.social.conftest import Joining
from tests.integration.social.people import Person, jpeg, settles
from tests.integration.workers import WorkerProcess


async def create(owner: Person, audience: str = "everyone") -> tuple[str, str]:
    """Post a photograph as a story; its id and that of its media."""
    media_id = await owner.client.upload(jpeg(), "image/jpeg", purpose="story")
    body = {"media_id": media_id, "audience": audience, "alt_text": "A slope of grey"}
    told = await owner.client.transport.command("POST", "/v1/stories", dict[str, Any], body)
    assert told["status"] == "processing"
    return told["story_id"], media_id


async def played(viewer: Person, owner: Person) -> list[str]:
    """What the viewer is shown of an owner's stories."""
    told = await viewer.client.transport.query(f"/v1/accounts/{owner.id}/stories", dict[str, Any])
    return [one["id"] for one in told["items"]]


async def test_a_story_is_shown_to_whom_it_is_for_with_its_picture(join: Joining, transcoder: WorkerProcess) -> None:
    ada, ben, eve = [await join(name) for name in ("ada", "ben", "eve")]
    for viewer in (ben, eve):
        await viewer.client.follow(ada.id)
    await ada.client.transport.command("PUT", f"/v1/me/close-friends/{ben.id}", dict[str, Any])
    open_story, open_media = await create(ada)
    close_story, close_media = await create(ada, "close_friends")
    await settles(lambda: played(ben, ada), [open_story, close_story])
    assert await played(eve, ada) == [open_story]
    story = await ben.client.transport.query(f"/v1/stories/{close_story}", dict[str, Any])
    assert story["id"] == close_story
    for viewer, media_id in ((ben, open_media), (eve, open_media), (ben, close_media), (ada, close_media)):
        address = await viewer.client.photograph_address(media_id, "w640.jpeg")
        async with httpx.AsyncClient() as anyone:
            assert (await anyone.get(address)).status_code == 200
    with pytest.raises(NotFound):
        await eve.client.photograph_address(close_media, "w640.jpeg")
    with pytest.raises(NotFound):
        await eve.client.transport.query(f"/v1/stories/{close_story}", dict[str, Any])

    await ada.client.transport.command("DELETE", f"/v1/me/close-friends/{ben.id}", dict[str, Any])
    with pytest.raises(NotFound):
        await ben.client.transport.query(f"/v1/stories/{close_story}", dict[str, Any])
    with pytest.raises(NotFound):
        await ben.client.transport.command("DELETE", f"/v1/stories/{open_story}", dict[str, Any])
    await ada.client.transport.send("DELETE", f"/v1/stories/{open_story}")
    for viewer in (ada, ben):
        with pytest.raises(NotFound):
            await viewer.client.transport.query(f"/v1/stories/{open_story}", dict[str, Any])
    assert await played(eve, ada) == []
    with pytest.raises(NotFound):
        await eve.client.photograph_address(open_media, "w640.jpeg")


async def test_only_what_was_uploaded_for_a_story_becomes_one(join: Joining) -> None:
    ada = await join("ada")
    media_id = await ada.client.upload(jpeg(), "image/jpeg")
    with pytest.raises(Invalid) as refused:
        await ada.client.transport.command("POST", "/v1/stories", dict[str, Any], {"media_id": media_id})
    assert (refused.value.kind, refused.value.field) == ("not-for-a-story", "media_id")
