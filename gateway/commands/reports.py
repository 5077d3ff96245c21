"""The command that brings something to the operators' notice."""

from typing import Annotated

import msgspec

from gateway.endpoint import Body, Call, Command, Endpoint, IdText, parse_id
from gateway.services import Services
from gateway.visibility import look_at, may_see_account, nothing_here, see_comment, see_post
from photolog.errors import Invalid
from photolog.text import clean_text
from projections.reports import ReportReason, ReportTarget
from schemas.events import ContentReported

NOTE_CHARACTERS_MAX = 1_000


class Report(Body, frozen=True, kw_only=True):
    """What is wrong with what. `post_id` names the post of a reported comment and nothing else."""

    target: ReportTarget
    id: IdText
    post_id: IdText | None = None
    reason: ReportReason
    note: Annotated[str, msgspec.Meta(max_length=20_000)] | None = None


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    report_id: str


async def report(services: Services, call: Call) -> Command:
    """Report what the viewer may see, once: a second report of the same thing is answered alike and changes nothing."""
    body: Report = call.body
    if (body.post_id is not None) != (body.target == "comment"):
        raise Invalid("misplaced-post", "a reported comment names its post, and nothing else does", "post_id")
    note = clean_text(body.note, "note", NOTE_CHARACTERS_MAX).strip() if body.note else None
    target_id = parse_id(body.id)
    post_id = None if body.post_id is None else parse_id(body.post_id)
    owner_id = await _owner(services, call.viewer, body.target, target_id, post_id)
    if owner_id == call.viewer:
        raise Invalid("own-content", "this is your own", "id")
    report_id = services.ids.next()
    event = ContentReported(
        report_id=report_id,
        reporter_id=call.viewer,
        target=body.target,
        target_id=target_id,
        post_id=post_id,
        owner_id=owner_id,
        reason=body.reason,
        note=note or None,
    )
    return Command((event,), Reported(report_id=str(report_id)), status=201)


async def _owner(services: Services, viewer: int, target: ReportTarget, target_id: int, post_id: int | None) -> int:
    """Whose it is. Raises NotFound for what the viewer may not see."""
    if target == "post":
        return (await see_post(services.rows, viewer, target_id)).post.owner_id
    if target == "comment" and post_id is not None:
        return (await see_comment(services.rows, viewer, post_id, target_id)).author_id
    seen = (await look_at(services.rows, viewer, [target_id])).get(target_id)
    # Whom the viewer blocks they may report, as they know of them.
    if seen is None or not (seen.relation.blocks or may_see_account(viewer, seen.account, seen.relation)):
        raise nothing_here()
    return target_id


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        "/v1/reports",
        report,
        "Report a post, a comment or an account",
        "reports",
        body=Report,
        response=Reported,
        status=201,
        models=("accounts", "comments", "graph", "posts"),
        body_names=True,
    ),
)
