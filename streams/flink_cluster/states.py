"""Where jobs left their state: checkpoints and savepoints, in a folder or in a bucket.

`<uri>/<job>/checkpoints/<job id>/chk-<n>` and `<uri>/<job>/savepoints/<name>`; a state is whole once it has its
`_metadata`, which Flink writes last.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from photolog.engines.object_store import ObjectStore
from photolog.errors import SettingsError
from photolog.settings import Settings

_METADATA = "_metadata"
_FOLDERS = 2  # a checkpoint's own, and that of its run


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


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a state.

    Args:
        written: when, Unix seconds.
        uri: where it is.
    """

    written: float
    uri: str


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
    return whole_states(await entries(settings, job))


def whole_states(found: Iterable[Entry]) -> list[State]:
    """The states that are whole among files, the newest first."""
    kept = [
        State(entry.written, entry.uri.removesuffix(f"/{_METADATA}"))
        for entry in found
        if entry.uri.endswith(f"/{_METADATA}")
    ]
    return sorted(kept, reverse=True)


async def entries(settings: Settings, job: str) -> list[Entry]:
    """Every file of a job's states, whole or not, in no order. Raises as `states` does."""
    place = urlsplit(job_uri(settings, job))
    if place.scheme == "file":
        return await asyncio.to_thread(_in_folder, Path(unquote(place.path)))
    if place.scheme == "s3":
        return await _in_bucket(settings, place.netloc, place.path.strip("/"))
    raise SettingsError("PHOTOLOG_FLINK__STATE_URI is a folder (file:///…) or in a bucket (s3://…)")


async def remove(settings: Settings, uris: Iterable[str]) -> None:
    """Remove files of states. Raises StoreUnavailable."""
    buckets: dict[str, ObjectStore] = {}
    for uri in uris:
        place = urlsplit(uri)
        if place.scheme == "file":
            await asyncio.to_thread(_remove_file, Path(unquote(place.path)))
            continue
        if place.netloc not in buckets:
            buckets[place.netloc] = _bucket(settings, place.netloc)
        await buckets[place.netloc].delete(place.path.strip("/"))


def _in_folder(folder: Path) -> list[Entry]:
    found = []
    for path in folder.rglob("*"):
        # Flink removes old checkpoints meanwhile.
        with suppress(FileNotFoundError):
            if path.is_file():
                found.append(Entry(path.stat().st_mtime, path.as_uri()))
    return found


def _remove_file(path: Path) -> None:
    path.unlink(missing_ok=True)
    for folder in path.parents[:_FOLDERS]:
        try:
            folder.rmdir()
        except OSError:
            return  # not empty


async def _in_bucket(settings: Settings, bucket: str, prefix: str) -> list[Entry]:
    found = []
    async for page in _bucket(settings, bucket).listed(f"{prefix}/"):
        found += [Entry(one.modified, f"s3://{bucket}/{one.key}") for one in page]
    return found


def _bucket(settings: Settings, bucket: str) -> ObjectStore:
    return ObjectStore(settings.s3.model_copy(update={"bucket": bucket}))
