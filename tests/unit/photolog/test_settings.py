"""Settings: every key is named when it is wrong, and no address is built in."""

import base64
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from photolog.errors import SettingsError
from photolog.settings import Settings, key_bytes, load_settings

KEY = base64.b64encode(bytes(range(32))).decode()
COMPLETE = {
    "PHOTOLOG_KAFKA__BOOTSTRAP_SERVERS": "kafka-1.example:9098,kafka-2.example:9098",
    "PHOTOLOG_REGISTRY__URL": "https://registry.example",
    "PHOTOLOG_CASSANDRA__HOSTS": '["cassandra-1.example", "cassandra-2.example"]',
    "PHOTOLOG_REDIS__URL": "rediss://user:password@redis.example:6379",
    "PHOTOLOG_S3__REGION": "eu-central-1",
    "PHOTOLOG_S3__BUCKET": "photographs",
    "PHOTOLOG_GATEWAY__HOST": "10.0.0.7",
    "PHOTOLOG_GATEWAY__PORT": "8080",
    "PHOTOLOG_GATEWAY__PUBLIC_URL": "https://photolog.example",
    "PHOTOLOG_SECRETS__ACCESS_TOKEN_KEY": KEY,
    "PHOTOLOG_SECRETS__MASTER_KEY": KEY,
    "PHOTOLOG_SECRETS__HASH_KEY": KEY,
}
MANAGED = {
    "PHOTOLOG_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
    "PHOTOLOG_KAFKA__SASL_MECHANISM": "SCRAM-SHA-512",
    "PHOTOLOG_KAFKA__SASL_USERNAME": "photolog",
    "PHOTOLOG_KAFKA__SASL_PASSWORD": "kafka-password",
    "PHOTOLOG_KAFKA__SSL_CA_LOCATION": "/etc/ssl/kafka.pem",
    "PHOTOLOG_REGISTRY__USERNAME": "photolog",
    "PHOTOLOG_REGISTRY__PASSWORD": "registry-password",
    "PHOTOLOG_CASSANDRA__TLS": "true",
    "PHOTOLOG_CASSANDRA__USERNAME": "photolog",
    "PHOTOLOG_CASSANDRA__PASSWORD": "cassandra-password",
    "PHOTOLOG_REDIS__CLUSTER": "true",
    "PHOTOLOG_S3__ACCESS_KEY": "access",
    "PHOTOLOG_S3__SECRET_KEY": "s3-secret",
}
SOURCES = ("photolog", "schemas", "projections", "streams", "gateway", "transcode", "ranking")
LOOPBACK = ("localhost", "127.0.0.1", "0.0.0.0", "::1")
REPOSITORY = Path(__file__).parents[3]

