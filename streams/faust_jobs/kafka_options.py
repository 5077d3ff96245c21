"""Faust's settings from ours."""

import ssl
from pathlib import Path
from typing import Any

from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from photolog.errors import SettingsError
from photolog.settings import KafkaSettings

GROUP = "photolog-streams"
HEARTBEATS_A_SESSION = 10 / 3
# A worker that waits for a store keeps its partitions for so long; it loses nothing by losing them either.
STALL_SECONDS_MAX = 1_800.0


def faust_options(kafka: KafkaSettings, data_folder: Path) -> dict[str, Any]:
    """The keyword arguments of a Faust application.

    Args:
        kafka: addresses, TLS and credentials.
        data_folder: where Faust may keep files of its own.
    """
    return {
        "broker": [f"kafka://{server.strip()}" for server in kafka.bootstrap_servers.split(",")],
        "broker_credentials": credentials(kafka),
        # Faust's own session of a minute would make every crash cost one.
        "broker_session_timeout": kafka.session_seconds,
        "broker_heartbeat_interval": kafka.session_seconds / HEARTBEATS_A_SESSION,
        "broker_max_poll_interval": STALL_SECONDS_MAX,
        "consumer_auto_offset_reset": "earliest",
        "consumer_metadata_max_age_ms": round(kafka.metadata_seconds * 1_000),
        "datadir": str(data_folder),
        "store": "memory://",
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "web_enabled": False,
        "key_serializer": "raw",
        "value_serializer": "raw",
    }


def credentials(kafka: KafkaSettings) -> CredentialsT | None:
    """TLS and SASL as Faust takes them; None for plain text.

    Raises:
        SettingsError: SASL is asked for without a user name and password.
    """
    encrypted = kafka.security_protocol.endswith("SSL")
    context = ssl.create_default_context(cafile=kafka.ssl_ca_location) if encrypted else None
    if not kafka.security_protocol.startswith("SASL"):
        return SSLCredentials(context) if context else None
    if kafka.sasl_username is None or kafka.sasl_password is None:
        raise SettingsError("PHOTOLOG_KAFKA__SASL_USERNAME and PHOTOLOG_KAFKA__SASL_PASSWORD are needed for SASL")
    return SASLCredentials(
        username=kafka.sasl_username,
        password=kafka.sasl_password.get_secret_value(),
        ssl_context=context,
        mechanism=kafka.sasl_mechanism or "PLAIN",
    )
