"""What every vault decides, in memory and in Cassandra."""

import asyncio
import secrets

import msgspec
import pytest

from gateway.bootstrap import cassandra_vault
from gateway.vault import VAULT_DDL
from gateway.vault.memory import memory_vault
from gateway.vault.port import (
    CredentialRow,
    ErasureRow,
    ExportRow,
    GrantRow,
    ReservationRow,
    SessionRow,
    UploadRow,
    UsernameRow,
    Vault,
)
from photolog.engines.cassandra_session import CassandraSession
from photolog.ids import SnowflakeSource, new_event_id
from photolog.log.record import EncodedRecord
from photolog.settings import LimitSettings

IDS = SnowflakeSource(7)


@pytest.fixture(scope="session")
async def kept_vault(cassandra_session: CassandraSession) -> Vault:
    """A vault in Cassandra."""
    for statement in VAULT_DDL:
        await cassandra_session.execute(statement)
    return cassandra_vault(cassandra_session, LimitSettings())


@pytest.fixture(params=["memory", pytest.param("cassandra", marks=pytest.mark.integration)])
def vault(request: pytest.FixtureRequest) -> Vault:
    """A vault. Cassandra's is shared: a test uses names and ids of its own."""
    if request.param == "memory":
        return memory_vault()
    kept: Vault = request.getfixturevalue("kept_vault")
    return kept


def _username() -> UsernameRow:
    return UsernameRow(
        username=f"name_{secrets.token_hex(6)}",
        account_id=IDS.next(),
        state="reserved",
        event_id=new_event_id(),
        reserved_ms=5,
        password_hash="hash",
    )


async def test_a_free_name_is_reserved_once(vault: Vault) -> None:
    row = _username()
    rivals = [msgspec.structs.replace(row, account_id=IDS.next()) for _ in range(4)]
    standing = await asyncio.gather(*(vault.usernames.reserve(rival) for rival in rivals))
    assert len({one.account_id for one in standing}) == 1
    assert await vault.usernames.get(row.username) == standing[0]


async def test_a_taken_name_forgets_the_password_and_is_never_taken_over(vault: Vault) -> None:
    row = _username()
    await vault.usernames.reserve(row)
    assert not await vault.usernames.take(row.username, IDS.next())
    assert await vault.usernames.take(row.username, row.account_id)
    taken = await vault.usernames.get(row.username)
    assert taken is not None
    assert (taken.state, taken.password_hash) == ("taken", None)
    assert not await vault.usernames.take_over(msgspec.structs.replace(row, account_id=9), row.account_id)


async def test_a_reservation_is_taken_over_from_the_one_who_was_seen_only(vault: Vault) -> None:
    row, heir = _username(), IDS.next()
    await vault.usernames.reserve(row)
    taking = msgspec.structs.replace(row, account_id=heir, event_id=new_event_id(), reserved_ms=9)
    assert not await vault.usernames.take_over(taking, IDS.next())
    assert await vault.usernames.take_over(taking, row.account_id)
    assert await vault.usernames.get(row.username) == taking
    assert not await vault.usernames.take(row.username, row.account_id), "the name is not the first one's any more"


async def test_a_password_is_replaced_from_the_version_that_was_seen(vault: Vault) -> None:
    row = CredentialRow(account_id=IDS.next(), username="u", password_hash="one", version=1)
    await vault.credentials.create(row)
    await vault.credentials.create(msgspec.structs.replace(row, password_hash="other"))
    assert await vault.credentials.get(row.account_id) == row
    newer = msgspec.structs.replace(row, password_hash="two", version=2)
    assert await vault.credentials.replace(newer, 1)
    assert not await vault.credentials.replace(msgspec.structs.replace(row, password_hash="late", version=2), 1)
    assert await vault.credentials.get(row.account_id) == newer
    assert not await vault.credentials.replace(msgspec.structs.replace(row, account_id=IDS.next()), 1)


def _session(account_id: int) -> SessionRow:
    return SessionRow(
        account_id=account_id,
        session_id=IDS.next(),
        created_ms=1,
        last_used_ms=1,
        user_agent="agent",
        refresh_hash=b"first",
    )


async def test_of_concurrent_rotations_one_holds(vault: Vault) -> None:
    row = _session(IDS.next())
    await vault.sessions.create(row)
    rotated = [
        msgspec.structs.replace(row, refresh_hash=bytes([number]), previous_hash=b"first", last_used_ms=2)
        for number in range(4)
    ]
    done = await asyncio.gather(*(vault.sessions.rotate(one, b"first") for one in rotated))
    assert sum(done) == 1
    assert await vault.sessions.get(row.account_id, row.session_id) == rotated[done.index(True)]


