"""Kafka and the registry as Flink's connector takes them, from our settings."""

from photolog.errors import SettingsError
from photolog.settings import KafkaSettings, RegistrySettings

_LOGIN_MODULES = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}


def kafka_properties(kafka: KafkaSettings) -> dict[str, str]:
    """Options of a table that lead to the brokers.

    Raises:
        SettingsError: SASL is asked for without a user name and password.
    """
    found = {"bootstrap.servers": kafka.bootstrap_servers, "security.protocol": kafka.security_protocol}
    if kafka.ssl_ca_location is not None:
        found |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": kafka.ssl_ca_location}
    if kafka.security_protocol.startswith("SASL"):
        if kafka.sasl_username is None or kafka.sasl_password is None:
            raise SettingsError("PHOTOLOG_KAFKA__SASL_USERNAME and PHOTOLOG_KAFKA__SASL_PASSWORD are needed for SASL")
        mechanism = kafka.sasl_mechanism or "PLAIN"
        user, password = _escaped(kafka.sasl_username), _escaped(kafka.sasl_password.get_secret_value())
        found |= {
            "sasl.mechanism": mechanism,
            "sasl.jaas.config": f'{_LOGIN_MODULES[mechanism]} required username="{user}" password="{password}";',
        }
    return {f"properties.{name}": value for name, value in found.items()}


def registry_properties(registry: RegistrySettings) -> dict[str, str]:
    """Options of a table's values that lead to their schema."""
    found = {"url": registry.url}
    if registry.username is not None and registry.password is not None:
        found |= {
            "basic-auth.credentials-source": "USER_INFO",
            "basic-auth.user-info": f"{registry.username}:{registry.password.get_secret_value()}",
        }
    if registry.ssl_ca_location is not None:
        found |= {"ssl.truststore.location": registry.ssl_ca_location}
    return {f"value.avro-confluent.{name}": value for name, value in found.items()}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
