"""Kafka client configuration from settings, for librdkafka clients."""

from typing import Any

from photolog.settings import KafkaSettings

METADATA_MS = 1_000
"""How soon a producer knows of partitions that were added: `grow` keeps a topic closed for longer."""

LOG_LEVEL = 4
"""What a command's client says on stderr: warnings and worse, such as a broker that it does not reach."""


def client_config(kafka: KafkaSettings) -> dict[str, Any]:
    """What every librdkafka client of ours shares: addresses, TLS and credentials."""
    optional = {
        "sasl.mechanism": kafka.sasl_mechanism,
        "sasl.username": kafka.sasl_username,
        "sasl.password": kafka.sasl_password.get_secret_value() if kafka.sasl_password else None,
        "ssl.ca.location": kafka.ssl_ca_location,
    }
    return {
        "bootstrap.servers": kafka.bootstrap_servers,
        "security.protocol": kafka.security_protocol,
        **{name: value for name, value in optional.items() if value is not None},
    }


def append_config(kafka: KafkaSettings) -> dict[str, Any]:
    """What every producer of ours shares: nothing is acknowledged that could be lost, nothing is appended twice by a
    retry, and a key has the partition that Faust's and Java's clients give it (murmur2)."""
    return {
        **client_config(kafka),
        "acks": "all",
        "enable.idempotence": True,
        "compression.type": "lz4",
        "partitioner": "murmur2_random",
        "topic.metadata.refresh.interval.ms": METADATA_MS,
    }
