"""`bin/photolog flink`, as an operator calls it on the jobs of the tests."""

import asyncio
import json
import subprocess
import sys
from typing import Any

from infra.local.home import REPOSITORY
from tests.integration.workers import without_deployment


async def flink_command(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it, while the event loop goes on."""
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "cli.app", "flink", *arguments],
        cwd=REPOSITORY,
        env={**without_deployment(), **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


async def verified(environment: dict[str, str], job: str) -> int:
    """Have a job verified; how many results were compared and found the same."""
    answer = await flink_command(environment, "verify", job, "--json")
    assert answer.returncode == 0, answer.stdout[-2_000:] + answer.stderr[-2_000:]
    verdict: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    assert verdict["wrong"] == 0
    return int(verdict["compared"])
