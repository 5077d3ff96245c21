"""The client's calls on stories and trends, at a gateway."""

from datetime import UTC, datetime

import pytest

from photolog.client import Client
from photolog.errors import NotFound
from tests.unit.gateway.river import PASSWORD
from tests.unit.gateway_social.test_story_tray import Town, a_town


async def client_of(town: Town, name: str) -> Client:
    """The client of somebody who lives in a town."""
    client = Client(town.client, town.client)
    await client.log_in(name, PASSWORD)
    return client


async def test_what_is_done_with_stories_through_the_client_is_there() -> None:
    async with a_town("ada", "ben", "cleo") as town:
        await town.follow("ben", "ada")
        ada, ben, cleo = [await client_of(town, name) for name in ("ada", "ben", "cleo")]
        ada_id, ben_id = (str(town.id(name)) for name in ("ada", "ben"))
        await ada.count_close(ben_id)
        shown, close = await town.tell("ada"), await town.tell("ada", "close_friends")
        assert [(one.account.id, one.stories, one.unseen) for one in (await ben.story_tray()).items] == [
            (ada_id, 2, True)
        ]
        assert [story.id for story in await ben.stories_of(ada_id)] == [shown, close]
        assert [story.id for story in await cleo.stories_of(ada_id)] == [shown]
        at = datetime.fromtimestamp(town.river.now_ms / 1_000, UTC)
        assert await ben.see_stories({shown: at, close: at}) == 2
        assert sorted(town.viewed()) == sorted((int(ben_id), int(story)) for story in (shown, close))
        with pytest.raises(NotFound):
            await cleo.story(close)
        await town.count(shown, "ben")
        assert (await ada.story(shown)).viewers is not None
        assert [one.id async for one in ada.story_viewers(shown)] == [ben_id]


async def test_answers_and_highlights_through_the_client_are_there() -> None:
    async with a_town("ada", "ben") as town:
        ada, ben = [await client_of(town, name) for name in ("ada", "ben")]
        shown, close = await town.tell("ada"), await town.tell("ada", "close_friends")
        reply_id = await ben.reply_to_story(shown, "lovely")
        await ben.react_to_story(shown, "🔥")
        replies = [(one.id, one.sender.username, one.text) async for one in ada.story_replies(shown)]
        assert replies == [(reply_id, "ben", "lovely")]
        assert [one.reaction async for one in ada.story_reactions(shown)] == ["🔥"]
        highlight_id = await ada.make_highlight("Days out", [shown, close])
        assert [story.id for story in (await ada.highlight(highlight_id)).items] == [shown, close]
        assert [story.id for story in (await ben.highlight(highlight_id)).items] == [shown]


async def test_nothing_trends_where_nothing_was_told() -> None:
    async with a_town("ada") as town:
        trending = await (await client_of(town, "ada")).trending(5)
        assert (trending.scope, trending.window_end, trending.hashtags) == ("world", None, [])
