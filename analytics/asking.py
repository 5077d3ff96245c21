"""One query: which tables it names, what of them somebody may see, and the SQL over that."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from analytics.audience import Audience
from analytics.database import Answer, Database, tables_in
from analytics.judging import seen_by
from analytics.public_tables import DICTIONARY, EVENTS, dictionary, schema_of, table_name, table_of
from analytics.sources import Sources, Span
from gateway.public_events import PublicView
from photolog.errors import Forbidden, NotFound
from photolog.log.ends import Ends
from projections.fold import Recorded
from schemas.events import Event
from schemas.topics import topic_of

_SINCE_EXPORT = "_since_export"
LogEnds = Callable[[Collection[str]], Awaitable[Ends]]
"""Tells where topics end now."""
Report = Callable[[str, int], None]
"""Told the type that is being read, and how many of its events were looked at."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a query works with.

    Args:
        sources: where events come from.
        view: tells what is public, by rows that are as far as the ends that it was told.
        ends: where topics end.
        audience: who asks.
        database: empty yet.
        report: told how far it is.
    """

    sources: Sources
    view: PublicView
    ends: LogEnds
    audience: Audience
    database: Database
    report: Report = lambda _type, _count: None

    async def answer(self, sql: str, events: Sequence[type[Event]], span: Span) -> Answer:
        """Fill the tables that a query names, and run it.

        Args:
            sql: the query.
            events: the types whose tables it names.
            span: the time of the events.

        Raises:
            Forbidden: the audience may not have one of the types.
            Invalid, Limited: the query cannot be answered.
            Gone, LogUnavailable, StoreUnavailable, PositionTimeout: it cannot be told what is public.
        """
        beyond = [event.type for event in events if event.type not in self.audience.takes.types]
        if beyond:
            raise Forbidden("not-granted", f"the grant does not cover {', '.join(beyond)}", "sql")
        self.database.create(DICTIONARY, dictionary())
        if events:
            await self.load(events, span)
        self.database.seal()
        try:
            return await asyncio.to_thread(self.database.ask, sql)
        except asyncio.CancelledError:
            self.database.interrupt()
            raise

    async def load(self, events: Sequence[type[Event]], span: Span) -> None:
        """Fill the tables of some types."""
        exported = await self.sources.exported_to(events)
        ends = await self.ends({topic_of(event).name for event in events})
        await self.view.reach()
        for event in events:
            name = table_name(event.type)
            self.database.create(name, schema_of(event).empty_table())
            await self._fill(event, name, self.sources.in_files(event, exported[event.type], span))
            self.database.create(name + _SINCE_EXPORT, schema_of(event).empty_table())
            await self._fill(event, name + _SINCE_EXPORT, self.sources.in_log(event, exported[event.type], ends, span))
            await asyncio.to_thread(self.database.merge, name, name + _SINCE_EXPORT)

    async def _fill(self, event: type[Event], name: str, batches: AsyncIterator[list[Recorded]]) -> None:
        async with aclosing(self._counted(event, batches)) as counted:
            async for rows in seen_by(self.audience, self.view, counted):
                await asyncio.to_thread(self.database.add, name, table_of(event, rows))

    async def _counted(
        self, event: type[Event], batches: AsyncIterator[list[Recorded]]
    ) -> AsyncGenerator[list[Recorded], None]:
        count = 0
        async for batch in batches:
            count += len(batch)
            self.report(event.type, count)
            yield batch


def events_in(sql: str) -> list[type[Event]]:
    """The types whose tables a query names.

    Raises:
        Invalid: it is not one `SELECT`, or not one that these tables can answer.
        NotFound: it names a table that there is not.
    """
    known = {name: schema_of(event).empty_table() for name, event in EVENTS.items()} | {DICTIONARY: dictionary()}
    named = tables_in(sql, known)
    unknown = sorted(named - known.keys())
    if unknown:
        raise NotFound("no-such-table", f"there is no table {unknown[0]}; there are {', '.join(known)}", "sql")
    return [event for name, event in EVENTS.items() if name in named]
