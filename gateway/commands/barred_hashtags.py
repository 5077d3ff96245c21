"""Commands of moderators on hashtags: which of them are not to trend."""

from typing import Annotated, Literal

import msgspec

from gateway.endpoint import Body, Call, Command, Endpoint
from gateway.services import Services
from gateway.visibility import nothing_here
from photolog.errors import Conflict, Invalid
from photolog.text import fold_hashtag, read_caption
from projections.barred_hashtags import ALL, BARRED_HASHTAGS
from schemas.events import HashtagBarred, HashtagUnbarred

BARRED_MAX = 1_000
_CHARACTERS_MAX = 200


class BarHashtag(Body, frozen=True, kw_only=True):
    """A hashtag, with its sign or without it, and whether it is never to be promoted or only sensitive."""

    hashtag: Annotated[str, msgspec.Meta(min_length=1, max_length=_CHARACTERS_MAX)]
    reason: Literal["blocked", "sensitive"] = "blocked"


class Barred(msgspec.Struct, frozen=True, kw_only=True):
    """The hashtag in the form in which all its spellings are compared."""

    hashtag: str


async def bar(services: Services, call: Call) -> Command:
    """Keep a hashtag out of trends, at once. Posts that have it stay as they are."""
    body: BarHashtag = call.body
    hashtag = _hashtag(body.hashtag)
    barred = await _barred(services)
    if len(barred) >= BARRED_MAX and hashtag not in barred:
        raise Conflict("too-many-hashtags", f"at most {BARRED_MAX:,} hashtags are barred; allow another first")
    event = HashtagBarred(hashtag=hashtag, reason=body.reason, operator=call.operator_name)
    return Command((event,), Barred(hashtag=hashtag), status=201, wait_for=("barred_hashtags",))


async def allow(services: Services, call: Call) -> Command:
    """Let a hashtag trend again, by what is used from now on."""
    hashtag = fold_hashtag(call.path["hashtag"])
    if hashtag not in await _barred(services):
        raise nothing_here()
    event = HashtagUnbarred(hashtag=hashtag, operator=call.operator_name)
    return Command((event,), status=204, wait_for=("barred_hashtags",))


async def _barred(services: Services) -> list[str]:
    row = await services.rows.get(BARRED_HASHTAGS.key(ALL))
    return row.hashtags if row is not None else []


def _hashtag(text: str) -> str:
    """The one hashtag that a text is.

    Raises:
        Invalid: it is none, or more than one.
    """
    found = read_caption("#" + text.lstrip("#＃"), "hashtag").hashtags
    if found != (fold_hashtag(text.lstrip("#＃")),):
        raise Invalid("no-hashtag", "this is not one hashtag", "hashtag")
    return found[0]


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        "/v1/moderation/hashtags",
        bar,
        "Keep a hashtag out of trends",
        "moderation",
        auth="operator",
        body=BarHashtag,
        response=Barred,
        status=201,
        models=("barred_hashtags",),
    ),
    Endpoint(
        "DELETE",
        "/v1/moderation/hashtags/{hashtag}",
        allow,
        "Let a hashtag trend again",
        "moderation",
        auth="operator",
        status=204,
        models=("barred_hashtags",),
    ),
)
