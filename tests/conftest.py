"""What all tests share: one stack of real engines for the whole run, and a Hypothesis seed that is always printed."""

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from infra.local.cluster import valkey_cluster
from infra.local.ports import pick_free_port_base
from infra.local.stack import Stack
from photolog.settings import Settings

# Time limits of single examples only make a busy machine fail; the whole test has one (pyproject.toml).
# Explaining a failure traces every line of it, which takes a state machine over an event loop longer than the limit.
PHASES = [phase for phase in hypothesis.Phase if phase is not hypothesis.Phase.explain]
hypothesis.settings.register_profile("photolog", deadline=None, print_blob=True, phases=PHASES)
# `--fast` is for the minute before a commit: fewer examples of each property, all of them in a whole run.
hypothesis.settings.register_profile("fast", hypothesis.settings.get_profile("photolog"), max_examples=30)
hypothesis.settings.load_profile("photolog")


TESTS = Path(__file__).parent
ENGINE_FOLDERS = frozenset({"integration", "e2e"})
ENGINE_FIXTURES = frozenset({"stack", "valkey_cluster_url"})


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    # A run that is told to end takes its engines and workers down, as one that is interrupted does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Started in the background, it is told to ignore this one, and so would be whatever the tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("--hypothesis-seed") is None:
        config.option.hypothesis_seed = str(random.randrange(2**32))


def pytest_report_header(config: pytest.Config) -> str:
    return f"hypothesis seed: {config.getoption('--hypothesis-seed')} (again with --hypothesis-seed=…)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for the engines is an integration test, wherever it lies; so is all that lies with such tests."""
    for item in items:
        beside = ENGINE_FOLDERS.intersection(item.path.relative_to(TESTS).parts)
        if beside or ENGINE_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("integration")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The real engines, in a home of their own and on free ports, beside whatever else runs here."""
    booted = Stack(tmp_path_factory.mktemp("stack"), pick_free_port_base(), engines_only=True)
    with booted:
        yield booted


@pytest.fixture(scope="session")
def settings(stack: Stack) -> Settings:
    """The settings of a process that uses the stack's engines."""
    return settings_from(stack.environment())


@pytest.fixture(scope="session")
def valkey_cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a three-node cluster, of its own and on free ports."""
    with valkey_cluster(tmp_path_factory.mktemp("valkey-cluster"), pick_free_port_base()) as url:
        yield url


def settings_from(environment: dict[str, str]) -> Settings:
    """Settings from these keys alone, whatever this process's own environment says."""
    with pytest.MonkeyPatch.context() as patch:
        for key in [key for key in os.environ if key.startswith("PHOTOLOG_")]:
            patch.delenv(key)
        for key, value in environment.items():
            patch.setenv(key, value)
        return Settings()  # type: ignore[call-arg]  # the environment fills the groups
