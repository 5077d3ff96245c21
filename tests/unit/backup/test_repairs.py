"""What lives outside the log is later than the log that a backup holds, and an erased account stays erased."""

from collections.abc import Callable
from uuid import UUID

import msgspec
import pytest
from pydantic import SecretStr

from backup.erased import parse_erased, read_erased, write_erased
from backup.manifest import Manifest
from backup.table_files import EXPIRES
from gateway.vault.port import ErasureRow
from photolog.errors import Conflict, Invalid
from photolog.settings import SecretSettings
from schemas.topics import ACCOUNTS, LIKES
from tests.unit.backup.world import SECRETS, MemoryShelf, System, back_up, restore

BORN, UNBORN, LEFT = 11, 12, 13
_decode = msgspec.msgpack.Decoder(ErasureRow).decode


def created(system: System, account_id: int) -> None:
    """The event that brings an account into being."""
    system.add(ACCOUNTS.name, account_id % 2, str(account_id).encode(), headers=(("ce_type", b"account.created"),))


def erasure(system: System, account_id: int, step: str, positions: tuple[tuple[str, int, int], ...] = ()) -> None:
    row = ErasureRow(
        account_id=account_id, step=step, version=8, requested_ms=1, step_ms=2, positions=positions, removed={"key": 1}
    )
    system.row("erasures", account_id=account_id, version=8, progress=msgspec.msgpack.encode(row))


def erasures_of(system: System) -> dict[int, ErasureRow]:
    return {row["account_id"]: _decode(row["progress"]) for row in system.kept.get("erasures", [])}


async def _during(system: System, shelf: MemoryShelf, table: str, happens: Callable[[], None]) -> Manifest:
    """A backup in whose middle, before a table is read, something happens."""

    def heard(name: str) -> None:
        if name == "unfinished.json":
            shelf.heard = lambda later: None
            rows = system.rows

            def read(kept):  # type: ignore[no-untyped-def]
                if kept.name == table:
                    happens()
                return rows(kept)

            system.rows = read  # type: ignore[method-assign]

    shelf.heard = heard
    return await back_up(system, shelf)


async def test_an_account_that_came_too_late_for_the_log_can_finish_its_sign_up() -> None:
    system, shelf, fresh = System().migrate(), MemoryShelf(), System()
    system.person(BORN)
    created(system, BORN)

    def signs_up() -> None:
        system.person(UNBORN)
        created(system, UNBORN)

    manifest = await _during(system, shelf, "subject_keys", signs_up)
    assert manifest.unborn == (UNBORN,)
    await restore(shelf, fresh)
    (taken,) = fresh.stored("usernames", account_id=BORN)
    assert (taken["state"], taken.get("password_hash")) == ("taken", None)
    (reserved,) = fresh.stored("usernames", account_id=UNBORN)
    assert (reserved["state"], reserved["password_hash"]) == ("reserved", f"hash {UNBORN}")
    assert reserved["reserved_ms"] == fresh.now_ms
    assert isinstance(reserved["event_id"], UUID)
    (original,) = system.stored("usernames", account_id=UNBORN)
    assert reserved["event_id"] == original["event_id"]
    assert fresh.stored("subject_keys", subject_id=UNBORN) == system.stored("subject_keys", subject_id=UNBORN)
    assert [row["account_id"] for row in fresh.kept["sessions"]] == [BORN]


async def test_everyone_who_is_in_the_log_has_a_key_and_a_password_in_the_backup() -> None:
    system, shelf, fresh = System().migrate(), MemoryShelf(), System()

    def heard(name: str) -> None:
        """Somebody signs up at every step; what stands outside the log comes before the event."""
        account_id = 100 + len(system.kept.get("subject_keys", []))
        system.person(account_id)
        created(system, account_id)

    shelf.heard = heard
    await back_up(system, shelf)
    await restore(shelf, fresh)
    born = {int(record.key or b"") for place, held in fresh.log.items() if place[0] == "accounts" for record in held}
    assert {row["subject_id"] for row in fresh.kept["subject_keys"]} >= born
    assert {row["account_id"] for row in fresh.kept["credentials"]} >= born


