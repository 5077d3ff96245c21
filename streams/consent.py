"""What follows for requests and follows from an account's privacy, as it is once a batch's rows are written.

A public account keeps nobody waiting: going public approves all requests, and one that was stamped by a gateway that
still saw a private account is approved when it comes. A private account is not entered unasked: a follow that was
stamped by a gateway that still saw a public one is made a request.

Privacy and follows are in two topics, and no order exists between these. Each of the two jobs writes its rows before
it reads the other's, so that at least the later of the two sees everything. Both may conclude the same: the second
finds nothing to do. Every conclusion names the very request or follow that it is about, so that one which comes late,
or from a worker that was replaced, touches nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from photolog.ids import now_ms
from photolog.log.record import StoredRecord
from projections.accounts import ACCOUNTS, AccountRow
from projections.fold import Recorded
from projections.graph import FOLLOW_REQUESTS, PAIRS, FollowRequestRow, side_of
from projections.stores.port import RowStore
from projections.writes import ABSENT
from schemas import events as e
from schemas.derived import DerivedEvent
from streams.emission import Emitter
from streams.folding import Folded
from streams.step import Outputs

PAGE_REQUESTS = 500
SLACK_MS = 60_000
"""How long after an account went public a request may still have been stamped by the privacy before: as long as a job
may lag. Later ones are of another day, and seen here only where a lost store is folded again."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """What an account's events of a batch say of its requests.

    Args:
        said: the event that said it.
        cause: its record.
        before_ms: requests made later are not meant.
        public: whether it went public, rather than approved all.
    """

    said: UUID
    cause: StoredRecord
    before_ms: int
    public: bool


class ApprovalReaction:
    """After accounts: approve what waits for one that went public, or that approved all.

    Args:
        rows: requests and accounts.
        emitter: takes the approvals.
        clock_ms: Unix milliseconds; stamps them.
    """

    def __init__(self, rows: RowStore, emitter: Emitter, clock_ms: Callable[[], int] = now_ms) -> None:
        self._rows = rows
        self._emitter = emitter
        self._clock_ms = clock_ms

    async def react(self, folded: Folded) -> Outputs:
        """Approve page by page; what a crash leaves is approved when the batch is repeated."""
        outputs: dict[tuple[str, int], int] = {}
        for account_id, wish in _wishes(folded).items():
            await self._approve(account_id, wish, outputs)
        return outputs

    async def _approve(self, account_id: int, wish: _Wish, outputs: dict[tuple[str, int], int]) -> None:
        after = None
        while True:
            page = await self._rows.scan(FOLLOW_REQUESTS, (account_id,), after=after, limit=PAGE_REQUESTS)
            meant = await self._meant(account_id, wish, page)
            at_ms = self._clock_ms()
            approvals = [
                DerivedEvent(
                    _approval(row.follower_id, account_id, row.since_ms),
                    f"approval/{wish.said}/{row.follower_id}",
                    at_ms,
                    wish.cause,
                )
                for row in meant
            ]
            outputs.update(await self._emitter.emit(approvals))
            if len(page) < PAGE_REQUESTS:
                return
            after = (page[-1].since_ms, page[-1].follower_id)

    async def _meant(
        self, account_id: int, wish: _Wish, page: Sequence[FollowRequestRow]
    ) -> Sequence[FollowRequestRow]:
        """Those of a page that are to be approved."""
        made = [row for row in page if row.since_ms <= wish.before_ms]
        if wish.public:
            # Read after the requests: what waited before an account was seen to be public needs no asking.
            account = await self._rows.get(ACCOUNTS.key(account_id))
            return () if account is None or account.private else made
        accounts = await self._rows.get_many([ACCOUNTS.key(row.follower_id) for row in made])
        # Whom the account could not see, it did not mean.
        return [row for row, asking in zip(made, accounts, strict=True) if asking is not None and not asking.suspended]


class FollowReaction:
    """After the graph: hold the batch's follows and requests against the privacy that each followee has now.

    Only a decision that was made by an older privacy is looked at, and a deferral, as the account may be public again.
    Which came first, a follow or the going private, is told by their time stamps, as whoever was let in before stays.

    Args:
        rows: accounts.
        emitter: takes approvals and deferrals.
        clock_ms: Unix milliseconds; stamps them.
    """

    def __init__(self, rows: RowStore, emitter: Emitter, clock_ms: Callable[[], int] = now_ms) -> None:
        self._rows = rows
        self._emitter = emitter
        self._clock_ms = clock_ms

    async def react(self, folded: Folded) -> Outputs:
        """Conclude for each follow that the batch applied."""
        made = _follows(folded)
        followee_ids = list(dict.fromkeys(event.followee_id for _, event in made))
        accounts = await self._rows.get_many([ACCOUNTS.key(account_id) for account_id in followee_ids])
        by_id = {account.account_id: account for account in accounts if account is not None}
        at_ms = self._clock_ms()
        concluded = [
            DerivedEvent(conclusion, f"{conclusion.type}/{recorded.event_id}", at_ms, folded.cause(recorded))
            for recorded, event in made
            if (account := by_id.get(event.followee_id)) is not None
            and (conclusion := _conclusion(event, recorded.timestamp_ms, account)) is not None
        ]
        return await self._emitter.emit(concluded)


def _conclusion(
    event: e.FollowCreated | e.FollowDeferred, made_ms: int, account: AccountRow
) -> e.FollowApproved | e.FollowDeferred | None:
    """What becomes of a follow or request, given the followee's account; None where it stands."""
    if isinstance(event, e.FollowDeferred):
        # The account went public before the request was there to be approved.
        return None if account.private else _approval(event.follower_id, event.followee_id, made_ms)
    if account.privacy_version <= event.privacy_version:
        return None
    if event.wanted_status == "pending" and not account.private:
        return _approval(event.follower_id, event.followee_id, made_ms)
    if event.wanted_status == "active" and account.private and made_ms > account.privacy_since_ms:
        return e.FollowDeferred(follower_id=event.follower_id, followee_id=event.followee_id, followed_ms=made_ms)
    return None


