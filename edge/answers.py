"""What an answer says of itself: who may keep it, for how long, and what purges it."""

import base64
import hashlib
from dataclasses import dataclass

from edge.sources import best_source
from gateway.shown_media import ShownMedia
from gateway.visibility import nothing_here
from photolog.media.caches import author_key, media_key, post_key
from schemas.events import MediaVariant

BROWSER_SECONDS = 31_536_000


@dataclass(frozen=True, slots=True)
class Access:
    """By what right something is answered.

    Args:
        shown: what was found.
        signed: whether by a signed address. Its answer is for its holder alone, whoever else might see the same.
        viewer_id: for whom it was signed; None for somebody without account.
    """

    shown: ShownMedia
    signed: bool
    viewer_id: int | None = None

    def source(self) -> MediaVariant:
        """The stored file that pictures are made of. Raises NotFound where it has none."""
        found = best_source(self.shown.files)
        if found is None:
            raise nothing_here()
        return found

    def headers(self, shared_seconds: int) -> dict[str, str]:
        """What caches are told. What is public never changes under its address, and shared caches keep it until they
        are told to purge one of its keys, at most for `shared_seconds`."""
        # Scripts of any origin may read what anybody may fetch; an address carries its whole right, and no cookie.
        headers = {"access-control-allow-origin": "*", "timing-allow-origin": "*"}
        if self.signed:
            return {**headers, "cache-control": "private, no-store"}
        media = self.shown.media
        keys = [media_key(media.media_id), *map(post_key, self.shown.public_posts)]
        return {
            **headers,
            "cache-control": f"public, max-age={BROWSER_SECONDS}, s-maxage={shared_seconds}, immutable",
            "xkey": " ".join((*keys, author_key(media.owner_id))),
        }


def etag_of(*parts: object) -> str:
    """A strong ETag of what these name. The record and its object are among them, and never the content, so that two
    equal pictures of two accounts do not tell that they are equal."""
    said = "\n".join(map(str, parts)).encode()
    return f'"{base64.urlsafe_b64encode(hashlib.blake2b(said, digest_size=12).digest()).decode()}"'


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Whether the client has what it asks for (weak comparison, RFC 9110 §13.1.2)."""
    if if_none_match is None:
        return False
    held = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return etag in held or held == ["*"]
