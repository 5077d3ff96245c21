"""Unfinished uploads: freed a day and a bit after they were begun, and no others."""

import asyncio

import pytest

from keeper.abandoned import SLACK_MS, AbandonedUploads
from photolog.errors import StoreUnavailable
from photolog.ids import EPOCH_MS, first_snowflake
from photolog.media.originals import UNFINISHED_MS_MAX, raw_key

NOW_MS = EPOCH_MS + 10 * UNFINISHED_MS_MAX
OVER_MS = NOW_MS - UNFINISHED_MS_MAX - SLACK_MS


class Bucket:
    """Uploads that were begun, by key; it may be away for a while."""

    def __init__(self, *keys: str, away: int = 0) -> None:
        self.uploads = {key: f"upload of {key}" for key in keys}
        self.away = away
        self.asked = 0
        self.freed = asyncio.Event()

    async def unfinished_uploads(self, prefix: str) -> list[tuple[str, str]]:
        self.asked += 1
        if self.asked <= self.away:
            raise StoreUnavailable("away")
        return [(key, upload_id) for key, upload_id in self.uploads.items() if key.startswith(prefix)]

    async def abort_upload(self, key: str, upload_id: str) -> None:
        assert self.uploads.pop(key) == upload_id
        self.freed.set()


def begun_at(unix_ms: int) -> str:
    return raw_key(7, first_snowflake(unix_ms))


async def test_what_is_over_is_freed_and_nothing_else() -> None:
    over, fresh, strange = begun_at(OVER_MS - 1), begun_at(OVER_MS + 1), "raw/7/notes"
    bucket = Bucket(over, fresh, strange, "exports/7/1")
    uploads = AbandonedUploads(bucket, lambda: NOW_MS)
    assert [await uploads.sweep(), await uploads.sweep()] == [1, 0]
    assert set(bucket.uploads) == {fresh, strange, "exports/7/1"}


@pytest.mark.parametrize(("begun_ms", "freed"), [(OVER_MS - 1, 1), (OVER_MS, 0)])
async def test_the_last_millisecond_counts(begun_ms: int, freed: int) -> None:
    assert await AbandonedUploads(Bucket(begun_at(begun_ms)), lambda: NOW_MS).sweep() == freed


@pytest.mark.parametrize("away", [0, 2])
async def test_it_goes_on_where_the_bucket_was_away(away: int) -> None:
    bucket = Bucket(begun_at(OVER_MS - 1), away=away)
    running = asyncio.create_task(AbandonedUploads(bucket, lambda: NOW_MS).run(pause_seconds=0.001))
    await asyncio.wait_for(bucket.freed.wait(), 5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert bucket.asked > away
