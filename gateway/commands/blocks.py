"""Commands of moderators on the block-list: contents that nobody may publish."""

from typing import Annotated

import msgspec

from gateway.blocking import block_of, keep_thumbprint
from gateway.commands.moderation import Note, clean_note
from gateway.endpoint import Body, Call, Command, Endpoint, IdText, parse_id
from gateway.services import Services
from gateway.visibility import nothing_here
from photolog.errors import Conflict, Invalid
from photolog.media.content_keys import content_key
from photolog.media.thumbprints import blocked_thumbprint_key
from projections.blocks import BLOCKED_CONTENTS
from projections.media import MEDIA
from schemas.events import ContentBlocked, ContentUnblocked, HouseRule

_Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
_Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]


class Block(Body, frozen=True, kw_only=True):
    """A content by a media record, by its digest as the queue and blocks tell it, or by the SHA-256 of its file (64
    hexadecimal digits each); with either of these a photograph's perceptual hash, 16 digits."""

    rule: HouseRule
    media_id: IdText | None = None
    digest: _Digest | None = None
    sha256: _Digest | None = None
    phash: _Hash | None = None
    note: Note = ""


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    digest: str


async def block(services: Services, call: Call) -> Command:
    """Block a content. What is uploaded from now on is refused; what is published stays, and is to be taken down."""
    body: Block = call.body
    if sum(one is not None for one in (body.media_id, body.digest, body.sha256)) != 1:
        raise Invalid("misplaced-content", "give one of media_id, digest and sha256", "media_id")
    if body.phash is not None and body.media_id is not None:
        raise Invalid("misplaced-content", "a perceptual hash goes with a digest", "phash")
    event = await _by_media(services, call) if body.media_id is not None else _by_digest(services, call)
    return Command((event,), Blocked(digest=event.digest), status=201, wait_for=("blocks",))


async def _by_media(services: Services, call: Call) -> ContentBlocked:
    body: Block = call.body
    media = await services.rows.get(MEDIA.key(parse_id(body.media_id or "")))
    if media is None or media.status != "ready":
        raise nothing_here()
    if not media.digest:
        raise Conflict("no-fingerprints", "this media was uploaded before fingerprints were taken")
    await keep_thumbprint(services, media)
    return block_of(media, body.rule, call.operator_name, clean_note(body.note))


def _by_digest(services: Services, call: Call) -> ContentBlocked:
    body: Block = call.body
    # Digests are kept keyed, and a list of somebody else's has plain ones.
    digest = body.digest or content_key(services.settings).of(body.sha256 or "")
    phash = None if body.phash is None else int.from_bytes(bytes.fromhex(body.phash), "big", signed=True)
    return ContentBlocked(
        digest=digest, rule=body.rule, operator=call.operator_name, note=clean_note(body.note), phash=phash
    )


async def unblock(services: Services, call: Call) -> Command:
    """Allow a content again. What was refused meanwhile stays refused until somebody decides otherwise."""
    digest = call.path["digest"]
    if await services.rows.get(BLOCKED_CONTENTS.key(digest)) is None:
        raise nothing_here()

    async def forget() -> None:
        await services.objects.delete(blocked_thumbprint_key(digest))

    event = ContentUnblocked(digest=digest, operator=call.operator_name)
    return Command((event,), status=204, wait_for=("blocks",), acknowledged=forget)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        "/v1/moderation/blocks",
        block,
        "Block a content",
        "moderation",
        auth="operator",
        body=Block,
        response=Blocked,
        status=201,
        models=("media",),
        body_names=True,
    ),
    Endpoint(
        "DELETE",
        "/v1/moderation/blocks/{digest}",
        unblock,
        "Allow a blocked content again",
        "moderation",
        auth="operator",
        status=204,
        models=("blocks",),
    ),
)
