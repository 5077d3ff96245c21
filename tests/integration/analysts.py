"""What analysts get: an export as the command makes one, and what a grant's holder is told of a post."""

import json
from collections.abc import Mapping
from typing import Any

from analytics.asking import events_in
from analytics.bootstrap import connect_export
from analytics.exporting import Bounds, Exporter
from analytics.sources import Span
from analytics.tally import Tally
from cli.query import asked
from gateway.streams.desk import pseudonym_key
from gateway.streams.pseudonyms import Pseudonyms
from photolog.settings import Settings
from schemas import events as e
from tests.integration.command_line import CommandLine

_ROWS_MAX = 100


async def exported(settings: Settings, *types: type[e.Event]) -> None:
    """What `bin/photolog export` does."""
    async with connect_export(settings) as ports:
        await Exporter(ports, Tally(), Bounds(1_000, 1 << 20)).run(list(types))


class Analyst:
    """Somebody with a grant for every type.

    Args:
        settings: the platform's.
        since: what they ask about.
        grant_id: the grant's.
        token: the grant's.
    """

    def __init__(self, settings: Settings, since: Span, grant_id: str, token: str) -> None:
        self._settings = settings
        self._since = since
        self.grant_id = grant_id
        self.token = token
        self._names = Pseudonyms(pseudonym_key(settings), grant_id)

    @classmethod
    async def hired(cls, command: CommandLine, settings: Settings, since: Span) -> "Analyst":
        """Make the grant."""
        made = json.loads(await command.run("grants", "create", "kitchen", "--types", "all", "--json"))
        return cls(settings, since, made["grant_id"], made["token"])

    async def told(
        self, people: Mapping[int, Any], post_id: int, table: str, field: str, grant: str | None = ""
    ) -> list[Any]:
        """Whom a query finds in a field about a post, by the order of time.

        Args:
            people: what stands for each account in the answer.
            post_id: the post.
            table: of the event type.
            field: an account's.
            grant: under which it is asked; the analyst's own token by default, None for none.
        """
        named = {self._names.of("account", account_id): known for account_id, known in people.items()}
        post = self._names.of("post", post_id)
        sql = f"SELECT {field} FROM {table} WHERE post_id = '{post}' ORDER BY time"
        shown = await asked(
            self._settings, sql, events_in(sql), self.token if grant == "" else grant, self._since, _ROWS_MAX
        )
        return [named.get(account) for (account,) in shown.rows]