async def test_a_revoked_session_is_gone_and_no_rotation_revives_it(vault: Vault) -> None:
    row = _session(IDS.next())
    await vault.sessions.create(row)
    assert await vault.sessions.revoke(row.account_id, row.session_id)
    assert not await vault.sessions.revoke(row.account_id, row.session_id)
    assert not await vault.sessions.rotate(row, b"first")
    assert await vault.sessions.get(row.account_id, row.session_id) is None


async def test_sessions_are_listed_by_account_newest_first(vault: Vault) -> None:
    account_id = IDS.next()
    rows = [_session(account_id) for _ in range(3)]
    for row in [*rows, _session(IDS.next())]:
        await vault.sessions.create(row)
    await vault.sessions.revoke(account_id, rows[1].session_id)
    assert await vault.sessions.listed(account_id) == [rows[2], rows[0]]


async def test_of_concurrent_reservations_all_get_the_first(vault: Vault) -> None:
    key = secrets.token_hex(8)
    record = EncodedRecord(topic="t", key=b"k", value=b"\x00\x01", headers=(("a", b"1"), ("a", b"2")), timestamp_ms=7)
    rows = [
        ReservationRow(body_hash=bytes([n]), records=(record,), status=201, answer=b'{"n":%d}' % n, wait_for=("graph",))
        for n in range(4)
    ]
    standing = await asyncio.gather(*(vault.reservations.reserve("7", key, row) for row in rows))
    assert len({one.body_hash for one in standing}) == 1
    assert await vault.reservations.get("7", key) == standing[0]
    assert standing[0] in rows
    assert await vault.reservations.get("8", key) is None


def _upload(owner_id: int, client_upload_id: str | None) -> UploadRow:
    media_id = IDS.next()
    return UploadRow(
        media_id=media_id,
        owner_id=owner_id,
        client_upload_id=client_upload_id,
        upload_id="",
        object_key=f"raw/{owner_id}/{media_id}",
        content_type="image/png",
        size_bytes=9,
        state="open",
        created_ms=1,
    )


async def test_the_clients_name_gives_the_same_upload_to_its_owner_only(vault: Vault) -> None:
    owner_id = IDS.next()
    first = await vault.uploads.create(_upload(owner_id, "holiday"))
    assert await vault.uploads.create(_upload(owner_id, "holiday")) == first
    assert await vault.uploads.create(_upload(IDS.next(), "holiday")) != first
    assert await vault.uploads.create(_upload(owner_id, None)) != await vault.uploads.create(_upload(owner_id, None))
    assert await vault.uploads.get(first.media_id) == first


async def test_an_upload_moves_from_the_state_that_was_seen(vault: Vault) -> None:
    row = await vault.uploads.create(_upload(IDS.next(), None))
    assert await vault.uploads.move(row.media_id, "open", "completed")
    assert not await vault.uploads.move(row.media_id, "open", "aborted")
    moved = await vault.uploads.get(row.media_id)
    assert moved is not None
    assert moved.state == "completed"
    assert not await vault.uploads.move(IDS.next(), "open", "completed")


async def test_an_upload_gets_its_id_once(vault: Vault) -> None:
    row = await vault.uploads.create(_upload(IDS.next(), None))
    assert await vault.uploads.attach(row.media_id, "one")
    assert not await vault.uploads.attach(row.media_id, "other")
    attached = await vault.uploads.get(row.media_id)
    assert attached is not None
    assert attached.upload_id == "one"


async def test_a_name_is_released_by_its_account_only(vault: Vault) -> None:
    row = _username()
    await vault.usernames.reserve(row)
    assert not await vault.usernames.release(row.username, IDS.next())
    assert await vault.usernames.release(row.username, row.account_id)
    assert not await vault.usernames.release(row.username, row.account_id)
    assert await vault.usernames.get(row.username) is None


async def test_a_name_rests_by_its_hash(vault: Vault) -> None:
    name_hash = secrets.token_bytes(32)
    assert not await vault.usernames.resting(name_hash)
    await vault.usernames.rest(name_hash)
    assert await vault.usernames.resting(name_hash)


def _erasure() -> ErasureRow:
    return ErasureRow(account_id=IDS.next(), requested_ms=1, step_ms=1)


async def test_an_erasure_is_begun_once_and_for_ever(vault: Vault) -> None:
    row = _erasure()
    assert await vault.erasures.get(row.account_id) is None
    rivals = [msgspec.structs.replace(row, requested_ms=number) for number in range(4)]
    standing = await asyncio.gather(*(vault.erasures.begin(rival) for rival in rivals))
    assert len({one.requested_ms for one in standing}) == 1
    assert await vault.erasures.get(row.account_id) == standing[0]


