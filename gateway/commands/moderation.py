"""Commands of moderators: decide about media that waits, take a post down everywhere, reinstate media."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import msgspec

from gateway.blocking import block_of, keep_thumbprint
from gateway.endpoint import Body, Call, Command, Endpoint
from gateway.services import Services
from gateway.visibility import nothing_here
from photolog.errors import Conflict, Invalid
from photolog.media.thumbprints import blocked_thumbprint_key
from photolog.text import clean_text
from projections.blocks import BLOCKED_CONTENTS
from projections.media import MEDIA, MediaRow, Moderation
from projections.posts import MEDIA_POSTS, POSTS, PostRow
from schemas.events import (
    ContentUnblocked,
    Event,
    HouseRule,
    MediaReinstated,
    MediaReviewed,
    MediaTakenDown,
    PostDeleted,
)

NOTE_CHARACTERS_MAX = 500
POSTS_MAX = 100
"""Posts of one photograph or video that are taken down with it."""
Note = Annotated[str, msgspec.Meta(max_length=2_000)]


class Decide(Body, frozen=True, kw_only=True):
    """Whether media may be published; who refuses names the rule. The note is for other operators; it and the rule are
    kept in the log for ever: no personal data."""

    decision: Literal["allowed", "refused"]
    rule: HouseRule | None = None
    note: Note = ""


class TakeDown(Body, frozen=True, kw_only=True):
    """The rule that was broken, which the author is told, and a note for other operators."""

    rule: HouseRule
    note: Note = ""


class Moderated(msgspec.Struct, frozen=True, kw_only=True):
    media_id: str
    moderation: Moderation


class TakenDown(msgspec.Struct, frozen=True, kw_only=True):
    """What is gone: posts, and media. Contents whose fingerprints are known are blocked from now on."""

    post_ids: list[str]
    media_ids: list[str]
    blocked: list[str]


async def decide(services: Services, call: Call) -> Command:
    """Decide about media. What waits for it is published or rejected then; a post that is out is to be taken down."""
    body: Decide = call.body
    media = await moderated_media(services, call)
    if (body.rule is None) != (body.decision == "allowed"):
        raise Invalid("misplaced-rule", "who refuses media names the rule that it breaks, and nobody else does", "rule")
    if media.moderation == "taken_down":
        raise Conflict("taken-down", "it was taken down; reinstate it first")
    if body.decision == "refused" and any(post.status == "published" for post in await posts_with(services, [media])):
        raise Conflict("published", "a post with it is published; take the post down")
    event = MediaReviewed(
        media_id=media.media_id,
        owner_id=media.owner_id,
        decision=body.decision,
        operator=call.operator_name,
        rule=body.rule,
        note=clean_note(body.note),
    )
    return Command((event,), Moderated(media_id=str(media.media_id), moderation=body.decision), wait_for=("media",))


async def take_down(services: Services, call: Call) -> Command:
    """Take a post down, with every other post of its photographs and videos. The answer comes once nobody sees them."""
    body: TakeDown = call.body
    post = await services.rows.get(POSTS.key(call.id("post_id")))
    if post is None:
        raise nothing_here()
    found = await services.rows.get_many([MEDIA.key(media_id) for media_id in post.media_ids])
    media = [one for one in found if one is not None and one.status == "ready"]
    posts = {one.post_id: one for one in (post, *await posts_with(services, media))}
    blocked = [one for one in media if one.digest]
    for one in blocked:
        await keep_thumbprint(services, one)
    return Command(
        tuple(_ends(call.operator_name, body, list(posts.values()), media, blocked)),
        TakenDown(
            post_ids=[str(post_id) for post_id in posts],
            media_ids=[str(one.media_id) for one in media],
            blocked=[one.digest for one in blocked if one.digest],
        ),
        wait_for=("blocks", "media", "posts"),
    )


def _ends(
    operator: str, body: TakeDown, posts: Sequence[PostRow], media: Sequence[MediaRow], blocked: Iterable[MediaRow]
) -> Iterable[Event]:
    """The block first: whatever else fails, nobody uploads it again meanwhile."""
    note = clean_note(body.note)
    yield from (block_of(one, body.rule, operator, note) for one in blocked)
    for one in media:
        yield MediaTakenDown(media_id=one.media_id, owner_id=one.owner_id, rule=body.rule, operator=operator, note=note)
    for post in posts:
        if post.status != "deleted":
            yield PostDeleted(post_id=post.post_id, owner_id=post.owner_id, taken_down=body.rule, operator=operator)


async def reinstate(services: Services, call: Call) -> Command:
    """Take a takedown of media back: its owner may publish it again. The posts stay gone."""
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


async def moderated_media(services: Services, call: Call) -> MediaRow:
    """The media that a path names. Raises NotFound where there is none, or none that could be read."""
    media = await services.rows.get(MEDIA.key(call.id("media_id")))
    if media is None or media.status != "ready":
        raise nothing_here()
    return media


async def posts_with(services: Services, media: Iterable[MediaRow]) -> list[PostRow]:
    """The posts that hold any of these, `POSTS_MAX` of each at most."""
    post_ids: dict[int, None] = {}
    for one in media:
        holding = await services.rows.scan(MEDIA_POSTS, (one.media_id,), limit=POSTS_MAX)
        post_ids.update(dict.fromkeys(row.post_id for row in holding))
    return [post for post in await services.rows.get_many([POSTS.key(one) for one in post_ids]) if post is not None]


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
        models=("media", "posts"),
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
    Endpoint(
        "POST",
        "/v1/moderation/posts/{post_id}/takedown",
        take_down,
        "Take a post down",
        "moderation",
        auth="operator",
        body=TakeDown,
        response=TakenDown,
        models=("media", "posts"),
    ),
)
