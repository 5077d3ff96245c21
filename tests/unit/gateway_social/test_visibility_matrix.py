"""Every endpoint, asked by every kind of viewer about every kind of target: what is hidden looks as if it never was.

A new endpoint has no line in `MATRIX` yet, and the first test here says so.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
import pytest

from gateway.endpoint import Endpoint, ListQuery
from gateway.routes import ENDPOINTS
from photolog.ids import EPOCH_MS
from photolog.timestamps import rfc3339
from tests.unit.gateway_social.matrix_lines import ALONE, NOBODY, Line
from tests.unit.gateway_social.matrix_world import VIEWERS, MatrixWorld, Seen, matrix_world
from tests.unit.gateway_social.story_lines import PICTURE, STORY_LINES, STORY_SHOWN, VIEWS_TAKEN

# What each letter in the tables below asks for. `VIEWERS` tells who A, S, P, X, B, M, F, C, L, Z and O are.
OUTCOMES = {
    "+": "done, or shown",
    ".": "not there: byte for byte what an id gets that nothing ever had, and nothing is appended",
    "p": "403 private-account",
    "y": "403 not-yours",
    "z": "403 account-suspended: the viewer's own account is",
    "u": "401: nobody without an account may ask",
    "c": "409, a conflict with what the target is now",
    "i": "422, the request cannot be meant",
    "n": "422, byte for byte as for an id that nothing ever had, and nothing is appended",
    "g": "410 post-taken-down: the viewer's own, and why",
    "t": "410 story-taken-down: the viewer's own, and why",
}
_STATUS = {"p": 403, "y": 403, "z": 403, "u": 401, "c": 409, "i": 422, "n": 422, "g": 410, "t": 410}
_TYPE = {
    "p": "private-account",
    "y": "not-yours",
    "z": "account-suspended",
    "g": "post-taken-down",
    "t": "story-taken-down",
}
_KIND_WITHOUT_GRANT = ("/problems/invalid-token", "/problems/unauthenticated")
_ORDER = tuple(VIEWERS)

# fmt: off
#                        A S P X B M F C L Z O
PROFILE = {
    "public account":    "+ + + . . + + + + z +",
    "private account":   "+ + + . . + + + + z +",
    "suspended account": ". . . . . . . . . z z",
    "deleted account":   ". . . . . . . . . z u",
}
GRID = PROFILE | {
    "private account":   "p p p . . + + + p z +",
}
LISTS = {
    "public account":    "u + + . . + + + + z +",
    "private account":   "u p p . . + + + p z +",
    "suspended account": "u . . . . . . . . z z",
    "deleted account":   "u . . . . . . . . z u",
}
RELATIONSHIP = {  # who blocks may ask after whom they block
    "public account":    "u + + . + + + + + z +",
    "private account":   "u + + . + + + + + z +",
    "suspended account": "u . . . + . . . . z z",
    "deleted account":   "u . . . . . . . . z u",
}
FOLLOW = {
    "public account":    "u + + . . + + + + z i",
    "private account":   "u + + . . + + + + z i",
    "suspended account": "u . . . . . . . . z z",
    "deleted account":   "u . . . . . . . . z u",
}
UNFOLLOW = FOLLOW | {
    "suspended account": "u . + . . + + + . z z",
}
BLOCK = {
    "public account":    "u + + . + + + + + z i",
    "private account":   "u + + . + + + + + z i",
    "suspended account": "u . . . + . . . . z z",
    "deleted account":   "u . . . . . . . . z u",
}
UNMUTE = FOLLOW | {
    "suspended account": "u . . . . + . . . z z",
}
UNASKED = {  # none of the owners follows a viewer, or asks to
    "public account":    "u . . . . . . . . z .",
    "private account":   "u . . . . . . . . z .",
    "suspended account": "u . . . . . . . . z z",
    "deleted account":   "u . . . . . . . . z u",
}
POST = {
    "public post":       "+ + + . . + + + + z +",
    "private post":      ". . . . . + + + . z +",
    "suspended post":    ". . . . . . . . . z z",
    "deleted post":      ". . . . . . . . . z .",
    "processing post":   ". . . . . . . . . z +",
    "rejected post":     ". . . . . . . . . z +",
    "orphaned post":     ". . . . . . . . . z u",
    "taken-down post":   ". . . . . . . . . z .",
}
PHOTOGRAPH = POST | {  # it stays its owner's when the post is gone, if it was not taken down
    "deleted post":      ". . . . . . . . . z +",
}
TAKEN_DOWN = POST | {  # who asks for the post itself is told
    "taken-down post":   ". . . . . . . . . z g",
}
ACT_ON_POST = {
    "public post":       "u + + . . + + + + z +",
    "private post":      "u . . . . + + + . z +",
    "suspended post":    "u . . . . . . . . z z",
    "deleted post":      "u . . . . . . . . z .",
    "processing post":   "u . . . . . . . . z c",
    "rejected post":     "u . . . . . . . . z c",
    "orphaned post":     "u . . . . . . . . z u",
    "taken-down post":   "u . . . . . . . . z .",
}
TAKE_BACK = ACT_ON_POST | {
    "processing post":   "u . . . . . . . . z +",
    "rejected post":     "u . . . . . . . . z +",
}
OWN_POST = {
    "public post":       "u y y . . y y y y z +",
    "private post":      "u . . . . y y y . z +",
    "suspended post":    "u . . . . . . . . z z",
    "deleted post":      "u . . . . . . . . z .",
    "processing post":   "u . . . . . . . . z +",
    "rejected post":     "u . . . . . . . . z +",
    "orphaned post":     "u . . . . . . . . z u",
    "taken-down post":   "u . . . . . . . . z .",
}
OWN_COMMENT = OWN_POST | {  # who wrote it may take it back whatever became of the post
    "deleted post":      "u . . . . . . . . z +",
    "taken-down post":   "u . . . . . . . . z +",
}
OWN_PHOTOGRAPH = {
    "public post":       "u . . . . . . . . z +",
    "private post":      "u . . . . . . . . z +",
    "deleted post":      "u . . . . . . . . z +",
    "orphaned post":     "u . . . . . . . . z u",
    "taken-down post":   "u . . . . . . . . z +",
}
OWN_UPLOAD = {
    "open upload":       "u . . . . . . . . z +",
}
LIKE_COMMENT = POST | {  # who wrote it is the post's author, and hidden from the same people
    "public post":       "u + + . . + + + + z +",
    "private post":      "u . . . . + + + . z +",
    "suspended post":    "u . . . . . . . . z z",
    "deleted post":      "u . . . . . . . . z .",
    "processing post":   "u . . . . . . . . z +",
    "rejected post":     "u . . . . . . . . z +",
    "orphaned post":     "u . . . . . . . . z u",
    "taken-down post":   "u . . . . . . . . z .",
}
LIKERS = LIKE_COMMENT
REPORT = LIKE_COMMENT | {
    "public post":       "u + + . . + + + + z i",
    "private post":      "u . . . . + + + . z i",
    "processing post":   "u . . . . . . . . z i",
    "rejected post":     "u . . . . . . . . z i",
}
UNSAVE = dict.fromkeys(POST, "u + + + + + + + + z +") | {  # what one saved one may forget, hidden or not
    "suspended post":    "u + + + + + + + + z z",
    "orphaned post":     "u + + + + + + + + z u",
}
UNTOLD = UNSAVE  # telemetry is answered alike, whatever it is about
OPEN_UPLOAD = {  # its parts never came
    "open upload":       "u . . . . . . . . z c",
}
OWN_SESSION = {
    "session":           "u . . . . . . . . z +",
}
OWN_EXPORT = {
    "export":            "u . . . . . . . . z +",
}

# In lists of what somebody else has: whether the owner's part of it is among what the viewer gets.
#                        A S P X B M F C L Z O
AMONG_OTHERS = {
    "public account":    "+ + + . . + + + + z +",
    "private account":   "+ + + . . + + + + z +",
    "suspended account": ". . . . . . . . . z z",
    "deleted account":   ". . . . . . . . . z u",
}
AMONG_PEOPLE = {account: f"u{letters[1:]}" for account, letters in AMONG_OTHERS.items()}
# In lists of the viewer's own.
ASKED = {
    "public account":    "u . + . . . . . . z .",
    "private account":   "u . + . . . . . . z .",
    "suspended account": "u . . . . . . . . z z",
    "deleted account":   "u . . . . . . . . z u",
}
BLOCKED = {
    "public account":    "u . . . + . . . . z .",
    "suspended account": "u . . . + . . . . z z",
    "deleted account":   "u . . . . . . . . z u",
}
MUTED = {
    "public account":    "u . . . . + . . . z .",
    "suspended account": "u . . . . . . . . z z",
    "deleted account":   "u . . . . . . . . z u",
}
FEED = {
    "public post":       "u . . . . . + + . z +",
    "private post":      "u . . . . . + + . z +",
    "suspended post":    "u . . . . . . . . z z",
    "deleted post":      "u . . . . . . . . z .",
    "processing post":   "u . . . . . . . . z .",
    "rejected post":     "u . . . . . . . . z .",
    "orphaned post":     "u . . . . . . . . z u",
    "taken-down post":   "u . . . . . . . . z .",
}
SAVED = {  # everybody saved everything, whatever they may see of it
    "public post":       "u + + . . + + + + z +",
    "private post":      "u . . . . + + + . z +",
    "suspended post":    "u . . . . . . . . z z",
    "deleted post":      "u . . . . . . . . z .",
    "processing post":   "u . . . . . . . . z .",
    "rejected post":     "u . . . . . . . . z .",
    "orphaned post":     "u . . . . . . . . z u",
    "taken-down post":   "u . . . . . . . . z .",
}
IN_GRID = POST | {  # the grid of the post's author
    "private post":      "p p p . . + + + p z +",
}
# fmt: on


MATRIX: Mapping[str, Line] = {
    "POST /v1/accounts": ALONE,
    "PATCH /v1/me": ALONE,
    "PUT /v1/me/privacy": ALONE,
    "PUT /v1/me/password": ALONE,
    "POST /v1/sessions": ALONE,
    "POST /v1/sessions/refresh": ALONE,
    "GET /v1/sessions": ALONE,
    "DELETE /v1/sessions/current": ALONE,
    "DELETE /v1/sessions/{session_id}": Line(OWN_SESSION),
    "GET /v1/me": ALONE,
    "DELETE /v1/me": ALONE,
    "POST /v1/me/export": ALONE,
    "GET /v1/me/exports/{export_id}": Line(OWN_EXPORT),
    "GET /v1/erasures/keys": ALONE,
    "GET /v1/erasures/{receipt}": ALONE,
    "GET /v1/accounts/{account_id}": Line(PROFILE),
    "GET /v1/accounts/by-username/{username}": Line(PROFILE),
    "GET /v1/accounts/{account_id}/posts": Line(GRID),
    "GET /v1/accounts/{account_id}/followers": Line(LISTS),
    "GET /v1/accounts/{account_id}/following": Line(LISTS),
    "GET /v1/accounts/{account_id}/mutuals": Line(LISTS),
    "GET /v1/accounts/{account_id}/relationship": Line(RELATIONSHIP),
    "PUT /v1/accounts/{account_id}/follow": Line(FOLLOW),
    "DELETE /v1/accounts/{account_id}/follow": Line(UNFOLLOW),
    "PUT /v1/accounts/{account_id}/block": Line(BLOCK),
    "DELETE /v1/accounts/{account_id}/block": Line(BLOCK),
    "PUT /v1/accounts/{account_id}/mute": Line(FOLLOW),
    "DELETE /v1/accounts/{account_id}/mute": Line(UNMUTE),
    "DELETE /v1/me/followers/{account_id}": Line(UNASKED),
    "PUT /v1/me/requests": ALONE,
    "PUT /v1/me/requests/{account_id}": Line(UNASKED),
    "DELETE /v1/me/requests/{account_id}": Line(UNASKED),
    "GET /v1/me/requests": ALONE,
    "GET /v1/me/requests/sent": ALONE,
    "GET /v1/me/blocks": ALONE,
    "GET /v1/me/mutes": ALONE,
    "POST /v1/uploads": ALONE,
    "GET /v1/uploads/{media_id}": Line(OWN_PHOTOGRAPH),
    "POST /v1/uploads/{media_id}/complete": Line(OPEN_UPLOAD, {"parts": [{"number": 1, "etag": "x"}]}),
    "DELETE /v1/uploads/{media_id}": Line(OWN_UPLOAD),
    "POST /v1/posts": ALONE,
    "GET /v1/posts/{post_id}": Line(TAKEN_DOWN),
    "PATCH /v1/posts/{post_id}": Line(OWN_POST, {"caption": "new"}),
    "DELETE /v1/posts/{post_id}": Line(OWN_POST),
    "GET /v1/media/{media_id}/{variant}": Line({**PHOTOGRAPH, **PICTURE}),
    "GET /v1/feed": ALONE,
    "PUT /v1/posts/{post_id}/like": Line(ACT_ON_POST),
    "DELETE /v1/posts/{post_id}/like": Line(TAKE_BACK),
    "POST /v1/posts/{post_id}/comments": Line(ACT_ON_POST, {"text": "hi"}),
    "GET /v1/posts/{post_id}/comments": Line(POST),
    "DELETE /v1/posts/{post_id}/comments/{comment_id}": Line(OWN_COMMENT),
    "GET /v1/posts/{post_id}/comments/{comment_id}/replies": Line(POST),
    "PUT /v1/posts/{post_id}/comments/{comment_id}/like": Line(LIKE_COMMENT),
    "DELETE /v1/posts/{post_id}/comments/{comment_id}/like": Line(LIKE_COMMENT),
    "GET /v1/posts/{post_id}/likes": Line(LIKERS),
    "PUT /v1/posts/{post_id}/save": Line(ACT_ON_POST),
    "DELETE /v1/posts/{post_id}/save": Line(UNSAVE),
    "GET /v1/me/saved": ALONE,
    "POST /v1/posts/{post_id}/shares": Line(ACT_ON_POST, {"channel": "link"}),
    "POST /v1/reports": Line(REPORT, {"target": "post", "id": "{post_id}", "reason": "spam"}),
    "GET /v1/operator/reports": ALONE,
    "POST /v1/events": Line(
        UNTOLD,
        {"events": [{"type": "view", "post_id": "{post_id}", "surface": "post", "at": rfc3339(EPOCH_MS + 86_400_000)}]},
    ),
    "PUT /v1/operator/accounts/{account_id}/suspension": ALONE,
    "DELETE /v1/operator/accounts/{account_id}/suspension": ALONE,
    "DELETE /v1/operator/accounts/{account_id}": ALONE,
    "PUT /v1/operator/accounts/{account_id}/verification": ALONE,
    "DELETE /v1/operator/accounts/{account_id}/verification": ALONE,
    "GET /v1/moderation/queue": ALONE,
    "POST /v1/moderation/media/{media_id}/decision": ALONE,
    "POST /v1/moderation/media/{media_id}/reinstate": ALONE,
    "POST /v1/moderation/posts/{post_id}/takedown": ALONE,
    "POST /v1/moderation/stories/{story_id}/takedown": ALONE,
    "POST /v1/moderation/blocks": ALONE,
    "DELETE /v1/moderation/blocks/{digest}": ALONE,
    "GET /v1/moderation/hashtags": ALONE,
    "POST /v1/moderation/hashtags": ALONE,
    "DELETE /v1/moderation/hashtags/{hashtag}": ALONE,
    "GET /v1/trending": ALONE,  # the same for everybody: it names nobody
    "GET /v1/positions": ALONE,
    "GET /v1/streams": ALONE,  # the same for everybody
    "GET /v1/streams/events": ALONE,  # a grant's: no viewer's token opens it
    "GET /v1/streams/subscribe": ALONE,
    **STORY_LINES,
}


SHOWN: Mapping[str, Line] = {
    "GET /v1/accounts/{account_id}/followers": Line(AMONG_PEOPLE),
    "GET /v1/accounts/{account_id}/following": Line(AMONG_PEOPLE),
    "GET /v1/accounts/{account_id}/mutuals": Line(AMONG_PEOPLE),
    "GET /v1/posts/{post_id}/comments": Line(AMONG_OTHERS),
    "GET /v1/posts/{post_id}/likes": Line(AMONG_PEOPLE),
    "GET /v1/posts/{post_id}/comments/{comment_id}/replies": Line(AMONG_OTHERS),
    "GET /v1/me/saved": Line(SAVED),
    "GET /v1/operator/reports": NOBODY,
    "GET /v1/moderation/queue": NOBODY,
    "GET /v1/accounts/{account_id}/posts": Line(IN_GRID),
    "GET /v1/me/requests": NOBODY,  # nobody asks the viewers
    "GET /v1/me/requests/sent": Line(ASKED),
    "GET /v1/me/blocks": Line(BLOCKED),
    "GET /v1/me/mutes": Line(MUTED),
    "GET /v1/feed": Line(FEED),
    **STORY_SHOWN,
}
"""Every list, and for each kind of target whether it is in it: a list of the witness's, who knows every owner, or of
the viewer's own. Of stories every query, whether or not it is a list."""


