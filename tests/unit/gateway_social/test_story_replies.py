"""Replies and reactions to stories: who may send them, and that the owner alone reads them."""

from typing import Any

import httpx
import pytest

from gateway.commands.story_replies import TEXT_CHARACTERS_MAX
from projections.story_replies import REACTION
from schemas import events as e
from tests.unit.gateway_social.matrix_world import happen
from tests.unit.gateway_social.test_story_tray import DAY_MS, Town, a_circle, a_town

MAY = {"close friend", "follower", "muting"}
CIRCLE = ("close friend", "follower", "muting", "pending", "blocked", "blocking", "stranger")


async def reply(town: Town, sender: str, story_id: str, text: str = "lovely") -> httpx.Response:
    return await town.people[sender].request("POST", f"/v1/stories/{story_id}/replies", json={"text": text})


async def react(town: Town, sender: str, story_id: str, reaction: str = "🔥") -> httpx.Response:
    return await town.people[sender].request("PUT", f"/v1/stories/{story_id}/reaction", json={"reaction": reaction})


async def got(town: Town, story_id: str, what: str, limit: int = 100) -> list[dict[str, Any]]:
    """All that the owner reads, page by page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = f"limit={limit}" + (f"&cursor={cursor}" if cursor else "")
        answer = await town.people["owner"].request("GET", f"/v1/stories/{story_id}/{what}?{query}")
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.parametrize("audience", ["everyone", "close_friends"])
async def test_whoever_sees_a_private_accounts_story_may_answer_it(audience: e.StoryAudience) -> None:
    expected = MAY if audience == "everyone" else {"close friend"}
    async with a_circle(private=True) as town:
        story_id = await town.tell("owner", audience)
        for send, status in ((reply, 201), (react, 200)):
            for sender in CIRCLE:
                answer = await send(town, sender, story_id)
                assert answer.status_code == (status if sender in expected else 404), (sender, answer.text)
        for what in ("replies", "reactions"):
            names = {one["sender"]["username"].replace("_", " ") for one in await got(town, story_id, what)}
            assert names == expected


async def test_the_owner_alone_reads_them() -> None:
    async with a_circle(private=False) as town:
        story_id = await town.tell("owner")
        assert (await reply(town, "follower", story_id)).status_code == 201
        for reader in CIRCLE:
            for what in ("replies", "reactions"):
                answer = await town.people[reader].request("GET", f"/v1/stories/{story_id}/{what}")
                nothing = await town.people[reader].request("GET", f"/v1/stories/4242/{what}")
                assert answer.status_code == nothing.status_code == 404
                assert answer.json()["detail"] == nothing.json()["detail"]


async def test_a_story_that_is_over_is_answered_no_more_but_its_owner_reads_on() -> None:
    async with a_town("owner", "ben") as town:
        story_id = await town.tell("owner")
        assert (await reply(town, "ben", story_id)).status_code == 201
        assert (await react(town, "ben", story_id)).status_code == 200
        town.river.now_ms += 2 * DAY_MS
        for who in ("owner", "ben"):
            await town.people[who].log_in()
        assert (await reply(town, "ben", story_id)).status_code == 404
        assert (await react(town, "ben", story_id)).status_code == 404
        assert len(await got(town, story_id, "replies")) == len(await got(town, story_id, "reactions")) == 1
        for expected in (200, 404):
            answer = await town.people["ben"].request("DELETE", f"/v1/stories/{story_id}/reaction")
            assert answer.status_code == expected
        assert await got(town, story_id, "reactions") == []


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_the_newest_comes_first_and_one_reaction_of_each(limit: int) -> None:
    async with a_town("owner", "ben", "cem") as town:
        story_id = await town.tell("owner")
        for sender, text in (("ben", "first"), ("cem", "second"), ("ben", " third ")):
            assert (await reply(town, sender, story_id, text)).status_code == 201
        for sender, emoji in (("ben", "🔥"), ("cem", "❤️"), ("ben", "👩‍👩‍👧‍👦")):
            town.river.now_ms += 1_000
            assert (await react(town, sender, story_id, emoji)).status_code == 200
        assert [one["text"] for one in await got(town, story_id, "replies", limit)] == ["third", "second", "first"]
        reactions = [one["reaction"] for one in await got(town, story_id, "reactions", limit)]
        assert reactions == ["👩‍👩‍👧‍👦", "❤️"]


async def test_whom_the_owner_may_not_see_is_not_listed() -> None:
    async with a_town("owner", "ben", "cem") as town:
        story_id = await town.tell("owner")
        for sender in ("ben", "cem"):
            assert (await reply(town, sender, story_id)).status_code == 201
            assert (await react(town, sender, story_id)).status_code == 200
        await happen(town.river, e.AccountBlocked(blocker_id=town.id("ben"), blocked_id=town.id("owner")))
        for what in ("replies", "reactions"):
            assert [one["sender"]["username"] for one in await got(town, story_id, what)] == ["cem"]


@pytest.mark.parametrize("deleter", ["ben", "owner"])
async def test_a_reply_is_deleted_by_its_sender_or_the_storys_owner_once_and_for_both(deleter: str) -> None:
    async with a_town("owner", "ben", "cem") as town:
        story_id = await town.tell("owner")
        first, second = [(await reply(town, "ben", story_id, text)).json()["reply_id"] for text in ("first", "second")]
        others = await town.tell("cem")
        for who, path in (("cem", f"{story_id}/replies/{first}"), (deleter, f"{others}/replies/{first}")):
            assert (await town.people[who].request("DELETE", f"/v1/stories/{path}")).status_code == 404
        for expected in (204, 404):
            answer = await town.people[deleter].request("DELETE", f"/v1/stories/{story_id}/replies/{first}")
            assert answer.status_code == expected
        assert [one["id"] for one in await got(town, story_id, "replies")] == [second]
        deleted = town.river.recorded(len(town.river.records) - 1).event
        assert isinstance(deleted, e.StoryReplyDeleted)
        assert (deleted.sender_id, deleted.deleted_by) == (town.id("ben"), town.id(deleter))


async def remove(town: Town, who: str, story_id: str, reply_id: str) -> int:
    return (await town.people[who].request("DELETE", f"/v1/stories/{story_id}/replies/{reply_id}")).status_code


async def test_its_sender_takes_a_reply_back_also_when_the_story_is_hidden_over_or_deleted() -> None:
    async with a_town("owner", "ben") as town:
        story_id = await town.tell("owner")
        reply_ids = [(await reply(town, "ben", story_id)).json()["reply_id"] for _ in range(3)]
        await happen(town.river, e.AccountBlocked(blocker_id=town.id("owner"), blocked_id=town.id("ben")))
        assert await remove(town, "ben", story_id, reply_ids[0]) == 204
        town.river.now_ms += 2 * DAY_MS
        for who in ("owner", "ben"):
            await town.people[who].log_in()
        assert await remove(town, "ben", story_id, reply_ids[1]) == 204
        await happen(town.river, e.StoryDeleted(story_id=int(story_id), owner_id=town.id("owner")))
        assert await remove(town, "owner", story_id, reply_ids[2]) == 404
        assert await remove(town, "ben", story_id, reply_ids[2]) == 204


async def test_no_number_of_a_reply_names_a_reaction() -> None:
    async with a_town("owner", "ben") as town:
        story_id = await town.tell("owner")
        assert (await react(town, "ben", story_id)).status_code == 200
        for who in ("ben", "owner"):
            assert await remove(town, who, story_id, str(REACTION)) == 404
        assert len(await got(town, story_id, "reactions")) == 1


async def test_a_reply_that_is_sent_again_under_its_key_after_it_was_deleted_stays_deleted() -> None:
    async with a_town("owner", "ben") as town:
        story_id = await town.tell("owner")
        path, headers = f"/v1/stories/{story_id}/replies", {"idempotency-key": "once"}
        sent = await town.people["ben"].request("POST", path, json={"text": "oh"}, headers=headers)
        reply_id = sent.json()["reply_id"]
        assert (await town.people["ben"].request("DELETE", f"{path}/{reply_id}")).status_code == 204
        again = await town.people["ben"].request("POST", path, json={"text": "oh"}, headers=headers)
        assert again.json()["reply_id"] == reply_id
        assert await got(town, story_id, "replies") == []


ONE_EMOJI = {
    "plain": "👍",
    "in another skin": "👍🏽",
    "a flag": "🇫🇷",
    "a flag of tags": "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "a heart, as an emoji": "❤️",
    "a heart, as text": "❤",
    "a keycap": "1️⃣",
    "a family": "👩‍👩‍👧‍👦",
    "the longest": "👩🏽‍❤️‍💋‍👨🏿",
}
NOT_ONE_EMOJI = {
    "half a flag": "🇫",
    "no flag": "🇫🇫",
    "a skin alone": "🏽",
    "a keycap without its key": "⃣",
    "a joiner": "\u200d",
    "a family that goes on": "👩‍👩‍👧‍",
    "a digit": "1",
    "a letter": "a",
    "nothing": "",
    "two": "👍👍",
    "two flags": "🇫🇷🇫🇷",
    "with a letter": "👍a",
    "with an accent": "🔥̃",
    "behind a space": " 🔥",
    "before a line's end": "👍\n",
}


@pytest.mark.parametrize(
    ("reaction", "allowed"),
    [(text, True) for text in ONE_EMOJI.values()] + [(text, False) for text in NOT_ONE_EMOJI.values()],
    ids=[*ONE_EMOJI, *NOT_ONE_EMOJI],
)
async def test_a_reaction_is_one_emoji(reaction: str, allowed: bool) -> None:
    async with a_town("owner", "ben") as town:
        story_id = await town.tell("owner")
        assert (await react(town, "ben", story_id, reaction)).status_code == (200 if allowed else 422)
        assert len(await got(town, story_id, "reactions")) == allowed


async def test_what_cannot_be_meant_is_refused() -> None:
    async with a_town("owner", "ben") as town:
        story_id = await town.tell("owner")
        for text in ("", " \n", "x" * (TEXT_CHARACTERS_MAX + 1)):
            assert (await reply(town, "ben", story_id, text)).status_code == 422
        assert (await reply(town, "owner", story_id)).status_code == 422
        assert (await react(town, "owner", story_id)).status_code == 422
        assert (await reply(town, "ben", story_id, "x" * TEXT_CHARACTERS_MAX)).status_code == 201


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_the_archive_has_every_published_story_for_ever_and_no_deleted_one(limit: int) -> None:
    async with a_town("owner", "ben") as town:
        story_ids = [await town.tell("owner", audience) for audience in ("everyone", "close_friends", "everyone")]
        waiting = town.river.services.ids.next()
        await happen(
            town.river,
            e.StoryCreated(story_id=waiting, owner_id=town.id("owner"), media_id=1, audience="everyone", alt_text=None),
            e.StoryDeleted(story_id=int(story_ids[0]), owner_id=town.id("owner")),
        )
        town.river.now_ms += 400 * DAY_MS
        assert await archive(town, "owner", limit) == [story_ids[2], story_ids[1]]
        assert await archive(town, "ben", limit) == []


async def archive(town: Town, viewer: str, limit: int) -> list[str]:
    """The whole archive, page by page."""
    await town.people[viewer].log_in()
    found: list[str] = []
    cursor = ""
    while True:
        path = f"/v1/me/stories/archive?limit={limit}{cursor and f'&cursor={cursor}'}"
        answer = await town.people[viewer].request("GET", path)
        assert answer.status_code == 200, answer.text
        found += [one["id"] for one in answer.json()["items"]]
        cursor = answer.json()["next_cursor"] or ""
        if not cursor:
            return found
