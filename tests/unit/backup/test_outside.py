"""Nobody adds anything to the engines without saying whether a backup keeps it.

A new table, consumer group or kind of object that is no projection's is to be named in backup/outside.py.
"""

import re
import tomllib
from pathlib import Path

from backup.outside import ELSEWHERE, KEPT, LEFT
from backup.survey import GROUPS
from cli.migrate import STATEMENTS
from projections.catalogue import TABLES
from tests.unit.backup.world import COLUMNS

ROOT = Path(__file__).parents[3]
PACKAGES = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]) - {
    "infra"
}
_CREATED = re.compile(r'CREATE TABLE IF NOT EXISTS "?(\w+)"? ?\(')
_GROUP = re.compile(r'"group\.id": (.+?)[,}\n]')
JOINED_BY_NOBODY = {
    '"photolog-slices"': "read slices; commits nothing",
    '"photolog-analysts"': "reads for subscribers, who keep cursors; commits nothing",
    '"photolog-report"': "counts what is left to read; commits nothing",
    "GROUP": "the purge worker's places, without which it begins where a cache's memory does",
    "TRANSCODE_GROUP": "asks what the transcode workers committed",
}
NO_OBJECTS = frozenset(
    {
        "approval",  # what ids of derived events are made from
        "engaged",
        "fanout",
        "moderation",
        "publication",
        "transcoding",
        "photolog",
        "image",  # a media type
        "session",  # what a key of hashes is used for
        "log",  # a place that a scan, an archive or a backup names
        "rows",
        "media",
        "tables",
        "listings",
    }
)


def sources() -> dict[str, str]:
    return {str(path.relative_to(ROOT)): path.read_text() for name in PACKAGES for path in (ROOT / name).rglob("*.py")}


def test_every_table_is_a_projections_or_is_said_to_be_kept_or_left() -> None:
    created = {found for statement in STATEMENTS for found in _CREATED.findall(statement)}
    kept = {table.name for table in KEPT}
    assert not kept & LEFT.keys()
    assert created == {table.name for table in TABLES} | kept | LEFT.keys()


def test_no_table_is_created_beside_migrate() -> None:
    written = {name for text in sources().values() for name in _CREATED.findall(text)}
    assert written <= {found for statement in STATEMENTS for found in _CREATED.findall(statement)}


def test_every_consumer_group_is_known() -> None:
    named = {found.strip() for text in sources().values() for found in _GROUP.findall(text)}
    assert named - JOINED_BY_NOBODY.keys() == {"group"}, "a group that commits: see backup.survey.GROUPS"
    assert list(GROUPS) == ["photolog-transcode", "photolog-moderation"]


def test_every_kind_of_object_is_known() -> None:
    """Objects have keys that begin with their kind; other texts of that form are said to be none."""
    kinds = set(re.findall(r'"([a-z]+)/(?:\{|")', "".join(sources().values())))
    objects = {kind for kind in kinds if any(f"{kind}/" in place for place in ELSEWHERE)}
    assert objects == {"raw", "originals", "processed", "archive", "exports", "events", "blocked"}
    assert kinds - objects == NO_OBJECTS


def test_a_table_that_expires_is_created_with_a_time_to_live() -> None:
    texts = "".join(sources().values())
    for table in KEPT:
        inserts = re.findall(rf"INSERT INTO {table.name} .*?(?=^\w|\Z)", texts, re.DOTALL | re.MULTILINE)
        assert inserts, table.name
        assert any("USING TTL" in insert for insert in inserts) == table.expires, table.name


def test_the_tables_of_these_tests_have_the_columns_of_the_real_ones() -> None:
    assert COLUMNS.keys() == {table.name for table in KEPT}
    for statement in STATEMENTS:
        (name,) = _CREATED.findall(statement)
        for column, kind in COLUMNS.get(name, {}).items():
            assert re.search(rf"\b{column} {kind}\b", statement), f"{name}.{column}"
