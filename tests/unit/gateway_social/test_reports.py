"""Reports: of what the reporter may see, for operators to read."""

from typing import Any

import pytest

from gateway.commands import graph, reports
from gateway.commands.reports import Report
from gateway.endpoint import Call, ListQuery
from gateway.queries import reports as report_queries
from gateway.queries.reports import ReportItem
from photolog.errors import Forbidden, Invalid, NotFound
from tests.unit.gateway_social.test_posts import posted
from tests.unit.gateway_social.test_replies import comment
from tests.unit.gateway_social.world import World

WEEK_MS = 7 * 86_400_000


async def report(world: World, viewer: int, target: Any, target_id: int, **fields: Any) -> None:
    body = Report(**{"target": target, "id": str(target_id), "reason": "hate"} | fields)
    await world.command(viewer, reports.report, body)


async def listed(world: World, limit: int = 100) -> list[ReportItem]:
    """All that an operator sees, page by page."""
    found: list[ReportItem] = []
    cursor = None
    while True:
        query = ListQuery(limit=limit, cursor=cursor)
        page: Any = await report_queries.reports(world.services, Call({}, query=query, role="operator", operator="op"))
        found += page.body.items
        cursor = page.body.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_operators_read_reports_newest_first_over_all_weeks(world: World, limit: int) -> None:
    ada, ben = await world.person(), await world.person()
    post_id, _ = await posted(world, ada)
    comment_id = await comment(world, ada, post_id)
    await report(world, ben, "post", post_id, note=" look ")
    world.now_ms += 3 * WEEK_MS
    await report(world, ben, "comment", comment_id, post_id=str(post_id))
    await report(world, ben, "account", ada, reason="spam")
    shown = await listed(world, limit)
    assert [(one.target, one.target_id, one.post_id, one.owner_id, one.reason, one.note) for one in shown] == [
        ("account", str(ada), None, str(ada), "spam", None),
        ("comment", str(comment_id), str(post_id), str(ada), "hate", None),
        ("post", str(post_id), None, str(ada), "hate", "look"),
    ]
    assert {one.reporter_id for one in shown} == {str(ben)}


async def test_a_second_report_of_the_same_thing_is_listed_once(world: World) -> None:
    ada, ben, cem = await world.person(), await world.person(), await world.person()
    for reporter in (ben, ben, cem):
        await report(world, reporter, "account", ada)
    assert [one.reporter_id for one in await listed(world)] == [str(cem), str(ben)]


async def test_what_may_not_be_seen_cannot_be_reported(world: World) -> None:
    ada, ben, eve = await world.person(private=True), await world.person(), await world.person()
    hidden, _ = await posted(world, ada)
    post_id, _ = await posted(world, ben)
    comment_id = await comment(world, ada, post_id)
    await world.command(ada, graph.block, account_id=eve)
    world.appended.clear()
    for target, target_id, fields in (
        ("post", hidden, {}),
        ("post", 99, {}),
        ("comment", comment_id, {"post_id": str(post_id)}),
        ("comment", 99, {"post_id": str(post_id)}),
        ("account", ada, {}),
        ("account", 99, {}),
        ("account", (1 << 63) + 1, {}),
    ):
        with pytest.raises(NotFound):
            await report(world, eve, target, target_id, **fields)
    assert world.appended == []


async def test_whom_one_blocks_one_may_report(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    await world.command(ben, graph.block, account_id=ada)
    await report(world, ben, "account", ada)
    assert len(await listed(world)) == 1


@pytest.mark.parametrize(
    ("fields", "kind", "field"),
    [
        ({"target": "comment"}, "misplaced-post", "post_id"),
        ({"post_id": "7"}, "misplaced-post", "post_id"),
        ({"note": "x" * 1_001}, "text-too-long", "note"),
        ({"note": "bell\a"}, None, "note"),
    ],
)
async def test_a_report_that_makes_no_sense_is_refused_by_field(
    world: World, fields: dict[str, Any], kind: str | None, field: str
) -> None:
    ada, ben = await world.person(), await world.person()
    arguments: dict[str, Any] = {"target": "account", "target_id": ada, **fields}
    with pytest.raises(Invalid) as refused:
        await report(world, ben, **arguments)
    assert refused.value.field == field
    assert kind in (None, refused.value.kind)
    assert world.appended == []


async def test_nobody_reports_themself_and_only_operators_read(world: World) -> None:
    ada = await world.person()
    with pytest.raises(Invalid) as refused:
        await report(world, ada, "account", ada)
    assert refused.value.kind == "own-content"
    with pytest.raises(Forbidden):
        await report_queries.reports(world.services, Call({}, query=ListQuery(), viewer_id=ada, role="account"))