def _is_list(endpoint: Endpoint) -> bool:
    return issubclass(endpoint.query, ListQuery) or (endpoint.tag == "stories" and endpoint.method == "GET")


@pytest.fixture(scope="module")
async def still() -> AsyncIterator[MatrixWorld]:
    """The world of the matrix; no test changes it."""
    async with matrix_world() as world:
        yield world


def test_every_endpoint_has_its_line() -> None:
    served = {f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS}
    missing, gone = sorted(served - MATRIX.keys()), sorted(MATRIX.keys() - served)
    assert not missing, f"add a line to MATRIX for {missing}: whom does it show what? ALONE if it names nobody else"
    assert not gone, f"there is no such endpoint any more: take {gone} out of MATRIX"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
async def test_what_each_viewer_gets(still: MatrixWorld, endpoint: Endpoint) -> None:
    line = MATRIX[f"{endpoint.method} {endpoint.path}"]
    for kind, letters in line.table.items():
        expected = letters.split()
        assert len(expected) == len(_ORDER)
        found = [await _outcome(still, endpoint, viewer, kind, line.body) for viewer in _ORDER]
        differing = [
            f"{VIEWERS[viewer]}: {OUTCOMES.get(got, got)}, not {OUTCOMES[wanted]}"
            for viewer, got, wanted in zip(_ORDER, found, expected, strict=True)
            if got != wanted
        ]
        assert not differing, f"{kind}: {' '.join(found)}; {'; '.join(differing)}"


