"""A world in which every kind of viewer meets every kind of target, behind the gateway's real ASGI application.

It is made once and then stands still: what a command appends is taken out of the log again and never folded, so that
each question is asked of the same world.
"""

import contextlib
import copy
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import httpx
import msgspec

from gateway.appending import encode
from gateway.endpoint import Command, Endpoint
from gateway.read_models import READ_MODELS
from gateway.vault.port import ExportRow, UploadRow
from projections.stores.port import Source, StoredPosition
from schemas import events as e
from schemas.topics import TOPICS
from tests.unit.gateway.river import PARTITION, Person, River, person
from tests.unit.gateway_social.world import MemoryObjects

VIEWERS = {
    "A": "anonymous",
    "S": "a stranger",
    "P": "one whose request is pending",
    "X": "one whom the owner blocks",
    "B": "one who blocks the owner",
    "M": "a follower who mutes the owner",
    "F": "a follower",
    "C": "a follower whom the owner counts among their close friends",
    "L": "a stranger whom the owner counts among their close friends",
    "Z": "a follower who is suspended",
    "O": "the owner",
}
ACCOUNTS = ("public", "private", "suspended", "deleted")
POSTS = {
    "public": ("public", "published"),
    "private": ("private", "published"),
    "suspended": ("suspended", "published"),
    "orphaned": ("deleted", "published"),
    "deleted": ("public", "deleted"),
    "taken-down": ("public", "taken-down"),
    "processing": ("public", "processing"),
    "rejected": ("public", "rejected"),
}
"""Each kind of post: whose it is, and what became of it."""

STORIES: Mapping[str, tuple[str, e.StoryAudience, str]] = {
    "public": ("public", "everyone", "live"),
    "private": ("private", "everyone", "live"),
    "public close": ("public", "close_friends", "live"),
    "private close": ("private", "close_friends", "live"),
    "ended": ("public", "everyone", "ended"),
    "ended close": ("private", "close_friends", "ended"),
    "processing": ("public", "everyone", "processing"),
    "rejected": ("public", "everyone", "rejected"),
    "deleted": ("public", "everyone", "deleted"),
    "taken-down": ("public", "everyone", "taken-down"),
    "suspended": ("suspended", "everyone", "live"),
    "orphaned": ("deleted", "everyone", "live"),
}
"""Each kind of story: what its owner is, who has no other; for whom it is, and what became of it."""

UNKNOWN_ID = "4242424242"
_VARIANT = e.MediaVariant(
    name="w640.jpg", content_type="image/jpeg", width=640, height=480, size_bytes=9, object_key="processed/w640"
)
_NAMED = str.maketrans(" -", "__")
_FAR = 1 << 40
_OF_THE_REQUEST = {"date", "x-request-id", "photolog-position", "ratelimit"}
Seen = tuple[int, bytes, tuple[tuple[str, str], ...]]
"""Status, body and headers, without what differs between any two requests."""


@dataclass(frozen=True, slots=True)
class Target:
    """What an endpoint is asked about.

    Args:
        owner: whose it is.
        names: values for the parameters of a path, and for `{name}` in a body.
    """

    owner: Person
    names: Mapping[str, str]


class Objects(MemoryObjects):
    """A bucket with addresses that a client can parse."""

    def presign_get(self, key: str, seconds: int) -> str:
        return f"https://store.test/{key}"