async def test_an_account_that_was_erased_after_the_backup_stays_erased_when_the_list_says_so() -> None:
    system, shelf, fresh = System().migrate(), MemoryShelf(), System()
    system.person(LEFT)
    created(system, LEFT)
    await back_up(system, shelf)
    assert system.stored("subject_keys", subject_id=LEFT)[0]["wrapped_key"]
    erasure(system, LEFT, "wait")
    assert await write_erased(system, shelf) == 1
    await restore(shelf, fresh, erased=await read_erased(shelf))
    assert all(
        row.get("wrapped_key") is None and row["erased"] for row in fresh.stored("subject_keys", subject_id=LEFT)
    )
    (credential,) = fresh.stored("credentials", account_id=LEFT)
    assert (credential["username"], credential["password_hash"]) == (f"name_{LEFT}", None)
    assert not fresh.stored("sessions", account_id=LEFT)
    again = erasures_of(fresh)[LEFT]
    assert (again.step, again.version, again.positions) == ("hide", 0, ())
    assert fresh.stored("open_erasures", account_id=LEFT)


async def test_the_next_backup_holds_no_key_of_an_erased_account_anywhere() -> None:
    system, shelf = System().migrate(), MemoryShelf()
    system.person(LEFT)
    key = system.stored("subject_keys", subject_id=LEFT)[0]["wrapped_key"]
    await back_up(system, shelf)
    before = {name for name in shelf.files if "subject_keys" in name}
    system.kept["subject_keys"] = [{"subject_id": LEFT, "erased": True, EXPIRES: None}]
    system.now_ms += 1
    await back_up(system, shelf)
    assert not before & set(shelf.files)
    assert not any(key in data for data in shelf.files.values())


async def test_an_erasure_that_the_log_does_not_know_the_end_of_is_begun_again() -> None:
    system, shelf, fresh = System().migrate(), MemoryShelf(), System()
    for account_id in (21, 22, 23):
        system.person(account_id)
    system.add(LIKES.name, 0, b"21")
    erasure(system, 21, "finished", ((LIKES.name, 0, 0),))
    erasure(system, 22, "finished", ((LIKES.name, 0, 0), (LIKES.name, 0, 1)))
    erasure(system, 23, "purge", ((LIKES.name, 0, 0),))
    await back_up(system, shelf)
    await restore(shelf, fresh, erased=await read_erased(shelf))
    steps = {account_id: (row.step, row.version, row.removed) for account_id, row in erasures_of(fresh).items()}
    assert steps == {
        21: ("finished", 8, {"key": 1}),
        22: ("hide", 8, {"key": 1}),
        23: ("hide", 8, {"key": 1}),
    }
    assert [row["account_id"] for row in fresh.kept["open_erasures"]] == [22, 23]
    assert not any(row.get("wrapped_key") for row in fresh.kept["subject_keys"])


async def test_a_decision_about_a_letter_that_is_not_restored_is_not_either() -> None:
    system, shelf, fresh = System().migrate(), MemoryShelf(), System()
    system.add(LIKES.name, 0, b"1")
    for place in (0, 1):
        system.row(
            "letter_settlements",
            projection="likes",
            topic=LIKES.name,
            source=0,
            place=place,
            settlement="dropped",
            at_ms=1,
        )
    await back_up(system, shelf)
    await restore(shelf, fresh)
    assert [row["place"] for row in fresh.kept["letter_settlements"]] == [0]


async def test_what_expired_meanwhile_is_not_restored() -> None:
    system, shelf, fresh = System().migrate(), MemoryShelf(), System()
    system.row("sessions", expires_ms=system.now_ms + 1_000, account_id=1, session_id=1, refresh_hash=b"r")
    system.row("sessions", expires_ms=system.now_ms + 9_000, account_id=1, session_id=2, refresh_hash=b"r")
    await back_up(system, shelf)
    fresh.now_ms += 5_000
    await restore(shelf, fresh)
    assert [row["session_id"] for row in fresh.kept["sessions"]] == [2]


async def test_other_keys_in_the_settings_are_refused_before_anything_is_written() -> None:
    system, shelf, fresh = System().migrate(), MemoryShelf(), System()
    system.person(BORN)
    await back_up(system, shelf)
    other = SecretSettings(
        access_token_key=SECRETS.access_token_key,
        master_key=SecretStr("YTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="),
        hash_key=SECRETS.hash_key,
    )
    with pytest.raises(Conflict, match="PHOTOLOG_SECRETS__MASTER_KEY is not what it was"):
        await restore(shelf, fresh, secrets=other)
    assert not fresh.here
    assert not fresh.kept


@pytest.mark.parametrize("text", [b"12\nx\n", b"-1", b"12 13", b"12345678901234567890"])
def test_a_list_of_something_else_is_refused(text: bytes) -> None:
    with pytest.raises(Invalid, match=r"the list, line \d: .* is no account id"):
        parse_erased(text, "the list")


def test_a_list_may_have_blank_lines_and_other_ends_of_lines() -> None:
    assert parse_erased(b"12\r\n\n 13 \n", "the list") == {12, 13}
