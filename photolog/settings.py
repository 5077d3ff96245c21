"""Every address, secret and bound of the platform, read once at start.

No address has a default: a process that was not told where its engines are fails loudly and names the key.
`bin/photolog up` writes these same keys for the engines it boots, so local and managed deployments differ in
values only. Keys are environment variables, `PHOTOLOG_<GROUP>__<NAME>`, optionally read from the file that
`PHOTOLOG_ENV_FILE` names.
"""

import base64
import json
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic_settings
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from photolog.errors import SettingsError
from photolog.rates import Rate, parse_rate


def _decoded_key(value: SecretStr) -> SecretStr:
    try:
        raw = base64.b64decode(value.get_secret_value(), validate=True)
    except ValueError as error:
        raise ValueError("must be base64") from error
    if len(raw) != 32:
        raise ValueError("must be 32 bytes in base64")
    return value


def _from_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ValueError('must be a JSON list, such as ["one", "two"]') from error


Key = Annotated[SecretStr, AfterValidator(_decoded_key)]
# Read here and not by pydantic-settings, whose error for text that is not JSON does not name the key.
Texts = Annotated[list[str], NoDecode, BeforeValidator(_from_json)]
Keys = Annotated[list[Key], NoDecode, BeforeValidator(_from_json)]
PerPeriod = Annotated[InstanceOf[Rate], NoDecode, BeforeValidator(parse_rate)]


def key_bytes(key: SecretStr) -> bytes:
    """The 32 raw bytes of a configured key."""
    return base64.b64decode(key.get_secret_value())


class Group(BaseModel):
    """A group of settings. A key that it does not know is an error, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class KafkaSettings(Group):
    """The log."""

    bootstrap_servers: str
    """`host:port`, several joined by commas"""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """whether connections use TLS and credentials"""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    """how credentials are shown"""
    sasl_username: str | None = None
    """with a SASL protocol"""
    sasl_password: SecretStr | None = None
    """with a SASL protocol"""
    ssl_ca_location: str | None = None
    """file of the authority that signed the brokers' certificates; absent: the system's"""
    partitions: int = Field(default=4, ge=1, le=4096)
    """of each topic, when `migrate` creates it; `grow` gives a topic more"""
    replication_factor: int = Field(default=1, ge=1, le=9)
    """of each topic, when `migrate` creates it"""
    append_timeout_ms: int = Field(default=5_000, ge=100, le=60_000)
    """after which a command that the log did not acknowledge answers 503"""
    session_seconds: float = Field(default=10.0, ge=6, le=300)
    """how long a worker may be silent before its partitions are given to others; less than 6 brokers refuse"""
    metadata_seconds: float = Field(default=10.0, ge=1, le=300)
    """how soon workers read partitions that were added"""


class RegistrySettings(Group):
    """The schema registry."""

    url: str
    """base of Confluent's API"""
    username: str | None = None
    """for basic authentication"""
    password: SecretStr | None = None
    """for basic authentication"""
    ssl_ca_location: str | None = None
    """file of the authority that signed its certificate; absent: the system's"""


class CassandraSettings(Group):
    """The rows."""

    hosts: Texts = Field(min_length=1)
    """contact points, a JSON list"""
    port: int = 9042
    """of the native protocol"""
    local_datacenter: str = "datacenter1"
    """where LOCAL_QUORUM counts"""
    keyspace: str = Field(default="photolog", pattern=r"^[a-z][a-z0-9_]{0,47}$")
    """created by `migrate`"""
    replication: str = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
    """of the keyspace, when `migrate` creates it"""
    username: str | None = None
    """for password authentication"""
    password: SecretStr | None = None
    """for password authentication"""
    tls: bool = False
    """whether connections use TLS"""
    ssl_ca_location: str | None = None
    """file of the authority that signed the nodes' certificates; absent: the system's"""
    request_timeout_ms: int = Field(default=5_000, ge=100, le=60_000)
    """after which a statement counts as unanswered"""


