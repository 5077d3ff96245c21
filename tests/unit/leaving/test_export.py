"""An export holds all that the account has and nothing personal of others; it ends, and it is begun anew."""

import hashlib
import io
import json
import zipfile
from typing import Any

import pytest

from gateway.vault.port import ErasureRow, ExportRow
from leaving import archive as archive_module
from leaving.archive import Archive
from leaving.coverage import COVERAGE
from leaving.exporting import CLAIM_MS, FORMAT
from leaving.kinds import KINDS, MIRRORED, written
from leaving.worker import LeavingWorker
from photolog.errors import StoreUnavailable
from projections.comments import COMMENTS_BY_POST
from projections.media import MEDIA
from tests.unit.leaving.world import ANNA, BERT, OWN_KEYS, Bucket, World
from tests.unit.streams.river import visible_rows

EXPORT_ID = 4711
KEY = f"exports/{ANNA}/{EXPORT_ID}.zip"


async def asked(world: World) -> None:
    """What the command does."""
    await world.vault.exports.begin(ExportRow(account_id=ANNA, export_id=EXPORT_ID, requested_ms=world.now_ms))


async def exported(world: World) -> zipfile.ZipFile:
    await asked(world)
    await LeavingWorker(world.resources()).look()
    return zipfile.ZipFile(io.BytesIO(world.objects.objects[KEY][0]))


def read(archive: zipfile.ZipFile, name: str) -> Any:
    return json.loads(archive.read(name))