async def test_an_erasure_moves_from_the_version_that_was_seen(vault: Vault) -> None:
    row = await vault.erasures.begin(_erasure())
    moved = msgspec.structs.replace(row, version=1, step="settle", removed={"likes": 2}, positions=(("likes", 0, 4),))
    moves = await asyncio.gather(*(vault.erasures.move(moved) for _ in range(3)))
    assert sum(moves) == 1
    assert await vault.erasures.get(row.account_id) == moved
    assert not await vault.erasures.move(msgspec.structs.replace(_erasure(), version=1))


async def test_an_erasure_is_listed_until_it_is_closed(vault: Vault) -> None:
    row = await vault.erasures.begin(_erasure())
    assert row.account_id in await vault.erasures.unfinished()
    await vault.erasures.close(row.account_id)
    assert row.account_id not in await vault.erasures.unfinished()
    assert await vault.erasures.get(row.account_id) == row, "the marker stays"


async def test_what_an_account_has_is_found_and_removed(vault: Vault) -> None:
    account_id = IDS.next()
    name = msgspec.structs.replace(_username(), account_id=account_id)
    await vault.usernames.reserve(name)
    assert [found async for found in vault.usernames.of(account_id)] == [name.username]
    await vault.credentials.create(CredentialRow(account_id=account_id, username="u", password_hash="h", version=1))
    await vault.credentials.remove(account_id)
    assert await vault.credentials.get(account_id) is None
    row = ReservationRow(body_hash=b"b", records=(), status=204, answer=b"")
    await vault.reservations.reserve(str(account_id), "one", row)
    await vault.reservations.reserve(str(IDS.next()), "one", row)
    assert [key async for key in vault.reservations.keys_of(str(account_id))] == ["one"]
    await vault.reservations.remove(str(account_id), "one")
    assert [key async for key in vault.reservations.keys_of(str(account_id))] == []


async def test_uploads_are_found_by_owner_and_removed_with_their_names(vault: Vault) -> None:
    owner_id = IDS.next()
    rows = [await vault.uploads.create(_upload(owner_id, name)) for name in ("holiday", None)]
    await vault.uploads.create(_upload(IDS.next(), "holiday"))
    found = [row async for row in vault.uploads.of(owner_id)]
    assert sorted(found, key=lambda row: row.media_id) == rows
    for row in rows:
        await vault.uploads.remove(row)
    assert [row async for row in vault.uploads.of(owner_id)] == []
    again = await vault.uploads.create(_upload(owner_id, "holiday"))
    assert again.media_id != rows[0].media_id, "the name is free again"


async def test_an_account_has_one_export_until_it_is_removed(vault: Vault) -> None:
    row = ExportRow(account_id=IDS.next(), export_id=1, requested_ms=1)
    assert await vault.exports.get(row.account_id) is None
    assert await vault.exports.begin(row) == row
    assert await vault.exports.begin(msgspec.structs.replace(row, export_id=2)) == row
    moved = msgspec.structs.replace(row, version=1, claimed_ms=9)
    assert await vault.exports.move(moved)
    assert not await vault.exports.move(moved)
    assert await vault.exports.get(row.account_id) == moved
    assert row.account_id in await vault.exports.all()
    await vault.exports.remove(row.account_id)
    assert row.account_id not in await vault.exports.all()
    assert not await vault.exports.move(msgspec.structs.replace(row, version=2)), "what is gone does not come back"


async def test_a_grant_is_made_once_and_revoked_for_good(vault: Vault) -> None:
    row = GrantRow(
        grant_id=secrets.token_hex(8),
        name="lab",
        types=("post.liked", "post.published"),
        sample_max=0.5,
        token_digest=b"d" * 32,
        created_ms=1,
        expires_ms=2,
    )
    assert await vault.grants.get(row.grant_id) is None
    assert not await vault.grants.revoke(row.grant_id, 5), "there is none, and none is made by it"
    assert await vault.grants.get(row.grant_id) is None
    assert await vault.grants.create(row)
    assert not await vault.grants.create(msgspec.structs.replace(row, name="another"))
    assert await vault.grants.get(row.grant_id) == row
    assert row in await vault.grants.listed()
    assert await vault.grants.revoke(row.grant_id, 7)
    assert await vault.grants.revoke(row.grant_id, 9), "again is as good"
    revoked = msgspec.structs.replace(row, revoked_ms=7)
    assert await vault.grants.get(row.grant_id) == revoked
    assert revoked in await vault.grants.listed()
    assert not await vault.grants.create(row), "it does not come back"