class RedisSettings(Group):
    """Timelines and caches."""

    url: SecretStr
    """`redis://` or, with TLS, `rediss://`; user and password included"""
    cluster: bool = False
    """whether the address is that of a Redis Cluster"""
    ssl_ca_location: str | None = None
    """file of the authority that signed the nodes' certificates; absent: the system's"""
    connections_max: int = Field(default=64, ge=1, le=4096)
    """of one process"""
    call_timeout_ms: int = Field(default=2_000, ge=50, le=5_000)
    """after which the gateway takes Redis to be away and reads rows"""


class S3Settings(Group):
    """Photographs."""

    endpoint_url: str | None = None
    """absent: the provider's own endpoint of the region"""
    public_endpoint_url: str | None = None
    """the address that clients upload to and fetch from, where it differs"""
    region: str
    """of the bucket"""
    bucket: str
    """created by `migrate` where it is missing"""
    access_key: SecretStr | None = None
    """absent: the machine's own role"""
    secret_key: SecretStr | None = None
    """absent: the machine's own role"""
    presign_seconds: int = Field(default=3_600, ge=60, le=86_400)
    """how long the signed address of an upload's part, or of an export, is good"""
    view_seconds: int = Field(default=300, ge=10, le=86_400)
    """how long the signed address of a public account's photograph is good"""
    view_private_seconds: int = Field(default=60, ge=10, le=86_400)
    """how long that of any other photograph is good, and so at most how long it outlives what hides the photograph"""


class GatewaySettings(Group):
    """The HTTP API."""

    host: str
    """address to listen on"""
    port: int = Field(ge=1, le=65_535)
    """to listen on"""
    public_url: str
    """what clients call it"""
    workers: int = Field(default=1, ge=1, le=64)
    """processes that serve it"""
    node: int | None = Field(default=None, ge=0, le=1023)
    """number of this machine in the ids it makes, distinct for each; absent: drawn at random"""
    body_bytes_max: int = Field(default=65_536, ge=1_024)
    """of a request"""
    request_seconds: float = Field(default=15.0, ge=1, le=120)
    """what a request may take beside its waits for the log and a position; erasures and `prune` wait that out"""
    position_wait_ms: int = Field(default=3_000, ge=0, le=30_000)
    """how long a query waits for the position that it names"""
    feed_budget_ms: int = Field(default=1_500, ge=0, le=30_000)
    """how long a page of the feed waits for rows before it shows what it has"""
    cors_origins: Texts = []
    """origins whose pages may call the API, a JSON list"""
    trusted_proxies: int = Field(default=0, ge=0, le=8)
    """proxies in front that each append to `X-Forwarded-For` whom they speak to; with 0 the header is not read"""


class EdgeSettings(Group):
    """Pictures and files as their readers get them, from the edge or a cache before it."""

    public_url: str | None = None
    """what clients call the edge, or the cache before it; absent: they are sent to the bucket"""
    host: str | None = None
    """address that the edge listens on"""
    port: int | None = Field(default=None, ge=1, le=65_535)
    """that it listens on"""
    signing_keys: Keys = Field(default=[], max_length=4)
    """32 bytes each in base64, a JSON list: the first signs addresses, each is accepted; none: a derived one"""
    shared_seconds: int = Field(default=3_600, ge=1, le=86_400)
    """how long a shared cache may keep a public picture, and so at most how long it outlives a purge that was lost"""
    resizes: int | None = Field(default=None, ge=1, le=64)
    """pictures made at once; absent: as many as there are cores"""
    waiting_max: int = Field(default=64, ge=1, le=10_000)
    """pictures that wait for one of these; what is more is told to come again"""
    caches: Texts = []
    """addresses of the caches before the edge, each told to purge, a JSON list"""
    purge_secret: SecretStr | None = None
    """what the caches want to be shown before they purge"""


class SecretSettings(Group):
    """Keys, 32 bytes each in base64."""

    access_token_key: Key
    """signs access tokens"""
    master_key: Key
    """wraps every account's key; without it, personal data in the log is lost"""
    hash_key: Key
    """keys the hashes of request bodies, refresh tokens and cursors"""
    pseudonym_key: Key | None = None
    """what analysts' pseudonyms are made from; absent: derived from the key of hashes"""


