"""Close friends, replies, reactions and highlights on real engines: what is sent is folded, listed and taken back."""

from typing import Any

import pytest

from photolog.errors import NotFound
from tests.integration.social.conftest import Joining
from tests.integration.social.people import Person, settles
from tests.integration.social.test_tray import tell
from tests.integration.workers import Hand


async def items(viewer: Person, path: str) -> list[Any]:
    found: list[Any] = (await viewer.client.transport.query(path, dict[str, Any]))["items"]
    return found


async def do(person: Person, method: str, path: str, body: Any = None) -> dict[str, Any]:
    return await person.client.transport.command(method, path, dict[str, Any], body)


async def test_a_close_friend_answers_a_story_that_is_kept_in_a_highlight(join: Joining, hand: Hand) -> None:
    ada, ben, eve = [await join(name) for name in ("ada", "ben", "eve")]
    await do(ada, "PUT", f"/v1/me/close-friends/{ben.id}")
    assert [one["id"] for one in await items(ada, "/v1/me/close-friends")] == [ben.id]
    story = f"/v1/stories/{await tell(hand, ada, audience='close_friends')}"
    with pytest.raises(NotFound):
        await do(eve, "POST", f"{story}/replies", {"text": "not for me"})
    await do(ben, "POST", f"{story}/replies", {"text": "lovely"})
    for reaction in ("🔥", "😍"):
        await do(ben, "PUT", f"{story}/reaction", {"reaction": reaction})

    async def answers() -> list[str]:
        replies, reactions = await items(ada, f"{story}/replies"), await items(ada, f"{story}/reactions")
        return [one["text"] for one in replies] + [one["reaction"] for one in reactions]

    await settles(answers, ["lovely", "😍"])
    await do(ben, "DELETE", f"{story}/reaction")
    await settles(answers, ["lovely"])
    for writer, remover in ((ben, ben), (ben, ada)):
        reply = await do(writer, "POST", f"{story}/replies", {"text": "no"})
        path = f"{story}/replies/{reply['reply_id']}"
        await settles(answers, ["no", "lovely"])
        with pytest.raises(NotFound):
            await do(eve, "DELETE", path)
        await remover.client.transport.send("DELETE", path)
        assert await answers() == ["lovely"], "the answer comes once the reply is gone"

    story_id = story.rpartition("/")[2]
    assert [one["id"] for one in await items(ada, "/v1/me/stories/archive")] == [story_id]
    kept = await do(ada, "POST", "/v1/highlights", {"title": "summer", "story_ids": [story_id]})
    for viewer, there in ((ada, True), (ben, True), (eve, False)):
        listed = await items(viewer, f"/v1/accounts/{ada.id}/highlights")
        assert [one["title"] for one in listed] == (["summer"] if there else [])
    path = f"/v1/highlights/{kept['highlight_id']}"
    assert [one["id"] for one in await items(ben, path)] == [story_id]
    await do(ada, "DELETE", f"/v1/me/close-friends/{ben.id}")
    with pytest.raises(NotFound):
        await items(ben, path)
