"""A backup that is interrupted anywhere, and a restore that is, end in the log and the rows that were copied."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup.checking import check
from backup.manifest import Manifest, manifest_of, read_manifest
from photolog.errors import Conflict, Corruption
from photolog.log.growths import GrowthRow
from photolog.log.record import StoredRecord
from photolog.log.slices import Place
from schemas.topics import ACCOUNTS, GRAPH, POST_VIEWS
from tests.unit.backup.world import Heard, MemoryShelf, System, back_up, names_of, restore
from tests.unit.mortal import Killed

POSTS_PLACE = (ACCOUNTS.name, 0)
seeds = st.integers(0, 2**32 - 1)


def deaths(chance: random.Random, calls: int) -> list[dict[str, Any]]:
    """A few, each after at most so many calls, and then none."""
    mortal = [{"left": chance.randint(1, calls), "after": chance.random() < 0.5} for _ in range(chance.randrange(4))]
    return [*mortal, {"left": 0, "after": False}]


def copied(system: System, manifest: Manifest, source: System) -> dict[Place, list[StoredRecord]]:
    """The records of a system that a manifest speaks of, as far as the log still had them when it was copied: a file is
    kept until retention has taken all of it."""
    return {
        place: [one for one in system.log[place] if _begin(source, place) <= one.offset < end]
        for place, end in manifest.ends.items()
    }


def _begin(system: System, place: Place) -> int:
    records = system.log[place]
    return records[0].offset if records else system.ends[place]


def let_go(system: System, chance: random.Random) -> None:
    """Retention takes the beginning of a partition."""
    records = system.log[chance.choice(sorted(system.log)[:6])]
    del records[: chance.randint(0, len(records))]


async def backed_up(system: System, shelf: MemoryShelf, chance: random.Random) -> Manifest:
    for calls in deaths(chance, 40):
        try:
            return await back_up(system, shelf, calls, chance)
        except Killed:
            # Whatever died, what was there before is whole.
            if await read_manifest(shelf) is not None:
                await check(await manifest_of(shelf), shelf, Heard())
    raise AssertionError("unreachable")


@given(seeds)
async def test_whatever_dies_a_restored_log_is_the_one_that_was_copied(seed: int) -> None:
    chance, shelf, system = random.Random(seed), MemoryShelf(), System().migrate()
    shelf.heard = lambda name: system.live(chance, chance.randrange(3))
    for _ in range(chance.randint(1, 4)):
        system.live(chance, chance.randrange(60))
        let_go(system, chance)
        system.now_ms += 1_000
        manifest = await backed_up(system, shelf, chance)
        assert names_of(shelf) == manifest.names()
        for topic in manifest.topics:
            for one in topic.partitions:
                begin = _begin(system, (topic.topic, one.partition))
                assert all(segment.end > begin for segment in one.segments), "retention took all of a file"
    system.person(7)
    shelf.heard = lambda name: None
    manifest = await back_up(system, shelf)
    fresh = System()
    for calls in deaths(chance, 140):
        try:
            restored = await restore(shelf, fresh, calls)
        except Killed:
            continue
        except Conflict as error:
            if error.kind != "restored":
                raise
            restored = None  # the one before died behind its very last write
        assert copied(fresh, manifest, system) == copied(system, manifest, system)
        assert {place: fresh.ends[place] for place in manifest.ends} == dict(manifest.ends)
        begins = {(topic.topic, one.partition): one.begin for topic in manifest.topics for one in topic.partitions}
        assert {place: _begin(fresh, place) for place in begins} == begins
        assert restored is None or [one.records for one in restored] == [one.records for one in manifest.topics]
        assert fresh.kept["credentials"] == system.kept["credentials"]
        assert {name: here.config for name, here in fresh.here.items()} == {
            name: here.config for name, here in system.here.items()
        }
        return
    raise AssertionError("unreachable")


async def test_a_second_backup_copies_only_what_is_new_of_the_log() -> None:
    shelf, system, chance = MemoryShelf(), System().migrate(), random.Random(1)
    system.live(chance, 400)
    await back_up(system, shelf)
    before = {name: data for name, data in shelf.files.items() if name.startswith("log/")}
    written: list[str] = []
    shelf.heard = written.append
    system.now_ms += 1
    await back_up(system, shelf)
    assert [name for name in written if name.startswith("log/")] == []
    system.add(GRAPH.name, 0, b"1:2")
    system.now_ms += 1
    manifest = await back_up(system, shelf)
    new = [name for name in written if name.startswith("log/")]
    assert len(new) == 1
    assert new[0].startswith("log/graph/0/")
    assert len(set(before) - names_of(shelf)) <= 1, "a small last file is written again with what came since"
    await check(manifest, shelf, Heard())


async def test_what_a_run_that_died_has_copied_is_not_copied_again() -> None:
    shelf, system = MemoryShelf(), System().migrate()
    system.live(random.Random(2), 500)
    with pytest.raises(Killed):
        await back_up(system, shelf, {"left": 6, "after": True})
    left = {name for name in shelf.files if name.startswith("log/")}
    assert left
    written: list[str] = []
    shelf.heard = written.append
    manifest = await back_up(system, shelf)
    assert left <= manifest.names()
    assert not left & set(written)


async def test_what_a_run_left_of_another_log_is_not_taken_for_this_one() -> None:
    shelf, other, system, fresh = MemoryShelf(), System().migrate(), System().migrate(), System()
    other.add(*POSTS_PLACE, b"1", b"of another log")
    with pytest.raises(Killed):
        await back_up(other, shelf, {"left": 4, "after": True})
    assert any(name.startswith("log/") for name in shelf.files)
    system.add(*POSTS_PLACE, b"1", b"of this log")
    await back_up(system, shelf)
    await restore(shelf, fresh)
    assert [one.value for one in fresh.log[POSTS_PLACE]] == [b"of this log"]


async def test_a_restore_that_goes_on_writes_no_row_twice() -> None:
    shelf, system, fresh = MemoryShelf(), System().migrate(), System()
    system.person(7)
    for _ in range(9):
        system.add(*POSTS_PLACE, b"1")
    await back_up(system, shelf)
    append, written = fresh.append, list[str]()

    async def dies(records: Any) -> None:
        raise Killed

    fresh.append = dies  # type: ignore[method-assign]
    with pytest.raises(Killed):
        await restore(shelf, fresh)
    write = fresh.write

    async def counted(table: str, rows: Any, now_ms: int) -> None:
        written.extend([table] * len(rows))
        await write(table, rows, now_ms)

    fresh.append, fresh.write = append, counted  # type: ignore[method-assign]
    await restore(shelf, fresh)
    assert written == []
    assert fresh.kept["credentials"]


async def test_a_byte_that_was_flipped_anywhere_is_found() -> None:
    shelf, system, chance = MemoryShelf(), System().migrate(), random.Random(3)
    system.live(chance, 60)
    system.person(5)
    manifest = await back_up(system, shelf)
    for name in sorted(manifest.names()):
        whole = shelf.files[name]
        for at in {0, len(whole) - 1, chance.randrange(len(whole))}:
            shelf.files[name] = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
            with pytest.raises(Corruption, match=name):
                await check(manifest, shelf, Heard())
            with pytest.raises(Corruption, match=name):
                await restore(shelf, System())
        del shelf.files[name]
        with pytest.raises(Corruption, match="is missing"):
            await check(manifest, shelf, Heard())
        shelf.files[name] = whole
    await check(manifest, shelf, Heard())


async def test_a_record_that_was_not_restored_as_it_was_is_found() -> None:
    shelf, system, fresh = MemoryShelf(), System().migrate(), System()
    system.add(*POSTS_PLACE, b"1", b"as it was")
    await back_up(system, shelf)
    fresh.migrate()
    whole = fresh.append

    async def altered(records: Any) -> None:
        await whole([type(one)(one.topic, one.partition, one.key, b"altered", one.headers, 1) for one in records])

    fresh.append = altered  # type: ignore[method-assign]
    with pytest.raises(Corruption, match="accounts/0: the records from 0 to 0 are not those of the backup"):
        await restore(shelf, fresh)


async def test_whoever_else_appends_to_what_is_restored_is_noticed() -> None:
    shelf, system, fresh = MemoryShelf(), System().migrate(), System()
    system.add(*POSTS_PLACE, b"1")
    await back_up(system, shelf)
    whole = fresh.append

    async def meddled(records: Any) -> None:
        await whole(records)
        fresh.add(*POSTS_PLACE, b"2")

    fresh.append = meddled  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="somebody else appends"):
        await restore(shelf, fresh)


async def test_growths_and_offsets_of_groups_come_back() -> None:
    shelf, system, fresh = MemoryShelf(), System().migrate(), System().migrate(1)
    await system.add_partitions(GRAPH.name, 3)
    system.growths[GRAPH.name] = [GrowthRow(1, 2, 3, "done", (4, 5))]
    system.offsets["photolog-transcode", ("media.transcoding.requested", 1)] = 0
    await back_up(system, shelf)
    await restore(shelf, fresh)
    assert fresh.growths == system.growths
    assert fresh.here[GRAPH.name].partitions == 3
    assert fresh.offsets == system.offsets


async def test_a_topic_that_is_growing_is_waited_for() -> None:
    system = System().migrate()
    system.growths[GRAPH.name] = [GrowthRow(1, 2, 3, "cut", (4, 5))]
    with pytest.raises(Conflict, match="graph is growing"):
        await back_up(system, MemoryShelf())


async def test_a_growth_that_comes_between_is_noticed() -> None:
    system = System().migrate()
    bounds = system.bounds

    async def growing(topics: Any) -> Any:
        found = await bounds(topics)
        system.growths[GRAPH.name] = [GrowthRow(1, 2, 3, "done", (0, 0))]
        return found

    system.bounds = growing  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="the topics changed meanwhile"):
        await back_up(system, MemoryShelf())


async def test_two_who_back_up_to_one_place_do_not_remove_each_others_files() -> None:
    shelf, system = MemoryShelf(), System().migrate()
    system.person(7)
    quicker = MemoryShelf()
    await back_up(system, quicker)

    def heard(name: str) -> None:
        if name.startswith("tables/"):
            shelf.heard = lambda later: None
            shelf.files |= quicker.files

    shelf.heard = heard
    system.now_ms += 1
    with pytest.raises(Conflict, match="somebody else backs up to memory"):
        await back_up(system, shelf)
    await check(await manifest_of(shelf), shelf, Heard())


async def test_another_log_is_not_mixed_with_the_one_that_is_there() -> None:
    shelf, system = MemoryShelf(), System().migrate()
    await back_up(system, shelf)
    with pytest.raises(Conflict, match="is not the one that was backed up"):
        await back_up(System().migrate(), shelf)


async def test_a_gap_in_the_log_is_told_and_not_copied_over() -> None:
    system = System().migrate()
    for _ in range(3):
        system.add(*POSTS_PLACE, b"1")
    del system.log[POSTS_PLACE][1]
    with pytest.raises(Corruption, match="accounts/0 has no record between 1 and 2"):
        await back_up(system, MemoryShelf())


async def test_a_partition_that_begins_too_late_can_be_left_empty_where_nothing_is_folded_from_it() -> None:
    shelf, system = MemoryShelf(), System().migrate()
    views = (POST_VIEWS.name, 0)
    await system.configure(POST_VIEWS.name, {"retention.ms": "1000"})
    system.ends[views] = 10**12
    await back_up(system, shelf)
    with pytest.raises(Conflict, match=r"post.views/0 began at offset 1000000000000.*--without post.views"):
        await restore(shelf, System())
    with pytest.raises(Conflict, match="keeps its records for ever"):
        await restore(shelf, System(), without=[ACCOUNTS.name])
    fresh = System()
    await restore(shelf, fresh, without=[POST_VIEWS.name])
    assert fresh.ends[views] == 0
    assert fresh.here[POST_VIEWS.name].config["retention.ms"] == "1000"
