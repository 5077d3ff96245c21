"""A person's own account, and what is between them and others."""

from collections.abc import AsyncIterator

import msgspec

from photolog.client import views as v
from photolog.client.calls import Calls


class PeopleCalls(Calls):
    """Accounts, sessions and the graph."""

    async def sign_up(
        self, username: str, password: str, display_name: str | None = None, private: bool = False
    ) -> str:
        """Create an account. Returns its id; log in afterwards."""
        body = {"username": username, "password": password, "display_name": display_name, "private": private}
        return (await self._post("/v1/accounts", v.SignedUp, body)).account_id

    async def log_in(self, username: str, password: str) -> v.Tokens:
        """Log in; the access token is refreshed from now on as needed."""
        tokens = await self._post("/v1/sessions", v.Tokens, {"username": username, "password": password})
        self.transport.hold(tokens)
        return tokens

    async def log_out(self) -> None:
        """End the session."""
        await self._delete("/v1/sessions/current", type(None))
        self.transport.hold(None)

    async def me(self) -> v.Account:
        """One's own account."""
        return await self.transport.query("/v1/me", v.Account)

    async def account(self, account_id: str) -> v.Account:
        """An account by its id."""
        return await self.transport.query(f"/v1/accounts/{account_id}", v.Account)

    async def account_named(self, username: str) -> v.Account:
        """An account by its user name."""
        return await self.transport.query(f"/v1/accounts/by-username/{username}", v.Account)

    async def set_private(self, private: bool) -> None:
        """Open or close the account."""
        await self._put("/v1/me/privacy", msgspec.Raw, {"private": private})

    async def leave(self, password: str) -> v.Leaving:
        """Delete the account for good."""
        leaving = await self._delete("/v1/me", v.Leaving, {"password": password})
        self.transport.hold(None)
        return leaving

    async def erasure(self, address: str) -> v.Erasure:
        """How far an erasure is; its address is what `leave` answered."""
        return await self.transport.query(address, v.Erasure)

    # --- between people ---

    async def follow(self, account_id: str) -> v.Following:
        """Follow, or ask to."""
        return await self._put(f"/v1/accounts/{account_id}/follow", v.Following)

    async def unfollow(self, account_id: str) -> v.Following:
        """Stop following, or withdraw the request."""
        return await self._delete(f"/v1/accounts/{account_id}/follow", v.Following)

    async def block(self, account_id: str) -> None:
        await self._put(f"/v1/accounts/{account_id}/block", msgspec.Raw)

    async def unblock(self, account_id: str) -> None:
        await self._delete(f"/v1/accounts/{account_id}/block", msgspec.Raw)

    async def mute(self, account_id: str) -> None:
        await self._put(f"/v1/accounts/{account_id}/mute", msgspec.Raw)

    async def unmute(self, account_id: str) -> None:
        await self._delete(f"/v1/accounts/{account_id}/mute", msgspec.Raw)

    async def remove_follower(self, account_id: str) -> None:
        await self._delete(f"/v1/me/followers/{account_id}", msgspec.Raw)

    async def approve(self, account_id: str) -> None:
        """Let someone who asked follow."""
        await self._put(f"/v1/me/requests/{account_id}", msgspec.Raw)

    async def approve_all(self) -> None:
        """Let everyone follow who asks to now."""
        await self._put("/v1/me/requests", msgspec.Raw)

    async def deny(self, account_id: str) -> None:
        await self._delete(f"/v1/me/requests/{account_id}", msgspec.Raw)

    async def relationship(self, account_id: str) -> v.Relationship:
        """What is between this person and an account."""
        return await self.transport.query(f"/v1/accounts/{account_id}/relationship", v.Relationship)

    def requests(self) -> AsyncIterator[v.Account]:
        """Who asks to follow."""
        return self._all("/v1/me/requests", v.Account)

    def followers(self, account_id: str) -> AsyncIterator[v.Account]:
        return self._all(f"/v1/accounts/{account_id}/followers", v.Account)

    def following(self, account_id: str) -> AsyncIterator[v.Account]:
        return self._all(f"/v1/accounts/{account_id}/following", v.Account)

    def mutuals(self, account_id: str) -> AsyncIterator[v.Account]:
        """Who follows an account and is followed by it."""
        return self._all(f"/v1/accounts/{account_id}/mutuals", v.Account)
