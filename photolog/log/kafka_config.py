"""Kafka client configuration from settings, for librdkafka clients."""

from typing import Any

from photolog.settings import KafkaSettings


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
