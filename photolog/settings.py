"""Every address, secret and bound of the platform, read once at start.

No address has a default: a process that was not told where its engines are fails loudly and names the key.
`bin/photolog up` writes these same keys for the engines it boots, so local and managed deployments differ in
values only. Keys are environment variables, `PHOTOLOG_<GROUP>__<NAME>`, optionally read from the file that
`PHOTOLOG_ENV_FILE` names.
"""

import base64
import os
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from photolog.errors import SettingsError


def _decoded_key(value: SecretStr) -> SecretStr:
    try:
        raw = base64.b64decode(value.get_secret_value(), validate=True)
    except ValueError as error:
        raise ValueError("must be base64") from error
    if len(raw) != 32:
        raise ValueError("must be 32 bytes in base64")
    return value


Key = Annotated[SecretStr, AfterValidator(_decoded_key)]


def key_bytes(key: SecretStr) -> bytes:
    """The 32 raw bytes of a configured key."""
    return base64.b64decode(key.get_secret_value())


class KafkaSettings(BaseModel):
    bootstrap_servers: str
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_ca_location: str | None = None
    partitions: int = Field(default=4, ge=1, le=4096, description="partitions of each topic when it is created")
    replication_factor: int = Field(default=1, ge=1, le=9)
    append_timeout_ms: int = Field(default=5_000, ge=100, le=60_000)


class RegistrySettings(BaseModel):
    url: str
    username: str | None = None
    password: SecretStr | None = None
    ssl_ca_location: str | None = None


class CassandraSettings(BaseModel):
    hosts: list[str] = Field(min_length=1)
    port: int = 9042
    local_datacenter: str = "datacenter1"
    keyspace: str = Field(default="photolog", pattern=r"^[a-z][a-z0-9_]{0,47}$")
    replication: str = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
    username: str | None = None
    password: SecretStr | None = None
    tls: bool = False
    ssl_ca_location: str | None = None
    request_timeout_ms: int = Field(default=5_000, ge=100, le=60_000)


class RedisSettings(BaseModel):
    url: SecretStr = Field(description="redis:// or rediss:// address, user and password included")
    cluster: bool = False
    ssl_ca_location: str | None = None
    connections_max: int = Field(default=64, ge=1, le=4096)


class S3Settings(BaseModel):
    endpoint_url: str | None = Field(default=None, description="absent: the provider's own endpoint of the region")
    public_endpoint_url: str | None = Field(default=None, description="the address that clients upload to")
    region: str
    bucket: str
    access_key: SecretStr | None = None
    secret_key: SecretStr | None = None
    presign_seconds: int = Field(default=3_600, ge=60, le=86_400)


class GatewaySettings(BaseModel):
    host: str
    port: int = Field(ge=1, le=65_535)
    public_url: str
    workers: int = Field(default=1, ge=1, le=64)
    body_bytes_max: int = Field(default=65_536, ge=1_024)
    position_wait_ms: int = Field(default=3_000, ge=0, le=30_000)


class SecretSettings(BaseModel):
    access_token_key: Key = Field(description="signs access tokens (HS256)")
    master_key: Key = Field(description="wraps every subject's key")
    hash_key: Key = Field(description="keys the hashes of request bodies, refresh tokens and cursors")


class LimitSettings(BaseModel):
    access_token_seconds: int = Field(default=600, ge=30, le=3_600)
    refresh_token_seconds: int = Field(default=30 * 86_400, ge=60)
    reservation_seconds: int = Field(default=86_400, ge=60)
    timeline_entries: int = Field(default=300, ge=20, le=800)
    timeline_seconds: int = Field(default=7 * 86_400, ge=60)
    cache_seconds: int = Field(default=86_400, ge=60)
    celebrity_followers: int = Field(default=100_000, ge=1)
    photo_bytes_max: int = Field(default=20 * 1024 * 1024, ge=1_024)
    photo_pixels_max: int = Field(default=100_000_000, ge=1_000)


class Settings(BaseSettings):
    """All settings of a photolog process; build it with `load_settings`."""

    model_config = SettingsConfigDict(env_prefix="PHOTOLOG_", env_nested_delimiter="__", extra="ignore")

    kafka: KafkaSettings
    registry: RegistrySettings
    cassandra: CassandraSettings
    redis: RedisSettings
    s3: S3Settings
    gateway: GatewaySettings
    secrets: SecretSettings
    limits: LimitSettings = LimitSettings()
    metrics_port: int | None = Field(default=None, ge=1, le=65_535, description="where this process serves /metrics")
    log_level: Literal["debug", "info", "warning", "error"] = "info"


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """Read the settings once.

    Raises:
        SettingsError: naming each missing or malformed key.
    """
    try:
        # pydantic-settings fills the required groups from the environment, which mypy cannot see.
        return Settings(_env_file=os.environ.get("PHOTOLOG_ENV_FILE"))  # type: ignore[call-arg]
    except ValidationError as error:
        problems = [
            f"PHOTOLOG_{'__'.join(str(part).upper() for part in item['loc'])}: {item['msg']}" for item in error.errors()
        ]
        raise SettingsError("; ".join(problems)) from error
