"""Commands on posts: publish photographs, change a caption, delete."""

from typing import Annotated

import msgspec

from gateway.endpoint import Body, Call, Command, Endpoint
from gateway.geohash import geohash
from gateway.services import Services
from gateway.usable_media import media_id_in, require_usable
from gateway.visibility import own_post
from photolog.errors import Conflict, Invalid
from photolog.text import clean_text, read_caption
from projections.accounts import ACCOUNTS
from schemas.events import Location, PostCaptionChanged, PostCreated, PostDeleted, Purpose

PHOTOGRAPHS_MAX = 10
ALT_TEXT_CHARACTERS_MAX = 1_000
PLACE_CHARACTERS_MAX = 100
_Id = Annotated[str, msgspec.Meta(max_length=64)]
_Characters = Annotated[str, msgspec.Meta(max_length=20_000)]  # the cleaned text has a narrower bound of its own


class TaggedPlace(Body, frozen=True, kw_only=True):
    """Where a post was made, as its author says; degrees of WGS 84, both or neither."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None


class CreatePost(Body, frozen=True, kw_only=True):
    """A post of one to ten photographs whose uploads are complete. `alt_texts` has an entry, or null, for each."""

    media_ids: Annotated[list[_Id], msgspec.Meta(min_length=1, max_length=PHOTOGRAPHS_MAX)]
    caption: _Characters | None = None
    alt_texts: Annotated[list[_Characters | None], msgspec.Meta(max_length=PHOTOGRAPHS_MAX)] | None = None
    location: TaggedPlace | None = None


class ChangeCaption(Body, frozen=True, kw_only=True):
    """The whole new caption; null or empty for none."""

    caption: _Characters | None


class PostAccepted(msgspec.Struct, frozen=True, kw_only=True):
    post_id: str
    status: str = "processing"


class PostChanged(msgspec.Struct, frozen=True, kw_only=True):
    post_id: str


async def create(services: Services, call: Call) -> Command:
    """Create a post. It is published once every photograph's variants are made, and it is allowed."""
    body: CreatePost = call.body
    media_ids = _distinct(body.media_ids)
    alt_texts = _alt_texts(body.alt_texts, len(media_ids))
    caption = read_caption(body.caption or "")
    location = _location(body.location)
    for number, media_id in enumerate(media_ids):
        await require_usable(services, call.viewer, media_id, f"media_ids[{number}]", _require_shown)
    post_id = services.ids.next()
    event = PostCreated(
        post_id=post_id,
        owner_id=call.viewer,
        media_ids=media_ids,
        alt_texts=alt_texts,
        caption=caption.text or None,
        mentions=list(caption.mentions),
        location=location,
        hashtags=list(caption.hashtags),
        audience="followers" if await _private(services, call.viewer) else "public",
        coarse_cell=_cell(location),
    )
    return Command((event,), PostAccepted(post_id=str(post_id)), status=201)


async def change_caption(services: Services, call: Call) -> Command:
    """Replace the caption of the viewer's own post, and with it the hashtags and mentions."""
    body: ChangeCaption = call.body
    caption = read_caption(body.caption or "")
    post = await own_post(services.rows, call.viewer, call.id("post_id"))
    event = PostCaptionChanged(
        post_id=post.post_id,
        owner_id=post.owner_id,
        caption=caption.text or None,
        mentions=list(caption.mentions),
        hashtags=list(caption.hashtags),
    )
    return Command((event,), PostChanged(post_id=str(post.post_id)))


async def delete(services: Services, call: Call) -> Command:
    """Delete the viewer's own post, for good."""
    post = await own_post(services.rows, call.viewer, call.id("post_id"))
    event = PostDeleted(post_id=post.post_id, owner_id=post.owner_id)
    return Command((event,), status=204, wait_for=("posts",))


def _distinct(texts: list[str]) -> list[int]:
    media_ids = [media_id_in(text, f"media_ids[{number}]") for number, text in enumerate(texts)]
    if len(set(media_ids)) != len(media_ids):
        raise Invalid("repeated-media", "a post holds a photograph once", "media_ids")
    return media_ids


def _alt_texts(texts: list[str | None] | None, photographs: int) -> list[str | None]:
    if texts is None:
        return [None] * photographs
    if len(texts) != photographs:
        raise Invalid("wrong-alt-texts", "give an alt text, or null, for each photograph", "alt_texts")
    return [
        clean_text(text, f"alt_texts[{number}]", ALT_TEXT_CHARACTERS_MAX) if text else None
        for number, text in enumerate(texts)
    ]


def _location(place: TaggedPlace | None) -> Location | None:
    if place is None:
        return None
    if (place.latitude is None) != (place.longitude is None):
        raise Invalid("half-a-place", "latitude and longitude go together", "location")
    name = clean_text(place.name, "location.name", PLACE_CHARACTERS_MAX).strip()
    if not name:
        raise Invalid("empty-text", "a place has a name", "location.name")
    return Location(name=name, latitude=place.latitude, longitude=place.longitude)


def _cell(location: Location | None) -> str | None:
    if location is None or location.latitude is None or location.longitude is None:
        return None
    return geohash(location.latitude, location.longitude)


def _require_shown(purpose: Purpose, field: str) -> None:
    if purpose == "voice":
        raise Invalid("voice-note", "a voice note is no part of a post", field)
    if purpose == "story":
        raise Invalid("made-for-a-story", "it was uploaded for a story; upload it once more to post it", field)


async def _private(services: Services, viewer: int) -> bool:
    """Whether the viewer's account is private now."""
    account = await services.rows.get(ACCOUNTS.key(viewer))
    if account is None:
        raise Conflict("account-not-ready", "the account is being made; try again")
    return account.private


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/v1/posts", create, "Create a post", "posts", body=CreatePost, response=PostAccepted, status=201),
    Endpoint(
        "PATCH",
        "/v1/posts/{post_id}",
        change_caption,
        "Change a caption",
        "posts",
        body=ChangeCaption,
        response=PostChanged,
        models=("posts",),
    ),
    Endpoint("DELETE", "/v1/posts/{post_id}", delete, "Delete a post", "posts", status=204, models=("posts",)),
)