def test_every_list_has_its_line() -> None:
    lists = {f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS if _is_list(endpoint)}
    assert lists == SHOWN.keys(), "add a line to SHOWN for a new list: whose part in it does it show to whom?"


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if _is_list(one)], ids=lambda one: one.path)
async def test_whom_and_what_a_list_shows(still: MatrixWorld, endpoint: Endpoint) -> None:
    line = SHOWN[f"{endpoint.method} {endpoint.path}"]
    for kind, letters in line.table.items():
        found = [await _listed(still, endpoint, viewer, kind, line.mark) for viewer in _ORDER]
        assert found == letters.split(), f"{kind}: {' '.join(found)}"


def test_every_endpoint_of_stories_is_asked_about_every_kind_of_story() -> None:
    kinds = {kind for kind in VIEWS_TAKEN if kind.endswith("story")}
    served = {f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS if endpoint.tag == "stories"}
    assert served == STORY_LINES.keys()
    of_accounts = {name for name in served if "{account_id}" in name}
    for name in served - of_accounts:
        asked = set(STORY_LINES[name].table) | set(STORY_SHOWN[name].table if name in STORY_SHOWN else ())
        assert asked == kinds, f"{name} is not asked about {kinds - asked}"


@pytest.mark.parametrize("kind", VIEWS_TAKEN)
async def test_whose_views_of_a_story_are_taken(still: MatrixWorld, kind: str) -> None:
    (views,) = [one for one in ENDPOINTS if one.path == "/v1/stories/views"]
    target, body = still.targets[kind], STORY_LINES["POST /v1/stories/views"].body
    found = []
    for viewer in _ORDER:
        seen, appended = await still.ask(views, viewer, target, body)
        assert set(appended) <= {"story.viewed"}
        found.append(_letter(seen) if seen[0] >= 400 else "+" if appended else ".")
        if seen[0] < 400:
            assert seen == await still.ask_for_nothing(views, viewer, target, body), "the answer tells nothing"
    assert found == VIEWS_TAKEN[kind].split(), " ".join(found)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
