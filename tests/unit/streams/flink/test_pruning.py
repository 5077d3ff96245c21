"""What earlier runs of a job left is removed, and nothing that may be needed."""

import os
from pathlib import Path

from photolog.settings import FlinkSettings, Settings
from streams.flink_cluster.pruning import prune
from tests.unit.gateway.river import settings_of

NOW = 10_000.0


def settings_with(folder: Path) -> Settings:
    return settings_of().model_copy(update={"flink": FlinkSettings(state_uri=folder.as_uri())})


def written(folder: Path, name: str, at: float, *, job: str = "trending", whole: bool = True) -> None:
    path = folder / job / name
    path.mkdir(parents=True)
    for file in ("data", "_metadata") if whole else ("data",):
        (path / file).touch()
        os.utime(path / file, (at, at))


def left(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if not path.is_dir() or not any(path.iterdir()))
    return {str(path.relative_to(folder)) for path in found}


def both(*names: str) -> set[str]:
    return {f"trending/{name}/{file}" for name in names for file in ("data", "_metadata")}


async def test_the_run_of_now_and_the_newest_before_it_are_kept(tmp_path: Path) -> None:
    for name, at in (("0a/chk-1", 100), ("0b/chk-7", 200), ("0c/chk-3", 300), ("0d/chk-1", 400)):
        written(tmp_path, f"checkpoints/{name}", at)
    written(tmp_path, "checkpoints/0e/chk-1", 50, whole=False)
    written(tmp_path, "savepoints/savepoint-1", 10)
    written(tmp_path, "checkpoints/0a/chk-1", 100, job="engagement")
    assert await prune(settings_with(tmp_path), "trending", "0d", NOW) == 5
    expected = both("checkpoints/0c/chk-3", "checkpoints/0d/chk-1", "savepoints/savepoint-1")
    assert left(tmp_path) == expected | {
        "engagement/checkpoints/0a/chk-1/data",
        "engagement/checkpoints/0a/chk-1/_metadata",
    }
    assert await prune(settings_with(tmp_path), "trending", "0d", NOW) == 0


async def test_nothing_goes_until_the_run_of_now_has_a_checkpoint(tmp_path: Path) -> None:
    written(tmp_path, "checkpoints/0a/chk-1", 100)
    written(tmp_path, "checkpoints/0b/chk-1", 200)
    written(tmp_path, "checkpoints/0c/chk-1", 300, whole=False)
    assert await prune(settings_with(tmp_path), "trending", "0c", NOW) == 0
    assert await prune(settings_with(tmp_path), "trending", "0d", NOW) == 0


async def test_what_was_written_lately_may_be_another_clusters(tmp_path: Path) -> None:
    for run, at in (("0a", NOW - 10), ("0b", NOW - 5), ("0c", NOW)):
        written(tmp_path, f"checkpoints/{run}/chk-1", at)
    assert await prune(settings_with(tmp_path), "trending", "0c", NOW) == 0
    assert await prune(settings_with(tmp_path), "trending", "0c", NOW, quiet_seconds=1) == 2
    assert left(tmp_path) == both("checkpoints/0b/chk-1", "checkpoints/0c/chk-1")