class MatrixWorld:
    """The people, what they made, and how to ask for it."""

    def __init__(self, river: River, client: httpx.AsyncClient) -> None:
        self.river = river
        self.client = client
        self.targets: dict[str, Target] = {}
        self._witness: dict[str, str] = {}
        self._viewers: dict[str, Person] = {}
        self._unknown: dict[tuple[str, str], Seen] = {}
        self._vault: dict[str, Any] = {}

    async def make(self) -> None:
        """Let everything happen, then let the jobs be for ever where they are wanted."""
        for letter in VIEWERS:
            if letter not in "AO":
                self._viewers[letter] = await person(self.client, f"viewer_{letter.lower()}")
        for kind in ACCOUNTS:
            owner = await person(self.client, f"owner_{kind}", private=kind == "private")
            names = {"account_id": owner.account_id, "username": owner.username, "id": owner.account_id}
            self.targets[f"{kind} account"] = Target(owner, names)
            await self._relate(int(owner.account_id))
        for kind, (account, fate) in POSTS.items():
            await self._post(kind, self.targets[f"{account} account"].owner, fate)
        for kind, (account, audience, fate) in STORIES.items():
            owner = await person(self.client, f"teller_{kind.translate(_NAMED)}", private=account == "private")
            await self._relate(int(owner.account_id))
            await self._story(kind, owner, audience, fate)
        await self._make_witness()
        await self._save_everything()
        for kind in ("suspended account", "suspended story"):
            await self._suspend(self.targets[kind].owner)
        await self._suspend(self._viewers["Z"])
        for kind in ("deleted account", "orphaned story"):
            await happen(self.river, e.AccountDeleted(account_id=int(self.targets[kind].owner.account_id)))
        await self._stand_still()

    def with_witness(self, target: Target) -> Target:
        """The same target, asked for in what the witness has: a post that all owners commented on, and so on."""
        return Target(target.owner, {**target.names, **self._witness})

    def anything(self) -> Target:
        """A target with a value for every parameter of a path."""
        names = {"digest": "0" * 64, "hashtag": "dusk"}
        for target in self.targets.values():
            names.update(target.names)
        return Target(next(iter(self.targets.values())).owner, names)

    def viewer(self, letter: str, target: Target) -> Person | None:
        """Who stands for a kind of viewer; None for the anonymous one."""
        return target.owner if letter == "O" else self._viewers.get(letter)

    async def ask(self, endpoint: Endpoint, letter: str, target: Target, body: Any = None) -> tuple[Seen, list[str]]:
        """Send a request; what came back, and the types of the events that it appended."""
        return await self._send(endpoint, self.viewer(letter, target), target.names, body)

    async def ask_for_nothing(self, endpoint: Endpoint, letter: str, target: Target, body: Any = None) -> Seen:
        """Send the same request with ids that nothing ever had."""
        key = (f"{endpoint.method} {endpoint.path}", letter if letter != "O" else target.owner.username)
        if key not in self._unknown:
            names = {"username": "nobody_at_all"} | {name: UNKNOWN_ID for name in target.names if name != "username"}
            seen, appended = await self._send(endpoint, self.viewer(letter, target), names | _fixed(target.names), body)
            assert not appended
            self._unknown[key] = seen
        return self._unknown[key]

    async def _send(
        self, endpoint: Endpoint, viewer: Person | None, names: Mapping[str, str], body: Any
    ) -> tuple[Seen, list[str]]:
        headers = dict(viewer.authorization) if viewer else {}
        content = None if body is None else msgspec.json.encode(_filled(body, names))
        if content is not None:
            headers = headers | {"content-type": "application/json"}
        before = len(self.river.records)
        answer = await self.client.request(
            endpoint.method, endpoint.path.format(**names), headers=headers, content=content
        )
        appended = [dict(record.headers)["ce_type"].decode() for record in self.river.records[before:]]
        if endpoint.method != "GET":
            del self.river.records[before:]
            self._restore_vault()
        return _seen(answer), appended

    async def _suspend(self, suspended: Person) -> None:
        event = e.AccountSuspended(account_id=int(suspended.account_id), reason="spam", operator="op")
        await happen(self.river, event)

    async def _relate(self, owner: int) -> None:
        """Let each viewer be to the owner what its letter says. Being among close friends opens nothing to the
        blocked."""
        viewers = {letter: int(one.account_id) for letter, one in self._viewers.items()}
        for letter in "XBMFZC":
            await happen(
                self.river, e.FollowCreated(follower_id=viewers[letter], followee_id=owner, wanted_status="active")
            )
        for letter in "XBCL":
            await happen(self.river, e.CloseFriendAdded(owner_id=owner, friend_id=viewers[letter]))
        await happen(
            self.river,
            e.FollowCreated(follower_id=viewers["P"], followee_id=owner, wanted_status="pending"),
            e.AccountBlocked(blocker_id=owner, blocked_id=viewers["X"]),
            e.AccountBlocked(blocker_id=viewers["B"], blocked_id=owner),
            e.AccountMuted(muter_id=viewers["M"], muted_id=owner),
        )

    async def _make_witness(self) -> None:
        """Somebody whom everyone may see, who and every owner follow each other, and on whose post they all act."""
        witness = await person(self.client, "witness")
        account_id = int(witness.account_id)
        await self._post("witness's", witness, "published")
        names = self.targets["witness's post"].names
        post_id, comment_id = int(names["post_id"]), int(names["comment_id"])
        for kind in ACCOUNTS:
            owner = self._id(kind)
            await happen(
                self.river,
                e.FollowCreated(follower_id=owner, followee_id=account_id, wanted_status="active"),
                e.FollowCreated(follower_id=account_id, followee_id=owner, wanted_status="active"),
                e.PostLiked(actor_id=owner, post_id=post_id),
                e.CommentCreated(
                    comment_id=self.river.services.ids.next(), post_id=post_id, author_id=owner, text="theirs"
                ),
                e.CommentCreated(
                    comment_id=self.river.services.ids.next(),
                    post_id=post_id,
                    author_id=owner,
                    text="theirs too",
                    parent_id=comment_id,
                ),
            )
        self._witness = {
            "account_id": witness.account_id,
            "post_id": str(post_id),
            "comment_id": str(comment_id),
        }
        again = await Person(self.client, "witness").log_in()
        export_id = self.river.services.ids.next()
        await self.river.vault.exports.begin(
            ExportRow(account_id=account_id, export_id=export_id, requested_ms=self.river.now_ms)
        )
        self.targets["export"] = Target(witness, {"export_id": str(export_id)})
        self.targets["session"] = Target(witness, {"session_id": str(again.tokens["session_id"])})

    async def _save_everything(self) -> None:
        """Everybody saved every post, whatever became of it and of them since."""
        people = [int(one.account_id) for one in self._viewers.values()]
        for kind, (account, _) in POSTS.items():
            owner_id, post_id = self._id(account), int(self.targets[f"{kind} post"].names["post_id"])
            await happen(
                self.river,
                *(e.PostSaved(actor_id=who, post_id=post_id, owner_id=owner_id) for who in (*people, owner_id)),
            )

    async def _post(self, kind: str, owner: Person, fate: str) -> None:
        """A post with a comment of its author's, and an upload of theirs that is under way."""
        ids, owner_id = self.river.services.ids, int(owner.account_id)
        post_id, media_id, comment_id, upload_id = (ids.next() for _ in range(4))
        media = [e.MediaItem(media_id=media_id, width=640, height=480, variants=[_VARIANT.name])]
        await happen(
            self.river,
            e.MediaTranscodingCompleted(
                media_id=media_id, owner_id=owner_id, width=640, height=480, variants=[_VARIANT]
            ),
            created(post_id, owner_id, media_id),
        )
        if fate == "rejected":
            await happen(
                self.river,
                e.PostRejected(post_id=post_id, owner_id=owner_id, media_id=media_id, reason="damaged-image"),
            )
        elif fate != "processing":
            await happen(
                self.river,
                e.PostPublished(
                    post_id=post_id, owner_id=owner_id, published_ms=self.river.now_ms, delivery="push", media=media
                ),
            )
        await happen(
            self.river, e.CommentCreated(comment_id=comment_id, post_id=post_id, author_id=owner_id, text="mine")
        )
        if fate == "deleted":
            await happen(self.river, e.PostDeleted(post_id=post_id, owner_id=owner_id))
        if fate == "taken-down":
            await happen(
                self.river,
                e.MediaTakenDown(media_id=media_id, owner_id=owner_id, rule="hate", operator="op"),
                e.PostDeleted(post_id=post_id, owner_id=owner_id, taken_down="hate", operator="op"),
            )
        await self.river.vault.uploads.create(_upload(upload_id, owner_id))
        names = {"post_id": post_id, "comment_id": comment_id, "media_id": media_id, "account_id": owner_id}
        texts = {name: str(value) for name, value in names.items()}
        self.targets[f"{kind} post"] = Target(owner, texts | {"variant": _VARIANT.name, "id": str(post_id)})
        self.targets["open upload"] = Target(owner, {"media_id": str(upload_id)})

    async def _story(self, kind: str, owner: Person, audience: e.StoryAudience, fate: str) -> None:
        """A story which the follower answered and saw, and a highlight that keeps it."""
        story_id, media_id, reply_id, highlight_id = (self.river.services.ids.next() for _ in range(4))
        owner_id, fan_id = int(owner.account_id), int(self._viewers["F"].account_id)
        ends_ms = self.river.now_ms + (0 if fate == "ended" else 86_400_000)
        told, published = story_events(story_id, owner_id, media_id, audience, ends_ms)
        await happen(
            self.river,
            e.MediaTranscodingCompleted(
                media_id=media_id, owner_id=owner_id, width=640, height=480, variants=[_VARIANT], purpose="story"
            ),
            told,
            *_what_became(fate, story_id, owner_id, media_id, published),
            e.StoryReplied(reply_id=reply_id, story_id=story_id, owner_id=owner_id, sender_id=fan_id, text="lovely"),
            e.StoryReacted(story_id=story_id, owner_id=owner_id, sender_id=fan_id, reaction="🔥"),
            e.StoryViewCounted(
                story_id=story_id, owner_id=owner_id, viewer_id=fan_id, viewed_ms=1, views=1, expires_ms=ends_ms
            ),
            e.HighlightSaved(highlight_id=highlight_id, owner_id=owner_id, title="kept", story_ids=[story_id]),
        )
        names = {
            "story_id": story_id,
            "media_id": media_id,
            "reply_id": reply_id,
            "highlight_id": highlight_id,
            "account_id": owner_id,
            "fan_id": fan_id,
            "friend_id": self._viewers["C"].account_id,
        }
        texts = {name: str(value) for name, value in names.items()}
        self.targets[f"{kind} story"] = Target(owner, texts | {"variant": _VARIANT.name})

    def _id(self, kind: str) -> int:
        return int(self.targets[f"{kind} account"].owner.account_id)

    def _restore_vault(self) -> None:
        """Undo what a command did outside the log."""
        for name, held in copy.deepcopy(self._vault).items():
            getattr(self.river.vault, name).__dict__.update(held)

    async def _stand_still(self) -> None:
        self._vault = {field.name: vars(getattr(self.river.vault, field.name)) for field in fields(self.river.vault)}
        self._vault = copy.deepcopy(self._vault)
        self.river.flowing = False
        for model in READ_MODELS:
            store = self.river.timelines if model.in_timelines else self.river.rows
            for topic in TOPICS:
                await store.advance(Source(model.name, topic.name, PARTITION), StoredPosition(_FAR))


