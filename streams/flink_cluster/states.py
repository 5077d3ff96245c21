"""Where jobs left their state: checkpoints and savepoints, in a folder or in a bucket.

`<uri>/<job>/checkpoints/<job id>/chk-<n>` and `<uri>/<job>/savepoints/<name>`; a state is whole once it has its
`_metadata`, which Flink writes last.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from photolog.engines.object_store import ObjectStore
from photolog.errors import SettingsError
from photolog.settings import Settings

_METADATA = "_metadata"


@dataclass(frozen=True, slots=True, order=True)
class State:
    """A checkpoint or savepoint.

    Args:
        written: when it was whole, Unix seconds.
        uri: where it is.
    """

    written: float
    uri: str

    @property
    def is_savepoint(self) -> bool:
        """Whether somebody asked for it."""
        return "/savepoints/" in self.uri


def job_uri(settings: Settings, job: str) -> str:
    """Where a job's state is. Raises SettingsError where no place is set."""
    if settings.flink.state_uri is None:
        raise SettingsError("PHOTOLOG_FLINK__STATE_URI is needed for jobs")
    return f"{settings.flink.state_uri.rstrip('/')}/{job}"


async def states(settings: Settings, job: str) -> list[State]:
    """Every state of a job that is whole, the newest first.

    Raises:
        SettingsError: no place is set, or one of another kind than a folder or a bucket.
        StoreUnavailable: the bucket does not answer.
    """
    place = urlsplit(job_uri(settings, job))
    if place.scheme == "file":
        found = await asyncio.to_thread(lambda: list(_in_folder(Path(unquote(place.path)))))
    elif place.scheme == "s3":
        found = await _in_bucket(settings, place.netloc, place.path.strip("/"))
    else:
        raise SettingsError("PHOTOLOG_FLINK__STATE_URI is a folder (file:///…) or in a bucket (s3://…)")
    return sorted(found, reverse=True)


def _in_folder(folder: Path) -> Iterable[State]:
    for path in folder.glob(f"**/{_METADATA}"):
        yield State(path.stat().st_mtime, path.parent.as_uri())


async def _in_bucket(settings: Settings, bucket: str, prefix: str) -> list[State]:
    store = ObjectStore(settings.s3.model_copy(update={"bucket": bucket}))
    found = []
    async for page in store.listed(f"{prefix}/"):
        for entry in page:
            name = entry.key.removesuffix(f"/{_METADATA}")
            if name != entry.key:
                found.append(State(entry.modified, f"s3://{bucket}/{name}"))
    return found
