"""The command line as a person runs it, on the stack's engines."""

import asyncio
import json
import re
import shlex
import sys
from dataclasses import dataclass
from typing import Any

from infra.local.home import REPOSITORY
from tests.integration.workers import without_deployment

_COMMAND_LINE = re.compile(r"^bin/photolog (?P<arguments>[^#\n]*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Runs commands on the stack.

    Args:
        environment: the stack's keys.
    """

    environment: dict[str, str]

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli.app", *arguments,
            cwd=REPOSITORY, env={**without_deployment(), **self.environment, "COLUMNS": "300"},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def run(self, *arguments: str, status: int = 0) -> str:
        """What it says; on stderr, where it is to fail."""
        process = await self.start(*arguments)
        output, errors = await process.communicate()
        assert process.returncode == status, (output + errors).decode()
        return (errors if status else output).decode()

    async def lines(self, *arguments: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (await self.run(*arguments)).splitlines()]


def commands_of(page: str, test: str) -> list[list[str]]:
    """The arguments of each command in the block of a page that says which test runs it."""
    block = (REPOSITORY / page).read_text().partition(f"<!-- {test} runs these")[2].split("```")[1]
    return [shlex.split(found["arguments"]) for found in _COMMAND_LINE.finditer(block)]
