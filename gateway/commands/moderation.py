"""Commands of moderators about media: decide about what waits, and reinstate what was taken down."""

from typing import Annotated, Literal

import msgspec

from gateway.endpoint import Body, Call, Command, Endpoint
from gateway.holders import posts_with, stories_with
from gateway.services import Services
from gateway.visibility import nothing_here
from photolog.errors import Conflict, Invalid
from photolog.media.thumbprints import blocked_thumbprint_key
from photolog.text import clean_text
from projections.blocks import BLOCKED_CONTENTS
from projections.media import MEDIA, MediaRow, Moderation
from schemas.events import ContentUnblocked, Event, HouseRule, MediaReinstated, MediaReviewed

NOTE_CHARACTERS_MAX = 500
Note = Annotated[str, msgspec.Meta(max_length=2_000)]


class Decide(Body, frozen=True, kw_only=True):
    """Whether media may be published; who refuses names the rule. The note is for other operators; it and the rule are
    kept in the log for ever: no personal data."""

    decision: Literal["allowed", "refused"]
    rule: HouseRule | None = None
    note: Note = ""


class Moderated(msgspec.Struct, frozen=True, kw_only=True):
    media_id: str
    moderation: Moderation


async def decide(services: Services, call: Call) -> Command:
    """Decide about media. What waits for it is published or rejected then; a post or a story that is out is to be taken
    down."""
    body: Decide = call.body
    media = await moderated_media(services, call)
    if (body.rule is None) != (body.decision == "allowed"):
        raise Invalid("misplaced-rule", "who refuses media names the rule that it breaks, and nobody else does", "rule")
    if media.moderation == "taken_down":
        raise Conflict("taken-down", "it was taken down; reinstate it first")
    if body.decision == "refused":
        await _require_unpublished(services, media)
    event = MediaReviewed(
        media_id=media.media_id,
        owner_id=media.owner_id,
        decision=body.decision,
        operator=call.operator_name,
        rule=body.rule,
        note=clean_note(body.note),
    )
    return Command((event,), Moderated(media_id=str(media.media_id), moderation=body.decision), wait_for=("media",))


async def reinstate(services: Services, call: Call) -> Command:
    """Take a takedown of media back: its owner may publish it again. Posts and stories stay gone."""
    media = await moderated_media(services, call)
    if media.moderation != "taken_down":
        raise Conflict("not-taken-down", "this media was not taken down")
    events: list[Event] = [
        MediaReinstated(media_id=media.media_id, owner_id=media.owner_id, operator=call.operator_name)
    ]
    digest = media.digest or ""
    if digest and await services.rows.get(BLOCKED_CONTENTS.key(digest)) is not None:
        events.append(ContentUnblocked(digest=digest, operator=call.operator_name))

    async def forget() -> None:
        await services.objects.delete(blocked_thumbprint_key(digest))

    return Command(
        tuple(events),
        Moderated(media_id=str(media.media_id), moderation="allowed"),
        wait_for=("blocks", "media"),
        acknowledged=forget if len(events) > 1 else None,
    )


async def _require_unpublished(services: Services, media: MediaRow) -> None:
    """Raise Conflict where a post or a story shows media, or did before its day was over: a refusal alone would leave
    that there."""
    if any(post.status == "published" for post in await posts_with(services, [media])):
        raise Conflict("published", "a post with it is published; take the post down")
    if any(story.status == "published" for story in await stories_with(services, [media])):
        raise Conflict("published", "a story with it is published; take the story down")


async def moderated_media(services: Services, call: Call) -> MediaRow:
    """The media that a path names. Raises NotFound where there is none, or none that could be read."""
    media = await services.rows.get(MEDIA.key(call.id("media_id")))
    if media is None or media.status != "ready":
        raise nothing_here()
    return media


def clean_note(note: str) -> str:
    """A note as it is kept. Raises Invalid for one that is too long or no text."""
    return clean_text(note, "note", NOTE_CHARACTERS_MAX).strip() if note else ""


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        "/v1/moderation/media/{media_id}/decision",
        decide,
        "Decide whether media may be published",
        "moderation",
        auth="operator",
        body=Decide,
        response=Moderated,
        models=("media", "posts", "stories"),
    ),
    Endpoint(
        "POST",
        "/v1/moderation/media/{media_id}/reinstate",
        reinstate,
        "Take the takedown of media back",
        "moderation",
        auth="operator",
        response=Moderated,
        models=("blocks", "media"),
    ),
)
