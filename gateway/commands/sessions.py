"""Commands on sessions: log in, refresh, log out, end one. Tokens are secrets, so no answer of these is ever stored."""

from typing import Annotated

import msgspec

from gateway.endpoint import Answer, Body, Call, Endpoint
from gateway.limits.guesses import password_guesses
from gateway.services import Services
from gateway.sessions import (
    REFRESH_CHARACTERS_MAX,
    RefreshToken,
    end_session,
    invalid_refresh_token,
    refresh_tokens,
)
from gateway.signup import folded_username
from gateway.vault.port import CredentialRow, SessionRow
from photolog.errors import Invalid, NotFound, Unauthenticated
from photolog.timestamps import rfc3339

SESSIONS_MAX = 50
USER_AGENT_CHARACTERS_MAX = 256


class LogIn(Body, frozen=True, kw_only=True):
    username: Annotated[str, msgspec.Meta(max_length=64)]
    password: Annotated[str, msgspec.Meta(max_length=128)]


class Refresh(Body, frozen=True, kw_only=True):
    refresh_token: Annotated[str, msgspec.Meta(max_length=REFRESH_CHARACTERS_MAX)]


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What a client holds: `access_token` for `expires_in_seconds`, `refresh_token` to get the next two."""

    account_id: str
    session_id: str
    access_token: str
    expires_in_seconds: int
    refresh_token: str
    token_type: str = "Bearer"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One log-in; times are RFC 3339."""

    session_id: str
    created_at: str
    last_used_at: str
    user_agent: str
    current: bool


class SessionList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[Session]


async def log_in(services: Services, call: Call) -> Answer:
    """Open a session. A wrong name and a wrong password take the same time and get the same answer."""
    body: LogIn = call.body
    credential = await _proven(services, body, call.address)
    await _make_room(services, credential.account_id)
    token = refresh_tokens(services).new(credential.account_id, services.ids.next())
    now_ms = services.clock_ms()
    await services.vault.sessions.create(
        SessionRow(
            account_id=token.account_id,
            session_id=token.session_id,
            created_ms=now_ms,
            last_used_ms=now_ms,
            user_agent=call.headers.get("user-agent", "")[:USER_AGENT_CHARACTERS_MAX],
            refresh_hash=refresh_tokens(services).hash(token),
        )
    )
    await _confirm(services, credential, token)
    await _rehash(services, credential, body.password)
    await password_guesses(services).signed_in(token.account_id, call.address, now_ms)
    return _tokens(services, token, status=201)


async def refresh(services: Services, call: Call) -> Answer:
    """Exchange the good refresh token for the next one. An older one ends the session."""
    body: Refresh = call.body
    tokens = refresh_tokens(services)
    token = tokens.read(body.refresh_token)
    key = call.headers.get("idempotency-key")
    row = await services.vault.sessions.get(token.account_id, token.session_id)
    if row is None:
        raise invalid_refresh_token()
    await services.authentication.require_active(token.account_id, invalid_refresh_token())
    successor = tokens.successor(token, key)
    rotated = msgspec.structs.replace(
        row,
        last_used_ms=services.clock_ms(),
        refresh_hash=tokens.hash(successor),
        previous_hash=tokens.hash(token),
        rotation_key=tokens.rotation(key),
    )
    if await services.vault.sessions.rotate(rotated, tokens.hash(token)):
        await password_guesses(services).signed_in(token.account_id, call.address, rotated.last_used_ms)
        return _tokens(services, successor)
    return await _reused(services, successor, rotated)


async def log_out(services: Services, call: Call) -> Answer:
    """End the session that asks."""
    if call.session_id is not None:
        await end_session(services, call.viewer, call.session_id)
    return Answer(status=204)


async def end_one(services: Services, call: Call) -> Answer:
    """End one of the caller's sessions."""
    session_id = call.id("session_id")
    if await services.vault.sessions.get(call.viewer, session_id) is None:
        raise NotFound("not-found", "there is nothing here")
    await end_session(services, call.viewer, session_id)
    return Answer(status=204)


async def list_sessions(services: Services, call: Call) -> Answer:
    """Where the caller is logged in, newest first."""
    rows = await services.vault.sessions.listed(call.viewer)
    items = [
        Session(
            session_id=str(row.session_id),
            created_at=rfc3339(row.created_ms),
            last_used_at=rfc3339(row.last_used_ms),
            user_agent=row.user_agent,
            current=row.session_id == call.session_id,
        )
        for row in rows
    ]
    return Answer(SessionList(items=items))


