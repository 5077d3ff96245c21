"""The stack's environment: complete, private, stable in its secrets, never mixed with a deployment's."""

import os
import shlex
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from gateway.endpoint import RateClass
from infra.local.environment import inherited, read_environment, stack_environment, use_local_environment
from infra.local.home import Home
from infra.local.ports import ports_from
from photolog.settings import Settings, key_bytes


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.local.environment.varnish_executable", lambda: Path("/usr/sbin/varnishd"))
    for key in [key for key in os.environ if key.startswith("PHOTOLOG_")]:
        monkeypatch.delenv(key)


def test_the_file_alone_is_enough_to_build_all_settings(home: Home) -> None:
    stack_environment(home, ports_from(20_000))
    settings = Settings(_env_file=home.environment_file)  # type: ignore[call-arg]  # the file fills the groups
    assert settings.kafka.bootstrap_servers == "127.0.0.1:20001"
    assert settings.cassandra.hosts == ["127.0.0.1"]
    assert settings.kafka.partitions >= 4
    assert len(settings.edge.signing_keys) == 1
    assert len({key_bytes(settings.secrets.master_key), key_bytes(settings.secrets.hash_key)}) == 2


def test_only_its_owner_can_read_the_file(home: Home) -> None:
    stack_environment(home, ports_from(20_000))
    assert home.environment_file.stat().st_mode & 0o777 == 0o600


def test_a_later_boot_on_other_ports_keeps_the_secrets_and_moves_the_addresses(home: Home) -> None:
    first = stack_environment(home, ports_from(20_000))
    second = stack_environment(home, ports_from(21_000))
    assert {key for key in first if first[key] != second[key]} == {
        "PHOTOLOG_KAFKA__BOOTSTRAP_SERVERS",
        "PHOTOLOG_REGISTRY__URL",
        "PHOTOLOG_CASSANDRA__PORT",
        "PHOTOLOG_REDIS__URL",
        "PHOTOLOG_S3__ENDPOINT_URL",
        "PHOTOLOG_S3__PUBLIC_ENDPOINT_URL",
        "PHOTOLOG_GATEWAY__PORT",
        "PHOTOLOG_GATEWAY__PUBLIC_URL",
        "PHOTOLOG_EDGE__PORT",
        "PHOTOLOG_EDGE__PUBLIC_URL",
        "PHOTOLOG_EDGE__CACHES",
        "PHOTOLOG_FLINK__REST_URL",
    }
    assert read_environment(home) == second


def test_rates_are_wide_here_unless_the_shell_names_others(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOLOG_LIMITS__RATE_SIGNUP", "3/60")
    stack_environment(home, ports_from(20_000))
    limits = Settings(_env_file=home.environment_file).limits  # type: ignore[call-arg]  # the file fills the groups
    assert limits.rates
    assert str(limits.rate_signup) == "3/60"
    classes = {name: getattr(limits, f"rate_{name}") for name in (*get_args(RateClass), "address")}
    narrow = {name for name, rate in classes.items() if rate.quota / rate.window_seconds < 10_000}
    assert narrow == {"signup"}, "a benchmark comes from one address"


def test_two_homes_share_no_secret(tmp_path: Path) -> None:
    first, second = (Home(tmp_path / name) for name in ("a", "b"))
    for one in (first, second):
        one.root.mkdir()
    ports = ports_from(20_000)
    ours, theirs = stack_environment(first, ports), stack_environment(second, ports)
    assert all(ours[key] != theirs[key] for key in ours if "SECRET" in key or "ACCESS_KEY" in key or "SIGNING" in key)


def test_a_shell_reads_the_file_as_settings_do(home: Home) -> None:
    values = stack_environment(home, ports_from(20_000))
    script = f'set -a; . {shlex.quote(str(home.environment_file))}; printf %s "$PHOTOLOG_CASSANDRA__HOSTS"'
    shell = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=10, check=True)
    assert shell.stdout == values["PHOTOLOG_CASSANDRA__HOSTS"]


def test_a_command_uses_the_local_stack_when_nothing_else_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOLOG_LIMITS__CELEBRITY_FOLLOWERS", "20")
    use_local_environment(home)
    assert "PHOTOLOG_ENV_FILE" not in os.environ, "there is no local stack yet"
    stack_environment(home, ports_from(20_000))
    monkeypatch.setattr(os, "environ", dict(os.environ))
    use_local_environment(home)
    assert os.environ["PHOTOLOG_ENV_FILE"] == str(home.environment_file)


def test_processes_of_the_stack_inherit_limits_and_nothing_of_a_deployment() -> None:
    shell = {
        "PATH": "/bin",
        "PHOTOLOG_LIMITS__CELEBRITY_FOLLOWERS": "20",
        "PHOTOLOG_LOG_LEVEL": "debug",
        "PHOTOLOG_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
        "PHOTOLOG_ENV_FILE": "production.env",
    }
    assert set(inherited(shell)) == {"PATH", "PHOTOLOG_LIMITS__CELEBRITY_FOLLOWERS", "PHOTOLOG_LOG_LEVEL"}


def test_a_deployment_that_is_named_is_never_filled_up_from_the_local_stack(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack_environment(home, ports_from(20_000))
    monkeypatch.setenv("PHOTOLOG_KAFKA__BOOTSTRAP_SERVERS", "broker.example:9092")
    use_local_environment(home)
    assert "PHOTOLOG_ENV_FILE" not in os.environ
