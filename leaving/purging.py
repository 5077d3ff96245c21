"""What an account has outside the log and the rows: the vault, the bucket, the caches. Counted first, then removed."""

from collections import Counter
from collections.abc import AsyncIterator, Collection

from gateway.limits.guesses import places_key
from gateway.signup import resting_hash
from leaving.media_files import MediaFiles
from leaving.resources import LeavingResources
from photolog.media.caches import author_key
from photolog.media.originals import RAW
from projections.cards import account_key, likes_key, saves_key
from projections.followees import followees_key
from projections.relations import relations_key
from projections.seen_filter import day_of


def own_prefixes(account_id: int) -> tuple[str, ...]:
    """Where an account's originals and exports lie in the bucket."""
    return f"{RAW}{account_id}/", f"exports/{account_id}/"


_OWN_ENTRIES = (followees_key, likes_key, places_key, relations_key, saves_key)


class Purge:
    """Removes what is left of an account. Doing any of it again does the rest.

    Args:
        resources: the worker's.
        account_id: the account.
    """

    def __init__(self, resources: LeavingResources, account_id: int) -> None:
        self._resources = resources
        self._vault = resources.vault
        self._account_id = account_id
        self._files = MediaFiles(resources)

    async def count(self, media_ids: Collection[int]) -> dict[str, int]:
        """How much there is to remove, by place."""
        found: Counter[str] = Counter()
        found["vault.sessions"] = len(await self._vault.sessions.listed(self._account_id))
        found["vault.credentials"] = int(await self._vault.credentials.get(self._account_id) is not None)
        found["vault.reservations"] = len(
            [key async for key in self._vault.reservations.keys_of(str(self._account_id))]
        )
        found["vault.uploads"] = len([row async for row in self._vault.uploads.of(self._account_id)])
        found["vault.exports"] = int(await self._vault.exports.get(self._account_id) is not None)
        async for _ in self._objects(media_ids):
            found["objects"] += 1
        async for _ in self._files.holding(media_ids):
            found["contents"] += 1
        for prefix in own_prefixes(self._account_id):
            found["unfinished-uploads"] += len(await self._resources.objects.unfinished_uploads(prefix))
        return {place: count for place, count in found.items() if count}

    async def purge(self, media_ids: Collection[int]) -> None:
        """Remove all of it."""
        await self._purge_vault()
        for prefix in own_prefixes(self._account_id):
            for key, upload_id in await self._resources.objects.unfinished_uploads(prefix):
                await self._resources.objects.abort_upload(key, upload_id)
        async for key in self._objects(media_ids):
            await self._resources.objects.delete(key)
        await self._files.release(media_ids)
        await self._purge_caches()

    async def _purge_vault(self) -> None:
        """The user name rests before it is released, and the password, which tells the name, goes after it. A worker
        that builds an export notices that its row is gone, and gives the archive up."""
        await self._vault.exports.remove(self._account_id)
        for session in await self._vault.sessions.listed(self._account_id):
            await self._vault.sessions.revoke(self._account_id, session.session_id)
        credential = await self._vault.credentials.get(self._account_id)
        if credential is not None:
            await self._vault.usernames.rest(resting_hash(self._resources.hash_key, credential.username))
            await self._vault.usernames.release(credential.username, self._account_id)
            await self._vault.credentials.remove(self._account_id)
        scope = str(self._account_id)
        async for key in self._vault.reservations.keys_of(scope):
            await self._vault.reservations.remove(scope, key)
        async for upload in self._vault.uploads.of(self._account_id):
            if upload.upload_id:
                await self._resources.objects.abort_upload(upload.object_key, upload.upload_id)
            await self._vault.uploads.remove(upload)

    async def _purge_caches(self) -> None:
        card, _ = account_key(self._account_id)
        keys = [key(self._account_id) for key in _OWN_ENTRIES]
        await self._resources.cache.drop([card, *keys])
        await self._resources.timelines.drop(self._account_id)
        await self._resources.recent.drop(self._account_id)
        today = day_of(self._resources.clock_ms())
        # No filter is older than two days; a clock ahead of ours may have begun tomorrow's.
        await self._resources.seen.drop(self._account_id, range(today - 2, today + 2))
        # The log tells them as well, and nobody waits for that; a receipt is to be true.
        await self._resources.shared_caches.purge([author_key(self._account_id)])

    async def _objects(self, media_ids: Collection[int]) -> AsyncIterator[str]:
        for prefix in own_prefixes(self._account_id):
            async for page in self._resources.objects.keys(prefix):
                for key in page:
                    yield key
        async for key in self._files.own_keys(media_ids):
            yield key