async def test_what_needs_a_token_is_refused_without_a_fitting_one(still: MatrixWorld, endpoint: Endpoint) -> None:
    target = still.anything()
    if endpoint.auth in ("account", "operator", "any"):
        (status, _, _), appended = await still.ask(endpoint, "A", target)
        assert (status, appended) == (401, [])
    if endpoint.auth == "grant":
        for viewer in _ORDER:
            (status, body, _), appended = await still.ask(endpoint, viewer, target)
            kind = msgspec.json.decode(body)["type"]
            assert (status, kind, appended) == (401, _KIND_WITHOUT_GRANT[viewer == "A"], []), VIEWERS[viewer]
    if endpoint.auth == "operator":
        (status, _, _), appended = await still.ask(endpoint, "O", target)
        assert (status, appended) == (403, [])


async def _listed(world: MatrixWorld, endpoint: Endpoint, viewer: str, kind: str, mark: str) -> str:
    """Whether the target is in the list, or what the mark stands for in an answer."""
    target = world.targets[kind]
    asked = world.with_witness(target) if kind.endswith("account") else target
    seen, _ = await world.ask(endpoint, viewer, asked)
    if seen[0] >= 400:
        return _letter(seen)
    return "+" if f'"{mark.format(**target.names)}"'.encode() in seen[1] else "."


async def _outcome(world: MatrixWorld, endpoint: Endpoint, viewer: str, kind: str, body: Any) -> str:
    """The letter that stands for what a viewer gets; a sentence where none does."""
    target = world.targets[kind]
    seen, appended = await world.ask(endpoint, viewer, target, body)
    status = seen[0]
    if not dict(seen[2])["cache-control"].startswith(("private", "no-store")):
        return f"{status}, which caches that others share may keep"
    if status < 400:
        return "+" if endpoint.method != "GET" or not appended else f"a query appended {appended}"
    if appended:
        return f"{status}, and {appended} appended"
    if status == 404:
        nothing = await world.ask_for_nothing(endpoint, viewer, target, body)
        return "." if seen == nothing else f"404 {seen}, unlike what is not there: {nothing}"
    if status == 422 and seen == await world.ask_for_nothing(endpoint, viewer, target, body):
        return "n"
    return _letter(seen)


def _letter(seen: Seen) -> str:
    status, body, _ = seen
    if status == 404:
        return "."
    kind = msgspec.json.decode(body)["type"].removeprefix("/problems/")
    for letter, wanted in _STATUS.items():
        if status == wanted and _TYPE.get(letter, kind) == kind:
            return letter
    return f"{status} {kind}"
