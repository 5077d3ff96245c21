"""An erasure, step by step. Each step may be repeated, and a crash anywhere repeats one.

| step | what is done |
|---|---|
| hide | the account's row says that it is deleted; the command appends that, and this where the command died |
| wait | no command that passed the marker is under way any more |
| settle | photographs under way are answered, and every read model is where the log was |
| resettle | the same again, for what the jobs appended meanwhile |
| undo | everything that the account did is taken back; again, until nothing is left |
| count | what there is to remove outside the log is counted, for the receipt |
| shred | the account's key is destroyed: every sealed field in the log is noise from now on |
| purge | vault, bucket and caches let go of it |
| verify | nothing is left, or it begins again at `undo`; then the receipt is signed |

The order matters. Rows are emptied while the key is still there, so that no fold ever sees half a person; the key goes
before the files, so that what a crash leaves behind is the less telling part.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec
import structlog

from gateway.vault.port import ErasureRow
from leaving.account_log import AccountLog, Named, correlation, deletion_record
from leaving.purging import Purge
from leaving.resources import LeavingResources
from leaving.settling import applied, lagging, places, transcoded
from leaving.undoing import UNDOING, undone
from photolog.positions import Position, format_positions
from photolog.receipts import Receipt, ReceiptKey
from photolog.timestamps import rfc3339
from projections.accounts import ACCOUNTS
from schemas import events as e
from schemas import topics

FINISHED = "finished"
UNDONE_TOPICS = tuple(dict.fromkeys(topics.topic_of(event) for event in UNDOING))
_MEDIA = e.MediaTranscodingRequested | e.MediaTranscodingCompleted
logger = structlog.get_logger(__name__)


class Erasure:
    """Brings one account's erasure forward.

    Args:
        resources: the worker's.
        row: how far it is.
    """

    def __init__(self, resources: LeavingResources, row: ErasureRow) -> None:
        self._resources = resources
        self._row = row
        self._account_id = row.account_id
        self._steps = {
            "hide": self._hide,
            "wait": self._wait,
            "settle": self._settle,
            "resettle": self._resettle,
            "undo": self._undo,
            "count": self._count,
            "shred": self._shred,
            "purge": self._purge,
            "verify": self._verify,
        }

    async def advance(self) -> bool:
        """Do the next step, if its time has come. True where the erasure moved.

        Raises:
            StoreUnavailable: a store did not answer; do it again.
            LogUnavailable: the log did not; do it again.
        """
        after = await self._steps[self._row.step]()
        if after is None:
            return False
        after = msgspec.structs.replace(after, version=self._row.version + 1)
        if not await self._resources.vault.erasures.move(after):
            # Another worker was quicker; what both did, both may do.
            return False
        logger.info("erasure", account=str(self._account_id), done=self._row.step, next=after.step)
        return True

    async def _hide(self) -> ErasureRow | None:
        if not await self._applied():
            return None
        if await self._hidden():
            return self._at("wait")
        # Where the command appended it too, the second one changes nothing.
        return self._at("hide", await self._append([e.AccountDeleted(account_id=self._account_id)]))

    async def _wait(self) -> ErasureRow | None:
        if self._resources.clock_ms() < self._row.step_ms + self._resources.settle_seconds * 1_000:
            return None
        return self._at("settle", await self._log_ends())

    async def _settle(self) -> ErasureRow | None:
        if not transcoded(await self._resources.reader.transcoded(), self._positions()) or not await self._applied():
            return None
        return self._at("resettle", await self._log_ends())

    async def _resettle(self) -> ErasureRow | None:
        return self._at("undo") if await self._applied() else None

    async def _undo(self) -> ErasureRow | None:
        if not await self._applied():
            return None
        if not await self._hidden():
            return self._at("hide")
        landed: list[Position] = []
        async for batch in self._log().batches(UNDONE_TOPICS):
            landed += await self._append(await self._undone(batch))
        return self._at("undo", landed) if landed else self._at("count")

    async def _count(self) -> ErasureRow | None:
        counts = await Purge(self._resources, self._account_id).count(await self._media_ids())
        # A second round counts what a first one left.
        removed = Counter(self._row.removed) + Counter(counts)
        return msgspec.structs.replace(self._at("shred"), removed=dict(removed))

    async def _shred(self) -> ErasureRow | None:
        await self._resources.keyring.erase(self._account_id)
        return self._at("purge")

    async def _purge(self) -> ErasureRow | None:
        await Purge(self._resources, self._account_id).purge(await self._media_ids())
        return self._at("verify", await self._log_ends())

    async def _verify(self) -> ErasureRow | None:
        # Every generation that is kept is to be without the account, also one whose rebuild stands still.
        rows, pointers = self._resources.every_row or self._resources.rows, self._resources.pinned.pointers
        if behind := await lagging(rows, pointers, self._positions()):
            logger.warning("erasure-waits", account=str(self._account_id), generations=behind)
            return None
        left = Counter(await Purge(self._resources, self._account_id).count(await self._media_ids()))
        await self._resources.keyring.ensure([self._account_id])
        left["key"] += int(self._resources.keyring.key_of(self._account_id) is not None)
        left["account"] += int(not await self._hidden())
        landed: list[Position] = []
        taken_back: Counter[str] = Counter()
        async for batch in self._log().batches((*UNDONE_TOPICS, topics.ACCOUNTS)):
            left["events"] += len(await self._undone(batch))
            for named in batch:
                if _is_deletion(named, self._account_id):
                    landed.append(Position(named.record.topic, named.record.partition, named.record.offset))
                    taken_back[f"events.{named.event.type}"] += 1
        if left.total():
            logger.warning("erasure-not-complete", account=str(self._account_id), left={**left})
            return self._at("undo")
        removed = {**self._row.removed, **taken_back, "key": 1}
        finished = msgspec.structs.replace(
            self._at(FINISHED, landed), removed=removed, finished_ms=self._resources.clock_ms()
        )
        return msgspec.structs.replace(finished, receipt=self._receipt(finished))

    def _receipt(self, row: ErasureRow) -> str:
        receipt = Receipt(
            account_id=str(row.account_id),
            requested_at=rfc3339(row.requested_ms),
            erased_at=rfc3339(row.finished_ms or 0),
            removed=row.removed,
            positions=format_positions(Position(*place) for place in row.positions),
        )
        return ReceiptKey(self._resources.master_key).sign(receipt)

    async def _hidden(self) -> bool:
        """Whether the account's row says that it is deleted. An account that never came to be has none."""
        account = await self._resources.rows.get(ACCOUNTS.key(self._account_id))
        return account is None or account.deleted

    async def _media_ids(self) -> set[int]:
        """Every photograph that the account ever finished uploading."""
        media_ids: set[int] = set()
        async for batch in self._log().batches((topics.MEDIA_REQUESTED, topics.MEDIA_COMPLETED)):
            media_ids.update(named.event.media_id for named in batch if isinstance(named.event, _MEDIA))
        return media_ids

    async def _undone(self, batch: Iterable[Named]) -> list[e.Event]:
        return await undone(self._resources.rows, self._account_id, [named.event for named in batch])

    async def _append(self, events: Iterable[e.Event]) -> list[Position]:
        now_ms, serde = self._resources.clock_ms(), self._resources.serde
        records = [deletion_record(serde, self._account_id, event, now_ms) for event in events]
        return await self._resources.log.append_all(records) if records else []

    async def _log_ends(self) -> list[Position]:
        return places(await self._resources.reader.ends())

    async def _applied(self) -> bool:
        return await applied(self._resources.rows, self._resources.timelines, self._positions())

    def _log(self) -> AccountLog:
        return AccountLog(self._resources.reader, self._resources.serde, self._account_id)

    def _positions(self) -> list[Position]:
        return [Position(*place) for place in self._row.positions]

    def _at(self, step: str, positions: Iterable[Position] = ()) -> ErasureRow:
        """The row at its next step, which begins now and waits for these positions."""
        newest: dict[tuple[str, int], int] = {}
        for position in positions:
            place = (position.topic, position.partition)
            newest[place] = max(position.offset, newest.get(place, 0))
        waiting = tuple((topic, partition, offset) for (topic, partition), offset in newest.items())
        return msgspec.structs.replace(self._row, step=step, step_ms=self._resources.clock_ms(), positions=waiting)


def _is_deletion(named: Named, account_id: int) -> bool:
    """Whether an event is part of an erasure: the command's own, or one that a worker appended."""
    own = named.record.header("correlation_id") == correlation(account_id)
    return own or isinstance(named.event, e.AccountDeleted)