class LimitSettings(Group):
    """Bounds."""

    access_token_seconds: int = Field(default=600, ge=30, le=3_600)
    """life of an access token"""
    refresh_token_seconds: int = Field(default=30 * 86_400, ge=60)
    """life of a session that is not used"""
    session_cache_seconds: int = Field(default=60, ge=1, le=3_600)
    """how long a session is believed to be alive without asking its row, where a cache lost that it ended"""
    reservation_seconds: int = Field(default=86_400, ge=60)
    """how long an Idempotency-Key is remembered"""
    username_rest_seconds: int = Field(default=365 * 86_400, ge=1, le=630_720_000)
    """how long nobody may claim the user name of an erased account"""
    export_seconds: int = Field(default=7 * 86_400, ge=60, le=90 * 86_400)
    """how long an export of somebody's data can be fetched"""
    story_life_seconds: float = Field(default=86_400.0, ge=1, le=86_400)
    """how long a story is shown from when it is published; its files are moved to the archive then"""
    timeline_entries: int = Field(default=300, ge=20, le=800)
    """posts that a timeline keeps"""
    timeline_seconds: int = Field(default=7 * 86_400, ge=60)
    """life of a timeline that is not read"""
    cache_seconds: int = Field(default=86_400, ge=60)
    """life of a cached card that is not read"""
    celebrity_followers: int = Field(default=100_000, ge=1)
    """followers from which an account's posts are merged on read instead of pushed"""
    celebrity_return_percent: int = Field(default=90, ge=1, le=100)
    """of these: an account with fewer, whose last post was merged on read, is pushed again"""
    fanout_chunk_followers: int = Field(default=1_000, ge=10, le=100_000)
    """followers in one request of a fan-out, about; several workers share the requests of one post"""
    photo_bytes_max: int = Field(default=20 * 1024 * 1024, ge=1_024)
    """of an uploaded photograph"""
    photo_pixels_max: int = Field(default=100_000_000, ge=1_000)
    """of a decoded photograph"""
    video_bytes_max: int = Field(default=100 * 1024 * 1024, ge=1_024)
    """of an uploaded video"""
    video_pixels_max: int = Field(default=4096 * 2304, ge=10_000)
    """of a frame of a video"""
    video_frames_max: int = Field(default=9_000, ge=1, le=1_000_000)
    """of a video: 90 seconds at 100 frames a second"""
    voice_bytes_max: int = Field(default=10 * 1024 * 1024, ge=1_024)
    """of an uploaded voice note"""
    voice_seconds_max: float = Field(default=300.0, ge=1, le=600)
    """how long a voice note may be"""
    rates: bool = True
    """whether the rates below hold; each is a burst and the seconds in which it comes back, such as `600/60`"""
    rate_read: PerPeriod = Rate(600, 60)
    """queries of one account, or of one address without account"""
    rate_media: PerPeriod = Rate(3_000, 60)
    """addresses of photographs' files, likewise: a page shows many"""
    rate_write: PerPeriod = Rate(120, 60)
    """commands that have no rate of their own, likewise"""
    rate_graph: PerPeriod = Rate(200, 3_600)
    """follows, blocks, mutes and answers to requests, likewise"""
    rate_comment: PerPeriod = Rate(60, 300)
    """comments, likewise"""
    rate_upload: PerPeriod = Rate(120, 600)
    """uploads begun, completed or given up, likewise"""
    rate_telemetry: PerPeriod = Rate(120, 60)
    """batches of telemetry, likewise"""
    rate_login: PerPeriod = Rate(30, 60)
    """log-ins from one address, and changes of one account's password"""
    rate_refresh: PerPeriod = Rate(300, 60)
    """exchanges of a refresh token from one address"""
    rate_signup: PerPeriod = Rate(20, 3_600)
    """sign-ups from one address"""
    rate_address: PerPeriod = Rate(12_000, 60)
    """requests of any kind from one address, whoever sends them"""
    rate_guesses: PerPeriod = Rate(10, 900)
    """wrong passwords for one user name from one address, or in one session"""
    rate_guesses_name: PerPeriod = Rate(50, 3_600)
    """wrong passwords for one user name from all addresses but those where its owner logged in lately"""
    rate_guesses_address: PerPeriod = Rate(100, 3_600)
    """wrong passwords for any user names from one address"""


