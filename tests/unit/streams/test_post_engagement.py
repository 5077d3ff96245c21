"""What people do about posts is told for windows of time: what has an effect, whenever a worker dies, and no repeat."""

from typing import Any

import pytest

from photolog.ids import new_event_id
from schemas import events as e
from tests.unit.mortal import Killed, Mortal
from tests.unit.streams.flat_facts import told
from tests.unit.streams.river import NOW_MS, River
from tests.unit.streams.scenario import ANNA, BERT, CARL, account, comment, post, ready

POST, GONE = 101, 102
LIKE = e.PostLiked(actor_id=BERT, post_id=POST)
UNLIKE = e.PostUnliked(actor_id=BERT, post_id=POST)


async def town(river: River) -> None:
    """Anna's post, and one that she deleted."""
    river.append(account(ANNA), post(POST, ANNA, 501), ready(501, ANNA), post(GONE, ANNA, 502))
    river.append(e.PostDeleted(post_id=GONE, owner_id=ANNA))
    await river.pump()


def deeds(river: River) -> list[tuple[str, int, int, int]]:
    """(action, actor, post, author) of all that was told, in an order of its own."""
    facts: list[Any] = list(told(river, "post.engagement").values())
    return sorted((fact.action, fact.actor_id, fact.post_id, fact.owner_id) for fact in facts)


async def test_everything_that_is_done_about_a_post_is_told_with_its_author() -> None:
    river = River()
    await town(river)
    river.append(LIKE, UNLIKE, comment(901, CARL), comment(911, ANNA, parent_id=901))
    river.append(e.PostShared(share_id=801, actor_id=BERT, post_id=POST, channel="link"))
    river.append(e.PostSaved(actor_id=BERT, post_id=POST, owner_id=ANNA), e.PostUnsaved(actor_id=BERT, post_id=POST))
    await river.pump()
    assert deeds(river) == sorted(
        (action, actor, POST, ANNA)
        for action, actor in [
            ("like", BERT),
            ("unlike", BERT),
            ("comment", CARL),
            ("comment", ANNA),
            ("share", BERT),
            ("save", BERT),
            ("unsave", BERT),
        ]
    )


async def test_what_changes_nothing_is_not_told() -> None:
    river = River()
    await town(river)
    event_id = new_event_id()
    river.append(LIKE, event_id=event_id)
    river.append(LIKE, LIKE)
    river.append(LIKE, event_id=event_id)
    river.append(e.PostUnliked(actor_id=CARL, post_id=POST))
    await river.pump()
    assert deeds(river) == [("like", BERT, POST, ANNA)]


async def test_what_is_done_about_a_post_that_is_unknown_or_gone_is_not_told() -> None:
    river = River()
    await town(river)
    river.append(e.PostLiked(actor_id=BERT, post_id=GONE), e.PostLiked(actor_id=BERT, post_id=404))
    await river.pump()
    assert deeds(river) == []


async def test_the_posts_of_a_batch_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    river = River()
    await town(river)
    reads = []
    get_many = river.rows.get_many

    async def counted(keys: Any) -> Any:
        reads.append(list(keys))
        return await get_many(keys)

    monkeypatch.setattr(river.rows, "get_many", counted)
    river.append(*(e.PostLiked(actor_id=BERT, post_id=post_id) for post_id in (POST, GONE, 103, POST)))
    await river.pump(batch_records=100)
    assert [sorted(key.values[0] for key in keys) for keys in reads] == [[POST, GONE, 103]]


async def test_a_death_at_any_change_tells_the_same() -> None:
    expected, dies_at, left = [("like", BERT, POST, ANNA)] * 2 + [("unlike", BERT, POST, ANNA)], 0, 0
    while left <= 0:
        dies_at += 1
        for after in (False, True):
            river, left = await _told_with_one_death(dies_at, after)
            assert deeds(river) == expected, f"died at change {dies_at}, after={after}"
    assert dies_at > 6, "there should have been more changes to die at"


async def _told_with_one_death(dies_at: int, after: bool) -> tuple[River, int]:
    """Likes of which every other one has an effect; the worker dies once, and another takes over."""
    river, calls = River(), {"left": dies_at, "after": after}
    await town(river)
    ids = [new_event_id() for _ in range(6)]
    for number, event in enumerate((LIKE, LIKE, UNLIKE, UNLIKE, LIKE, LIKE)):
        river.append(event, event_id=ids[number], at_ms=NOW_MS + number)
    for part in ("rows", "log"):
        setattr(river, part, Mortal(getattr(river, part), calls, {"apply", "advance", "append_all"}))
    river.restart()
    try:
        await river.pump(batch_records=2)
    except Killed:
        river.restart()
        await river.pump(batch_records=5)
    for part in ("rows", "log"):
        setattr(river, part, getattr(river, part)._inner)
    return river, int(calls["left"])
