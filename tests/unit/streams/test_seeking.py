"""Where a Faust worker begins to read, and how it reaches a broker."""

from pathlib import Path
from typing import Any

import pytest
from faust.types import TP
from faust.types.auth import AuthProtocol

from photolog.errors import SettingsError
from photolog.settings import KafkaSettings
from streams.errors import LogTruncated
from streams.faust_jobs.kafka_options import credentials, faust_options
from streams.faust_jobs.seeking import StoreApp, StoreConsumer, begin_offsets
from streams.faust_jobs.worker import stored_record
from transcode import intake

LIKES = TP("likes", 0)


def test_reading_begins_at_the_stored_position_and_without_one_at_the_logs_start() -> None:
    posts = TP("posts", 1)
    assert begin_offsets({LIKES: 7, posts: None}, {LIKES: 0, posts: 3}, {LIKES: 9, posts: 8}) == {LIKES: 7, posts: 3}


@pytest.mark.parametrize("stored", [0, 3, 9])
def test_a_position_that_the_log_does_not_hold_is_an_error_and_not_a_skip(stored: int) -> None:
    with pytest.raises(LogTruncated, match="the log holds 4 to 8"):
        begin_offsets({LIKES: stored}, {LIKES: 4}, {LIKES: 8})


@pytest.mark.parametrize("stored", [4, 8])
def test_the_logs_ends_are_positions_too(stored: int) -> None:
    assert begin_offsets({LIKES: stored}, {LIKES: 4}, {LIKES: 8}) == {LIKES: stored}


class _Positions:
    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def begin(self, partitions: Any, earliest: Any, ends: Any) -> dict[TP, int]:
        self.asked.append((set(partitions), earliest, ends))
        return {LIKES: 42}


async def test_faust_seeks_where_the_stores_are_and_counts_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pins the private parts of Faust's consumer that the seek relies on."""
    positions = _Positions()
    options = faust_options(KafkaSettings(bootstrap_servers="127.0.0.1:1"), tmp_path)
    app = StoreApp("group", positions=positions, **options)
    app.finalize()
    consumer = app.consumer
    assert isinstance(consumer, StoreConsumer)
    sought: dict[TP, int] = {}

    async def offsets(*partitions: TP) -> dict[TP, int]:
        return dict.fromkeys(partitions, 50)

    async def seek_wait(partitions: dict[TP, int]) -> None:
        sought.update(partitions)

    monkeypatch.setattr(consumer, "assignment", lambda: {LIKES})
    monkeypatch.setattr(consumer, "earliest_offsets", offsets)
    monkeypatch.setattr(consumer, "highwaters", offsets)
    monkeypatch.setattr(consumer, "seek_wait", seek_wait)
    consumer._acked[LIKES].append(99)
    consumer._acked_index[LIKES].add(99)
    consumer._committed_offset[LIKES] = 100
    await consumer.perform_seek()
    consumer._thread.thread_loop.close()
    assert sought == {LIKES: 42}
    assert (consumer._read_offset[LIKES], consumer._committed_offset[LIKES]) == (42, 42)
    assert not consumer._acked[LIKES]
    assert not consumer._acked_index[LIKES]


async def test_no_topic_is_ever_created_and_no_web_server_started(tmp_path: Path) -> None:
    app = StoreApp("g", positions=_Positions(), **faust_options(KafkaSettings(bootstrap_servers="a:1, b:2"), tmp_path))
    assert not app.conf.topic_allow_declare
    assert not app.conf.web_enabled
    assert [f"{url.host}:{url.port}" for url in app.conf.broker] == ["a:1", "b:2"]
    assert (app.conf.broker_session_timeout, app.conf.broker_heartbeat_interval) == (10.0, 3.0)


def test_how_soon_a_silent_worker_is_missed_and_new_partitions_are_read_is_set(tmp_path: Path) -> None:
    kafka = KafkaSettings(bootstrap_servers="a:1", session_seconds=6, metadata_seconds=2)
    options = faust_options(kafka, tmp_path)
    assert options["broker_session_timeout"] == 6
    assert options["broker_heartbeat_interval"] == pytest.approx(1.8)
    assert options["consumer_metadata_max_age_ms"] == 2_000
    told = intake._config(kafka, "g")
    assert (told["session.timeout.ms"], told["heartbeat.interval.ms"]) == (6_000, 1_800)
    assert told["topic.metadata.refresh.interval.ms"] == 2_000


@pytest.mark.parametrize(
    ("protocol", "expected", "encrypted"),
    [
        ("SSL", AuthProtocol.SSL, True),
        ("SASL_SSL", AuthProtocol.SASL_SSL, True),
        ("SASL_PLAINTEXT", AuthProtocol.SASL_PLAINTEXT, False),
    ],
)
def test_tls_and_credentials_reach_faust(protocol: Any, expected: AuthProtocol, encrypted: bool) -> None:
    kafka = KafkaSettings(
        bootstrap_servers="a:1",
        security_protocol=protocol,
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="worker",
        sasl_password="hush",  # type: ignore[arg-type]
    )
    found: Any = credentials(kafka)
    assert found.protocol is expected
    context = found.context if protocol == "SSL" else found.ssl_context
    assert (context is not None) == encrypted
    if protocol != "SSL":
        assert (found.username, found.password, found.mechanism.value) == ("worker", "hush", "SCRAM-SHA-512")


def test_plain_text_needs_no_credentials_and_sasl_names_what_is_missing() -> None:
    assert credentials(KafkaSettings(bootstrap_servers="a:1")) is None
    with pytest.raises(SettingsError, match="PHOTOLOG_KAFKA__SASL_PASSWORD"):
        credentials(KafkaSettings(bootstrap_servers="a:1", security_protocol="SASL_SSL"))


class _Message:
    topic, partition, offset, key, value = "likes", 2, 7, b"k", None
    headers = (("ce_id", b"x"),)
    timestamp = 1_790_000_000.123


def test_a_faust_message_keeps_its_bytes_and_its_milliseconds() -> None:
    record = stored_record(_Message())
    assert (record.value, record.headers, record.timestamp_ms) == (None, (("ce_id", b"x"),), 1_790_000_000_123)