Load = Callable[..., Settings]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Load settings from these keys alone."""
    for key in [key for key in os.environ if key.startswith("PHOTOLOG_")]:
        monkeypatch.delenv(key)

    def with_keys(keys: dict[str, str]) -> Settings:
        for key, value in keys.items():
            monkeypatch.setenv(key, value)
        load_settings.cache_clear()
        return load_settings()

    yield with_keys
    load_settings.cache_clear()


def groups() -> Iterator[tuple[str, str, FieldInfo]]:
    """Every (group, name, field)."""
    for group, outer in Settings.model_fields.items():
        if isinstance(outer.annotation, type) and issubclass(outer.annotation, BaseModel):
            for name, field in outer.annotation.model_fields.items():
                yield group, name, field


def test_complete_settings_load(load: Load) -> None:
    settings = load(COMPLETE | MANAGED)
    assert settings.cassandra.hosts == ["cassandra-1.example", "cassandra-2.example"]
    assert settings.kafka.security_protocol == "SASL_SSL"
    assert settings.redis.url.get_secret_value() == "rediss://user:password@redis.example:6379"
    assert settings.redis.cluster
    assert key_bytes(settings.secrets.master_key) == bytes(range(32))


def test_settings_are_read_once(load: Load) -> None:
    assert load(COMPLETE) is load_settings()


@pytest.mark.parametrize("missing", COMPLETE)
def test_a_missing_key_is_named(load: Load, missing: str) -> None:
    with pytest.raises(SettingsError, match=f"{missing}: Field required"):
        load({key: value for key, value in COMPLETE.items() if key != missing})


def test_every_missing_key_is_named_at_once(load: Load) -> None:
    with pytest.raises(SettingsError) as raised:
        load({})
    assert {problem.split(": ")[0] for problem in str(raised.value).split("; ")} == set(COMPLETE)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("PHOTOLOG_CASSANDRA__HOSTS", "cassandra-1.example"),
        ("PHOTOLOG_CASSANDRA__HOSTS", "[]"),
        ("PHOTOLOG_CASSANDRA__KEYSPACE", "photolog; DROP KEYSPACE photolog"),
        ("PHOTOLOG_GATEWAY__PORT", "eighty"),
        ("PHOTOLOG_GATEWAY__PORT", "65536"),
        ("PHOTOLOG_KAFKA__SECURITY_PROTOCOL", "TLS"),
        ("PHOTOLOG_KAFKA__BOOTSTRAP_SERVER", "a misspelt key"),
        ("PHOTOLOG_SECRETS__HASH_KEY", "not base64!"),
        ("PHOTOLOG_SECRETS__HASH_KEY", base64.b64encode(b"too short").decode()),
        ("PHOTOLOG_LOG_LEVEL", "loud"),
        ("PHOTOLOG_ENV_FILE", "/no/such/file"),
    ],
)
def test_a_malformed_key_is_named(load: Load, key: str, value: str) -> None:
    with pytest.raises(SettingsError, match=key):
        load(COMPLETE | {key: value})


def test_an_error_does_not_show_a_secret(load: Load) -> None:
    with pytest.raises(SettingsError) as raised:
        load(COMPLETE | MANAGED | {"PHOTOLOG_SECRETS__MASTER_KEY": "hunter2!", "PHOTOLOG_KAFKA__PARTITIONS": "0"})
    for secret in ("hunter2", "kafka-password", "cassandra-password", "s3-secret", KEY):
        assert secret not in str(raised.value)


def test_a_loaded_secret_is_not_printed(load: Load) -> None:
    shown = repr(load(COMPLETE | MANAGED))
    for secret in (KEY, "user:password", "kafka-password", "cassandra-password", "registry-password", "s3-secret"):
        assert secret not in shown


def test_a_file_holds_what_the_environment_does_not(load: Load, tmp_path: Path) -> None:
    file = tmp_path / "deployment.env"
    file.write_text("".join(f"{key}='{value}'\n" for key, value in COMPLETE.items()))
    settings = load({"PHOTOLOG_ENV_FILE": str(file), "PHOTOLOG_S3__BUCKET": "from-the-environment"})
    assert settings.cassandra.hosts == ["cassandra-1.example", "cassandra-2.example"]
    assert settings.s3.bucket == "from-the-environment"


@pytest.mark.parametrize(("group", "name", "field"), [pytest.param(*one, id=f"{one[0]}-{one[1]}") for one in groups()])
def test_no_setting_defaults_to_this_machine(group: str, name: str, field: FieldInfo) -> None:
    default: Any = field.get_default(call_default_factory=True)
    assert not any(address in str(default) for address in LOOPBACK)
    # An address may be absent where that means a provider's own, and never where a process would look here instead.
    # Where there is no edge there is nothing to call.
    needed = name in {"bootstrap_servers", "hosts", "host", "public_url"} and group != "edge"
    if needed or (name == "url" and group in {"redis", "registry"}):
        assert field.is_required()


@pytest.mark.parametrize("package", SOURCES)
def test_no_address_of_this_machine_is_in_the_sources(package: str) -> None:
    found = [
        f"{file.relative_to(REPOSITORY)}: {line.strip()}"
        for file in (REPOSITORY / package).rglob("*.py")
        for line in file.read_text().splitlines()
        if any(address in line for address in LOOPBACK)
    ]
    assert found == []