async def happen(river: River, *events: e.Event) -> None:
    """Append and fold events, as if commands and jobs had made them."""
    await river.append_all(await encode(river.services, Command(events)))


@contextlib.asynccontextmanager
async def matrix_world() -> AsyncIterator[MatrixWorld]:
    """The world, made."""
    river = River()
    river.services = replace(river.services, objects=Objects())
    async with river.client() as client:
        world = MatrixWorld(river, client)
        await world.make()
        yield world


def story_events(
    story_id: int, owner_id: int, media_id: int, audience: e.StoryAudience, ends_ms: int
) -> tuple[e.Event, ...]:
    """A story of a photograph, and its publication a day before it ends."""
    media = e.MediaItem(media_id=media_id, width=640, height=480, variants=[_VARIANT.name])
    return (
        e.StoryCreated(story_id=story_id, owner_id=owner_id, media_id=media_id, audience=audience, alt_text=None),
        e.StoryPublished(
            story_id=story_id, owner_id=owner_id, published_ms=ends_ms - 86_400_000, expires_ms=ends_ms, media=media
        ),
    )


def _what_became(fate: str, story_id: int, owner_id: int, media_id: int, published: e.Event) -> tuple[e.Event, ...]:
    """What happened to a story after it was created."""
    match fate:
        case "processing":
            return ()
        case "rejected":
            return (e.StoryRejected(story_id=story_id, owner_id=owner_id, media_id=media_id, reason="damaged-image"),)
        case "deleted":
            return published, e.StoryDeleted(story_id=story_id, owner_id=owner_id)
        case "taken-down":
            return (
                published,
                e.MediaTakenDown(media_id=media_id, owner_id=owner_id, rule="hate", operator="op"),
                e.StoryDeleted(story_id=story_id, owner_id=owner_id, taken_down="hate", operator="op"),
            )
    return (published,)