class TelemetrySettings(Group):
    """What is taken of what clients observe."""

    batch_max: int = Field(default=100, ge=1, le=1_000)
    """observations in one request"""
    age_seconds_max: int = Field(default=86_400, ge=60, le=30 * 86_400)
    """how old an observation may be"""
    impression_rate: float = Field(default=1.0, ge=0, le=1)
    """share of impressions that is kept"""
    dwell_rate: float = Field(default=1.0, ge=0, le=1)
    """share of dwells that is kept"""
    view_rate: float = Field(default=1.0, ge=0, le=1)
    """share of three-second views that is kept"""


class StreamSettings(Group):
    """Streams for analysts."""

    subscribers_max: int = Field(default=200, ge=1, le=10_000)
    """subscriptions that one process serves at once"""
    subscribers_per_grant_max: int = Field(default=10, ge=1, le=1_000)
    """of these, those of one grant"""
    history_readers_max: int = Field(default=4, ge=1, le=64)
    """of these, those that read history at once"""
    waiting_bytes_max: int = Field(default=49_152, ge=4_096, le=16_777_216)
    """of events that wait for one subscriber; who is slower is let go"""
    heartbeat_seconds: float = Field(default=15.0, ge=0.1, le=60.0)
    """of silence, after which a subscriber is told where it stands"""
    look_seconds: float = Field(default=2.0, ge=0.1, le=30.0)
    """how often open subscriptions are held against their grants"""


class AnalyticsSettings(Group):
    """Exports and queries."""

    export_records: int = Field(default=100_000, ge=4, le=1_000_000)
    """of a topic, that an export goes through at once: a file holds no more"""
    export_bytes: int = Field(default=33_554_432, ge=1_048_576, le=1_073_741_824)
    """likewise, of their keys and values; records that were decoded take some five times as much"""
    query_memory_bytes: int = Field(default=536_870_912, ge=67_108_864, le=1_099_511_627_776)
    """of a query's database; what goes beyond is put aside on disk"""
    query_disk_bytes: int = Field(default=10_737_418_240, ge=67_108_864, le=1_099_511_627_776)
    """of its file, and of what it puts aside, each"""
    query_seconds: float = Field(default=60.0, ge=0.1, le=86_400.0)
    """how long the SQL of a query may take once its events are there"""


class TranscodeSettings(Group):
    """How videos are encoded."""

    video_encoder: Literal["software", "nvenc", "vaapi", "videotoolbox"] = "software"
    """what encodes pictures; a machine whose ffmpeg lacks it refuses to start"""
    h264_preset: Literal["superfast", "veryfast", "faster", "fast", "medium", "slow"] = "veryfast"
    """how hard x264 tries"""
    av1_preset: int = Field(default=9, ge=0, le=13)
    """of SVT-AV1, from the slowest to the fastest"""
    videos_at_once: int = Field(default=1, ge=1, le=64)
    """encoded by one worker; each uses every core"""
    video_threads: int = Field(default=2, ge=1, le=64)
    """of each encoder of a video"""
    video_memory_bytes: int = Field(default=6 * 1024**3, ge=512 * 1024**2)
    """address space of the process that encodes one video"""
    video_seconds_max: float = Field(default=1_800.0, ge=10, le=86_400)
    """how long encoding one video may take"""
    seen_capacity: int = Field(default=10_000_000, ge=1_000, le=2_000_000_000)
    """contents that the filter of seen digests in Redis is made for: 18 MB for ten million; with more it errs more"""
    index_path: Path | None = None
    """where a worker keeps its index of fingerprints; absent: it reads the log from its beginning when it starts"""


class ModerationSettings(Group):
    """What media must pass before it is published."""

    required: bool = True
    """whether photographs and videos wait for a verdict; what has begun to wait still does where this is turned off"""
    classifiers: Texts = []
    """classifiers asked behind the block-list, in this order: `package.module:factory`, a JSON list"""
    classifier_seconds: float = Field(default=10.0, ge=0.05, le=600)
    """how long one of them may take over one photograph or video"""
    classifier_attempts: int = Field(default=3, ge=1, le=20)
    """how often it is asked before an operator has to decide instead"""
    judged_at_once: int = Field(default=8, ge=1, le=256)
    """photographs and videos that one worker judges at once"""


