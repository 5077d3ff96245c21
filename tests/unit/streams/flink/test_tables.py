"""Tables of Flink are made from the classes that the codec uses, and say what the codec needs of a record."""

import re
from typing import get_args

import pytest

from photolog.errors import SettingsError
from photolog.settings import KafkaSettings, RegistrySettings
from schemas.events import Engagement, HashtagsRanked, HashtagUsed, PostCreated
from schemas.serde import SCHEMAS
from streams.flink_jobs import engagement
from streams.flink_jobs.catalogue import JOBS
from streams.flink_jobs.kafka_properties import kafka_properties, registry_properties
from streams.flink_jobs.tables import Reading, columns, insertion, reading_ddl, writing_ddl

KAFKA = KafkaSettings(bootstrap_servers="here:1")
REGISTRY = RegistrySettings(url="http://here:2")
READING = Reading(KAFKA, REGISTRY, "group", 30_000, 0)


def test_columns_are_the_fields_of_a_flat_event() -> None:
    assert columns(HashtagUsed)["hashtag"] == "STRING NOT NULL"
    assert columns(HashtagUsed)["at_ms"] == "BIGINT NOT NULL"
    assert columns(HashtagsRanked)["hashtags"] == (
        "ARRAY<ROW<`hashtag` STRING NOT NULL, `people` BIGINT NOT NULL> NOT NULL> NOT NULL"
    )


def test_an_event_with_personal_or_optional_fields_is_no_table() -> None:
    with pytest.raises(TypeError, match="no column"):
        columns(PostCreated)


def test_every_event_of_a_job_is_a_table() -> None:
    for job in JOBS.values():
        for event in (*job.reads, *job.writes):
            assert columns(event)


def test_a_topic_is_read_from_its_beginning_and_waits_for_idle_partitions_unless_told() -> None:
    ddl = reading_ddl(HashtagUsed, READING)
    assert "'scan.startup.mode' = 'earliest-offset'" in ddl
    assert "idle-timeout" not in ddl
    assert "TO_TIMESTAMP_LTZ(`at_ms` - 30000, 3)" in ddl
    waiting = Reading(KAFKA, REGISTRY, "group", 30_000, 500)
    assert "'scan.watermark.idle-timeout' = '500 ms'" in reading_ddl(HashtagUsed, waiting)


def test_a_bounded_run_ends_where_it_is_told() -> None:
    until = {("hashtag.uses", 1): 7, ("hashtag.uses", 0): 3, ("likes", 0): 9}
    ddl = reading_ddl(HashtagUsed, Reading(KAFKA, REGISTRY, "group", 0, 0, until))
    assert "'partition:0,offset:3;partition:1,offset:7'" in ddl


def test_what_is_written_is_written_under_the_committed_schema() -> None:
    ddl = writing_ddl(HashtagsRanked, KAFKA, REGISTRY)
    assert SCHEMAS[HashtagsRanked].text.replace("'", "''") in ddl
    assert f"'{SCHEMAS[HashtagsRanked].subject}'" in ddl


def test_a_record_has_every_header_of_ours_and_an_id_of_a_version_of_its_own() -> None:
    sql = insertion(HashtagsRanked, "lists", key="`scope`", identity=("scope",), at_ms="`window_end_ms`")
    headers = re.findall(r"'([a-z_-]+)', CAST\(", sql)
    assert headers == ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type"]
    assert "'-8', SUBSTR" in sql


def test_every_act_has_a_weight_but_the_tick_that_is_none() -> None:
    assert set(engagement.WEIGHTS) == set(get_args(Engagement)) - {"tick"}


def test_credentials_become_options_and_quotes_in_them_no_options_of_their_own() -> None:
    secured = KAFKA.model_validate(
        {
            "bootstrap_servers": "here:1",
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_username": "us",
            "sasl_password": 'a"b\\c',
            "ssl_ca_location": "/ca.pem",
        }
    )
    found = kafka_properties(secured)
    assert found["properties.sasl.jaas.config"].endswith('username="us" password="a\\"b\\\\c";')
    assert found["properties.ssl.truststore.location"] == "/ca.pem"
    with pytest.raises(SettingsError):
        kafka_properties(KAFKA.model_copy(update={"security_protocol": "SASL_SSL"}))
    registry = RegistrySettings.model_validate({"url": "https://r", "username": "u", "password": "p"})
    assert registry_properties(registry)["value.avro-confluent.basic-auth.user-info"] == "u:p"