def _seen(answer: httpx.Response) -> Seen:
    body = answer.content
    if answer.headers.get("content-type") == "application/problem+json":
        problem = msgspec.json.decode(body)
        del problem["correlation_id"]
        body = msgspec.json.encode(problem)
    headers = [(name, value) for name, value in answer.headers.items() if name not in _OF_THE_REQUEST]
    return answer.status_code, body, tuple(sorted(headers))


def _fixed(names: Mapping[str, str]) -> dict[str, str]:
    return {"variant": names["variant"]} if "variant" in names else {}


def _filled(body: Any, names: Mapping[str, str]) -> Any:
    """A body with `{name}` replaced in its strings."""
    if isinstance(body, str):
        return body.format(**names)
    if isinstance(body, list):
        return [_filled(value, names) for value in body]
    return {key: _filled(value, names) for key, value in body.items()} if isinstance(body, dict) else body


def created(post_id: int, owner_id: int, media_id: int) -> e.PostCreated:
    return e.PostCreated(
        post_id=post_id,
        owner_id=owner_id,
        media_ids=[media_id],
        alt_texts=[None],
        caption="hello",
        mentions=[],
        location=None,
        hashtags=[],
        audience="public",
    )


def _upload(media_id: int, owner_id: int) -> UploadRow:
    return UploadRow(
        media_id=media_id,
        owner_id=owner_id,
        client_upload_id=None,
        upload_id="open",
        object_key=f"raw/{owner_id}/{media_id}",
        content_type="image/jpeg",
        size_bytes=9,
        state="open",
        created_ms=0,
    )
