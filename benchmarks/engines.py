"""Engines of its own for a benchmark, with what `migrate` makes."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.programs import program
from infra.local.ports import pick_free_port_base
from infra.local.stack import Stack


@contextmanager
def migrated_engines(name: str) -> Iterator[Mapping[str, str]]:
    """Engines for as long as the context lasts.

    Args:
        name: of their folder.

    Yields:
        The settings' keys.
    """
    with migrated_engines_stack(name) as stack:
        yield stack.environment()


@contextmanager
def migrated_engines_stack(name: str) -> Iterator[Stack]:
    """As `migrated_engines`, for what runs beside them."""
    with tempfile.TemporaryDirectory(prefix=f"photolog-{name}-") as folder:
        stack = Stack(Path(folder), pick_free_port_base(), engines_only=True)
        with stack:
            program(stack.environment(), b"", "-m", "cli.app", "migrate")
            yield stack
