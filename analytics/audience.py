"""Who asks: which types they may have, what share of them, and under which pseudonyms they see ids."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from gateway.streams.filters import PUBLIC, Filter, wanted
from gateway.streams.grants import GrantKeeper, over
from gateway.streams.pseudonyms import Pseudonyms
from gateway.vault.port import Grants
from photolog.errors import NotFound, Unauthenticated

_GRANT_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Audience:
    """Somebody who asks.

    Args:
        takes: the types that they may have, and the share of the events.
        pseudonyms: how they see ids.
    """

    takes: Filter
    pseudonyms: Pseudonyms


def nobody_in_particular() -> Audience:
    """Somebody without a grant: every public type, under pseudonyms that hold for this once."""
    return Audience(Filter(tuple(PUBLIC), 1.0), Pseudonyms(secrets.token_bytes(32), "nobody"))


async def holder_of(
    text: str, grants: Grants, keeper: GrantKeeper, pseudonym_key: bytes, clock_ms: Callable[[], int]
) -> Audience:
    """Whoever holds a grant: the same pseudonyms as on its streams.

    Args:
        text: the grant's id or its token.
        grants: the rows of grants.
        keeper: tells whether a token is good.
        pseudonym_key: what pseudonyms are made from.
        clock_ms: Unix milliseconds.

    Raises:
        NotFound: there is no such grant.
        Unauthenticated: the text is no grant's token, or the grant is over.
    """
    if _GRANT_ID.fullmatch(text):
        row = await grants.get(text)
        if row is None:
            raise NotFound("not-found", f"there is no grant {text}")
        reason = over(row, clock_ms())
        if reason is not None:
            raise Unauthenticated(reason, f"the grant {text} is {reason.removeprefix('grant-')}")
    else:
        row = await keeper.admitted(f"Bearer {text}".encode("latin-1", "replace"))
    return Audience(wanted(row, None, None), Pseudonyms(pseudonym_key, row.grant_id))