async def _proven(services: Services, body: LogIn, address: str) -> CredentialRow:
    """The credential of whoever knows its password. Raises TooSoon after too many wrong ones."""
    username = body.username.lower()
    account_id = await _account_named(services, body.username)
    async with password_guesses(services).of_name(username, account_id, address):
        credential = await services.vault.credentials.get(account_id) if account_id is not None else None
        password_hash = credential.password_hash if credential else None
        if not await services.passwords.verify(password_hash, body.password) or credential is None:
            raise _wrong()
        await services.authentication.require_active(credential.account_id, _wrong())
    return credential


async def _account_named(services: Services, username: str) -> int | None:
    try:
        folded = folded_username(username)
    except Invalid:
        return None  # Nobody can have it, and Cassandra refuses to look for an empty one.
    name = await services.vault.usernames.get(folded)
    return name.account_id if name else None


async def _make_room(services: Services, account_id: int) -> None:
    """End the sessions that were unused for longest where there are too many."""
    rows = await services.vault.sessions.listed(account_id)
    oldest_first = sorted(rows, key=lambda row: row.last_used_ms)
    for row in oldest_first[: max(0, len(rows) - SESSIONS_MAX + 1)]:
        await end_session(services, account_id, row.session_id)


async def _confirm(services: Services, credential: CredentialRow, token: RefreshToken) -> None:
    """End the new session if the password was changed while it was being opened.

    The change writes the password, then ends all sessions it finds; this wrote the session and now reads the
    password. So at least one of the two sees the other.
    """
    now = await services.vault.credentials.get(credential.account_id)
    if now is None or now.version != credential.version:
        await end_session(services, token.account_id, token.session_id)
        raise _wrong()


async def _rehash(services: Services, credential: CredentialRow, password: str) -> None:
    """Move a hash to today's parameters while the password is at hand; somebody else's change comes first."""
    if services.passwords.outdated(credential.password_hash):
        renewed = msgspec.structs.replace(credential, password_hash=await services.passwords.hash(password))
        await services.vault.credentials.replace(renewed, credential.version)


async def _reused(services: Services, successor: RefreshToken, rotated: SessionRow) -> Answer:
    """Answer a token that is not the good one: a retry under its key gets its successor, all else ends the family."""
    now = await services.vault.sessions.get(successor.account_id, successor.session_id)
    if now is not None and rotated.rotation_key is not None and _place(now) == _place(rotated):
        return _tokens(services, successor)
    await end_session(services, successor.account_id, successor.session_id)
    raise invalid_refresh_token()


def _place(row: SessionRow) -> tuple[bytes | None, ...]:
    return row.previous_hash, row.refresh_hash, row.rotation_key


def _tokens(services: Services, token: RefreshToken, status: int = 200) -> Answer:
    return Answer(
        Tokens(
            account_id=str(token.account_id),
            session_id=str(token.session_id),
            access_token=services.tokens.for_account(token.account_id, token.session_id),
            expires_in_seconds=services.tokens.lifetime_seconds,
            refresh_token=refresh_tokens(services).write(token),
        ),
        status=status,
    )


def _wrong() -> Unauthenticated:
    return Unauthenticated("wrong-credentials", "the user name or the password is not right")


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        "/v1/sessions",
        log_in,
        "Log in",
        "sessions",
        auth="none",
        body=LogIn,
        response=Tokens,
        status=201,
        rate="login",
        problems=(401, 403),
    ),
    Endpoint(
        "POST",
        "/v1/sessions/refresh",
        refresh,
        "Exchange a refresh token",
        "sessions",
        auth="none",
        body=Refresh,
        response=Tokens,
        rate="refresh",
        problems=(401, 403),
    ),
    Endpoint("GET", "/v1/sessions", list_sessions, "List one's sessions", "sessions", response=SessionList),
    Endpoint("DELETE", "/v1/sessions/current", log_out, "Log out", "sessions", status=204),
    Endpoint("DELETE", "/v1/sessions/{session_id}", end_one, "End one of one's sessions", "sessions", status=204),
)