async def test_the_manifest_names_every_file_with_its_digest(world: World) -> None:
    archive = await exported(world)
    manifest = read(archive, "manifest.json")
    assert (manifest["format"], manifest["account_id"]) == (FORMAT, str(ANNA))
    assert {file["name"] for file in manifest["files"]} == set(archive.namelist()) - {"manifest.json"}
    for file in manifest["files"]:
        data = archive.read(file["name"])
        assert (file["size_bytes"], file["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    for name, count in manifest["counts"].items():
        assert count == (
            len(archive.read("events.ndjson").splitlines()) if name == "events" else len(read(archive, f"{name}.json"))
        )


async def test_every_row_of_the_account_is_in_it(world: World) -> None:
    archive = await exported(world)
    held = {kind.name: read(archive, f"{kind.name}.json") for kind in KINDS}
    covered = {coverage.table.name: coverage for coverage in COVERAGE}
    missing = []
    for (name, _), row in visible_rows(world.river.rows).items():
        if name not in covered or name in MIRRORED or not covered[name].is_of(ANNA, row):
            continue
        own = covered[name].table.partition[0]
        # A following is listed on both sides; the other's side is the other list of the account's own.
        if len(covered[name].owners) > 1 and getattr(row, own) != ANNA:
            continue
        kinds = [kind.name for kind in KINDS if any(table.name == name for table in kind.tables)]
        if not any(written(row) in held[kind] for kind in kinds):
            missing.append((name, row))
    assert missing == []


def test_every_covered_table_is_a_kind_or_mirrored_by_one() -> None:
    of_kinds = {table.name for kind in KINDS for table in kind.tables}
    assert of_kinds | MIRRORED.keys() == {coverage.table.name for coverage in COVERAGE}
    assert not of_kinds & MIRRORED.keys()
    assert {COMMENTS_BY_POST.name, MEDIA.name} <= of_kinds


async def test_files_are_in_it_as_they_are(world: World) -> None:
    world.objects.objects[OWN_KEYS[0]] = (b"an original", "image/jpeg")
    archive = await exported(world)
    assert archive.read(f"media/{OWN_KEYS[0]}") == b"an original"
    media = {name for name in archive.namelist() if name.startswith("media/")}
    assert media == {f"media/{key}" for key in OWN_KEYS if not key.startswith("exports/")}


async def test_what_others_wrote_is_not_in_it(world: World) -> None:
    archive = await exported(world)
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"mine on theirs" in everything
    assert b"light and shade" in everything
    assert b"theirs on theirs" not in everything
    assert b"password_hash" not in everything
    assert b"refresh_hash" not in everything


async def test_past_captions_are_in_the_events(world: World) -> None:
    archive = await exported(world)
    events = [json.loads(line) for line in archive.read("events.ndjson").splitlines()]
    captions = [one["event"].get("caption") for one in events if one["type"].startswith("post.")]
    assert {"hello", "better"} <= set(captions)


async def test_an_export_ends(world: World) -> None:
    await exported(world)
    row = await world.vault.exports.get(ANNA)
    assert row is not None
    assert row.size_bytes == len(world.objects.objects[KEY][0])
    world.now_ms += world.resources().export_seconds * 1_000 - 1
    await LeavingWorker(world.resources()).look()
    assert KEY in world.objects.objects
    world.now_ms += 1
    await LeavingWorker(world.resources()).look()
    assert KEY not in world.objects.objects
    assert await world.vault.exports.all() == []


async def test_an_export_whose_worker_died_is_begun_anew(world: World) -> None:
    class Dying(Bucket):
        async def complete_upload(self, *arguments: Any) -> None:
            raise KeyboardInterrupt

        async def abort_upload(self, *arguments: Any) -> None:
            """A dead process aborts nothing."""

    await asked(world)
    dying = Dying()
    dying.objects, dying.uploads = world.objects.objects, world.objects.uploads
    with pytest.raises(KeyboardInterrupt):
        await LeavingWorker(world.resources(objects=dying)).look()
    left = {upload_id for upload_id, (key, _, _) in world.objects.uploads.items() if key == KEY}
    assert left, "the dead one's parts"
    worker = LeavingWorker(world.resources())
    await worker.look()
    assert KEY not in world.objects.objects, "another worker may still be at it"
    world.now_ms += CLAIM_MS
    await worker.look()
    assert KEY in world.objects.objects
    assert not any(key == KEY for key, _, _ in world.objects.uploads.values())


async def test_a_store_that_is_away_leaves_no_parts(world: World) -> None:
    class Away(Bucket):
        async def read_range(self, key: str, start: int, length: int) -> bytes:
            raise StoreUnavailable("away")

    away = Away()
    away.objects, away.uploads = world.objects.objects, world.objects.uploads
    await asked(world)
    await LeavingWorker(world.resources(objects=away)).look()
    assert not any(key == KEY for key, _, _ in world.objects.uploads.values())
    assert KEY not in world.objects.objects


async def test_an_erasure_removes_the_export_and_stops_the_one_under_way(world: World) -> None:
    await exported(world)
    await world.begin()
    await world.erase()
    assert KEY not in world.objects.objects
    assert await world.vault.exports.get(ANNA) is None
    await asked(world)
    await LeavingWorker(world.resources()).look()
    assert KEY not in world.objects.objects, "a marked account gets no export"


async def test_an_export_that_an_erasure_overtakes_is_given_up(world: World) -> None:
    class Overtaken(Bucket):
        async def complete_upload(self, key: str, upload_id: str, parts: Any) -> None:
            await world.vault.exports.remove(ANNA)
            await super().complete_upload(key, upload_id, parts)

    overtaken = Overtaken()
    overtaken.objects, overtaken.uploads = world.objects.objects, world.objects.uploads
    await asked(world)
    await LeavingWorker(world.resources(objects=overtaken)).look()
    assert KEY not in world.objects.objects


async def test_others_exports_are_theirs(world: World) -> None:
    await world.vault.exports.begin(ExportRow(account_id=BERT, export_id=1, requested_ms=world.now_ms))
    await world.vault.erasures.begin(ErasureRow(account_id=ANNA, requested_ms=1, step_ms=world.now_ms))
    await world.erase()
    assert f"exports/{BERT}/1.zip" in world.objects.objects


async def test_memory_holds_one_part_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "PART_BYTES", 1_000)
    bucket = Bucket()
    archive = Archive(bucket, "x.zip")
    await archive.begin()
    largest = 0

    async def chunks() -> Any:
        nonlocal largest
        for number in range(300):
            largest = max(largest, len(archive._outlet.held))
            yield bytes([number % 251]) * 100

    await archive.add("one", chunks(), compressed=False)
    await archive.finish()
    assert largest < 1_000 + 200
    whole = zipfile.ZipFile(io.BytesIO(bucket.objects["x.zip"][0]))
    assert whole.testzip() is None
    assert len(whole.read("one")) == 30_000