def _wishes(folded: Folded) -> dict[int, _Wish]:
    """For each account of the batch that is public after it, or approved all, what is to be approved."""
    wishes: dict[int, _Wish] = {}
    for recorded in folded.batch.events:
        cause, at_ms = folded.cause(recorded), recorded.timestamp_ms
        match recorded.event:
            case e.PrivacyChanged(account_id=account_id, private=False):
                account = folded.row(ACCOUNTS.key(account_id))
                if account is not None and not account.private:
                    wishes[account_id] = _Wish(recorded.event_id, cause, at_ms + SLACK_MS, public=True)
            case e.RequestsApproved(account_id=account_id):
                before = wishes.get(account_id)
                if before is None or not before.public:
                    wishes[account_id] = _Wish(recorded.event_id, cause, at_ms, public=False)
    return wishes


def _follows(folded: Folded) -> list[tuple[Recorded, e.FollowCreated | e.FollowDeferred]]:
    """The batch's follows and deferrals that made what stands between the two after it.

    A follow that is in the log again under its id wrote nothing at its second place, so its pair is older than that.
    """
    found: list[tuple[Recorded, e.FollowCreated | e.FollowDeferred]] = []
    for recorded in folded.batch.events:
        match recorded.event:
            case e.FollowCreated() | e.FollowDeferred() as event:
                wanted = "pending" if isinstance(event, e.FollowDeferred) else event.wanted_status
                low, high = sorted((event.follower_id, event.followee_id))
                key = PAIRS.key(low, high)
                pair = folded.row(key)
                if pair is None or folded.state.get(key, ABSENT).offset < recorded.place:
                    continue
                side = side_of(pair, event.follower_id)
                if (side.follows, side.follows_since_ms) == (wanted, recorded.timestamp_ms):
                    found.append((recorded, event))
    return found


def _approval(follower_id: int, followee_id: int, requested_ms: int) -> e.FollowApproved:
    return e.FollowApproved(follower_id=follower_id, followee_id=followee_id, requested_ms=requested_ms)