class MediaSettings(Group):
    """How long files are kept."""

    refused_seconds: float = Field(default=60.0, ge=0, le=86_400)
    """after an upload was refused, until what is left of it is removed"""
    grace_seconds: float = Field(default=7 * 86_400.0, ge=0, le=10 * 365 * 86_400)
    """during which no post and no story needs to hold an upload, before it is collected"""


class FlinkSettings(Group):
    """Jobs over windows of event time."""

    rest_url: str | None = None
    """base of a Flink cluster's REST interface; absent: nothing is computed over windows"""
    state_uri: str | None = None
    """folder of checkpoints and savepoints as every TaskManager reaches it, `file:///…` or `s3://…`"""
    jars: Texts = []
    """paths of the connectors that go to the cluster with each job, a JSON list; empty where it has them itself"""
    parallelism: int = Field(default=1, ge=1, le=4_096)
    """of each job; more than a topic has partitions idle"""
    checkpoint_ms: int = Field(default=10_000, ge=100, le=3_600_000)
    """between checkpoints: what was computed since the last one is computed again after a crash"""
    lateness_ms: int = Field(default=30_000, ge=0, le=3_600_000)
    """how far behind the latest event a record may be and still count"""
    grace_seconds: int = Field(default=30, ge=0, le=3_600)
    """before a job that is gone is brought back: somebody may be restoring it"""
    tick_ms: int = Field(default=5_000, ge=100, le=300_000)
    """how often time is told to partitions in which nothing happens, so that their windows close"""
    idle_ms: int = Field(default=0, ge=0, le=3_600_000)
    """after which a partition that is told nothing is not waited for; 0 waits, and is exact"""


class Settings(BaseSettings):
    """All settings of a photolog process; build it with `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix="PHOTOLOG_", env_nested_delimiter="__", extra="ignore", use_attribute_docstrings=True
    )

    kafka: KafkaSettings
    registry: RegistrySettings
    cassandra: CassandraSettings
    redis: RedisSettings
    s3: S3Settings
    gateway: GatewaySettings
    edge: EdgeSettings = EdgeSettings()
    secrets: SecretSettings
    limits: LimitSettings = LimitSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    streams: StreamSettings = StreamSettings()
    analytics: AnalyticsSettings = AnalyticsSettings()
    transcode: TranscodeSettings = TranscodeSettings()
    moderation: ModerationSettings = ModerationSettings()
    media: MediaSettings = MediaSettings()
    flink: FlinkSettings = FlinkSettings()
    metrics_host: str | None = None
    """address that this process serves /metrics on; absent: nowhere"""
    metrics_port: int | None = Field(default=None, ge=1, le=65_535)
    """port that this process serves /metrics on; absent: nowhere"""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """the least level that is logged"""


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """Read the settings once.

    Raises:
        SettingsError: naming each missing or malformed key.
    """
    file = os.environ.get("PHOTOLOG_ENV_FILE")
    if file is not None and not Path(file).is_file():
        raise SettingsError(f"PHOTOLOG_ENV_FILE: there is no file {file}")
    try:
        # pydantic-settings fills the required groups from the environment, which mypy cannot see.
        return Settings(_env_file=file)  # type: ignore[call-arg]
    except ValidationError as error:
        problems = [problem for item in error.errors() for problem in _problems(item["loc"], item["msg"])]
        raise SettingsError("; ".join(problems)) from error
    except pydantic_settings.SettingsError as error:
        raise SettingsError(str(error)) from error


def _problems(place: tuple[int | str, ...], message: str) -> Iterator[str]:
    """A problem under the name of its key; where a whole group is missing, one for each key that it needs."""
    key = "PHOTOLOG_" + "__".join(str(part).upper() for part in place)
    group = Settings.model_fields[str(place[0])].annotation if len(place) == 1 else None
    if isinstance(group, type) and issubclass(group, Group):
        needed = [name for name, field in group.model_fields.items() if field.is_required()]
        yield from (f"{key}__{name.upper()}: {message}" for name in needed)
    else:
        yield f"{key}: {message}"
