"""Rows that are not restored as they were copied, because the log ends before they were read.

| row | why | what it becomes |
|---|---|---|
| the key of an erased account | the backup is older than the erasure, or was made in the middle of it | a marker |
| the password of an erased account | nobody is to come in before the erasure is done | none; the name stays |
| a session of an erased account | the same | nothing |
| an erasure that is finished, whose last deletion events the log lacks | they came later | one from its beginning |
| an erasure that is not finished | its steps speak of places in another log | the same |
| a name that an account took, whose creation the log lacks | it came later | a reservation, as before |
| a session of such an account | it is nobody's | nothing |
| a decision about a dead letter that the log lacks | another record will have its place | nothing |

Whoever knows the password of a reservation finishes the sign-up, as after a crash: the same account.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from backup.table_files import Row
from gateway.vault.erasures import OPEN_BUCKET
from gateway.vault.port import ErasureRow
from photolog.log.slices import Place

FINISHED = "finished"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ErasureRow).decode


@dataclass(slots=True)
class Repairs:
    """What is known while tables are restored, in the order of `backup.outside.KEPT`.

    Args:
        ends: where each partition of the restored log ends.
        unborn: accounts that the restored log does not know.
        erased: every account that is erased, whether the tables know or not.
        now_ms: Unix milliseconds.
    """

    ends: Mapping[Place, int]
    unborn: frozenset[int]
    erased: frozenset[int]
    now_ms: int
    _hashes: dict[int, str] = field(default_factory=dict)
    _finished: set[int] = field(default_factory=set)
    _marked: set[int] = field(default_factory=set)

    def repaired(self, table: str, row: Row) -> Row | None:
        """The row to restore; None for none."""
        match table:
            case "subject_keys" if row["subject_id"] in self.erased:
                return _destroyed(row["subject_id"])
            case "credentials":
                return self._credential(row)
            case "usernames" if row["account_id"] in self.unborn and row["state"] == "taken":
                hashed = self._hashes.get(row["account_id"])
                return row | {"state": "reserved", "reserved_ms": self.now_ms, "password_hash": hashed}
            case "sessions" if row["account_id"] in self.unborn | self.erased:
                return None
            case "erasures":
                return self._erasure(row)
            case "letter_settlements" if row["place"] >= self.ends.get((row["topic"], row["source"]), 0):
                return None
            case _:
                return row

    def added(self, table: str) -> list[Row]:
        """Rows that come behind those of a table."""
        match table:
            case "subject_keys":
                return [_destroyed(account_id) for account_id in sorted(self.erased)]
            case "erasures":
                return [_stored(self._begun(account_id)) for account_id in sorted(self.erased - self._marked)]
            case "open_erasures":
                left = sorted((self.erased | self._marked) - self._finished)
                return [{"bucket": OPEN_BUCKET, "account_id": account_id} for account_id in left]
            case _:
                return []

    def _credential(self, row: Row) -> Row:
        """It stays: a sign-up that is finished finds it, and an erasure finds the name in it that is to rest."""
        if row["account_id"] in self.erased:
            return row | {"password_hash": None}
        if row["account_id"] in self.unborn:
            self._hashes[row["account_id"]] = row["password_hash"]
        return row

    def _erasure(self, row: Row) -> Row:
        found = _decode(row["progress"])
        self._marked.add(found.account_id)
        if found.step == FINISHED and all(
            offset < self.ends.get((topic, partition), 0) for topic, partition, offset in found.positions
        ):
            self._finished.add(found.account_id)
            return row
        # What it removed before is in its receipt, too.
        again = self._begun(found.account_id)
        return _stored(
            msgspec.structs.replace(
                again, version=found.version, requested_ms=found.requested_ms, removed=found.removed
            )
        )

    def _begun(self, account_id: int) -> ErasureRow:
        return ErasureRow(account_id=account_id, requested_ms=self.now_ms, step_ms=self.now_ms)


def _destroyed(account_id: int) -> Row:
    """What a keyring leaves of a key that was destroyed."""
    return {"subject_id": account_id, "erased": True}


def _stored(row: ErasureRow) -> Row:
    """An erasure as `gateway.vault.erasures` stores it."""
    return {"account_id": row.account_id, "version": row.version, "progress": _encode(row)}
