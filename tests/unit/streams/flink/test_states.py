"""The newest whole state of a job is found, and what is not whole is none."""

import os
from pathlib import Path

import pytest

from photolog.errors import SettingsError
from photolog.settings import FlinkSettings, Settings
from streams.flink_cluster.states import job_uri, states
from tests.unit.gateway.river import settings_of


def settings_with(uri: str | None) -> Settings:
    return settings_of().model_copy(update={"flink": FlinkSettings(state_uri=uri)})


def state(folder: Path, name: str, written: float, *, whole: bool = True) -> None:
    path = folder / "trending" / name
    path.mkdir(parents=True)
    (path / "data").touch()
    if whole:
        (path / "_metadata").touch()
        os.utime(path / "_metadata", (written, written))


async def test_the_newest_whole_state_comes_first(tmp_path: Path) -> None:
    state(tmp_path, "checkpoints/0a/chk-7", 100)
    state(tmp_path, "checkpoints/0b/chk-2", 300)
    state(tmp_path, "checkpoints/0b/chk-3", 400, whole=False)
    state(tmp_path, "savepoints/savepoint-1", 200)
    found = await states(settings_with(tmp_path.as_uri()), "trending")
    assert [one.uri.rpartition("/trending/")[2] for one in found] == [
        "checkpoints/0b/chk-2", "savepoints/savepoint-1", "checkpoints/0a/chk-7",
    ]  # fmt: skip
    assert [one.is_savepoint for one in found] == [False, True, False]
    assert await states(settings_with(tmp_path.as_uri()), "other") == []


async def test_a_place_of_another_kind_is_refused() -> None:
    for uri in ("hdfs://name/flink", "/plain/folder"):
        with pytest.raises(SettingsError, match="s3://"):
            await states(settings_with(uri), "trending")
    with pytest.raises(SettingsError, match="STATE_URI"):
        job_uri(settings_with(None), "trending")
