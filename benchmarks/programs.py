"""Programs of ours that benchmarks run beside themselves."""

import os
import subprocess
import sys
from collections.abc import Mapping


def program(environment: Mapping[str, str], told: bytes, *words: str) -> bytes:
    """What a program of ours answers, in a process of its own."""
    done = subprocess.run(
        [sys.executable, *words],
        env=os.environ | environment,
        input=told,
        stdout=subprocess.PIPE,
        check=True,
        timeout=900,
    )
    return done.stdout
