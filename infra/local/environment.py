"""The PHOTOLOG_* keys of a local stack: addresses from its ports, secrets drawn once and kept."""

import base64
import json
import os
import secrets
from collections.abc import Callable, Mapping

from dotenv import dotenv_values

from infra.local.engines.flink.engine import connectors
from infra.local.home import Home
from infra.local.spec import write_private
from infra.local.varnish import varnish_executable

REGION = "us-east-1"
BUCKET = "photolog"


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


# Drawn at first boot and kept: data written under them could not be read or reached without them.
_SECRETS: Mapping[str, Callable[[], str]] = {
    "PHOTOLOG_SECRETS__ACCESS_TOKEN_KEY": _random_key,
    "PHOTOLOG_SECRETS__MASTER_KEY": _random_key,
    "PHOTOLOG_SECRETS__HASH_KEY": _random_key,
    "PHOTOLOG_S3__ACCESS_KEY": lambda: secrets.token_hex(10),
    "PHOTOLOG_S3__SECRET_KEY": lambda: secrets.token_hex(20),
    "PHOTOLOG_EDGE__SIGNING_KEYS": lambda: f'["{_random_key()}"]',
    "PHOTOLOG_EDGE__PURGE_SECRET": lambda: secrets.token_hex(20),
    "PHOTOLOG_LOCAL_REDIS_PASSWORD": lambda: secrets.token_hex(16),
}

# One machine is a whole world here: hundreds of people, and every benchmark, come from one address. The rates hold as
# anywhere, but nobody meets them; those of wrong passwords are a deployment's. The shell may name others.
_RATES: Mapping[str, str] = {
    f"PHOTOLOG_LIMITS__RATE_{name}": "1000000/60"
    for name in (
        "READ", "MEDIA", "WRITE", "GRAPH", "COMMENT", "UPLOAD", "TELEMETRY", "LOGIN", "REFRESH", "SIGNUP", "ADDRESS"
    )
}  # fmt: skip


def stack_environment(home: Home, ports: Mapping[str, int]) -> dict[str, str]:
    """The keys for a stack on these ports, with the home's secrets; writes them to the home's `local.env` (0600)."""
    kept = read_environment(home)
    values = {key: kept.get(key) or draw() for key, draw in _SECRETS.items()}
    values |= _addresses(home, ports, values["PHOTOLOG_LOCAL_REDIS_PASSWORD"])
    values |= {key: os.environ.get(key, rate) for key, rate in _RATES.items()}
    if values != kept:
        _write(home, values)
    return values


def read_environment(home: Home) -> dict[str, str]:
    """What the home's `local.env` holds; empty before the first boot."""
    return {key: value for key, value in dotenv_values(home.environment_file).items() if value is not None}


def use_local_environment(home: Home) -> None:
    """Point this process at the local stack, unless the caller's environment already names a deployment.

    All or nothing: a deployment's missing key is never filled from the local stack.
    """
    named = "PHOTOLOG_ENV_FILE" in os.environ or any(_names_a_deployment(key) for key in os.environ)
    if not named and home.environment_file.is_file():
        os.environ["PHOTOLOG_ENV_FILE"] = str(home.environment_file)


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """What a process of the stack takes over from the shell: everything but the keys of another deployment."""
    return {
        key: value for key, value in environment.items() if key != "PHOTOLOG_ENV_FILE" and not _names_a_deployment(key)
    }


def _names_a_deployment(key: str) -> bool:
    return key.startswith("PHOTOLOG_") and "__" in key and not key.startswith("PHOTOLOG_LIMITS__")


def _addresses(home: Home, ports: Mapping[str, int], redis_password: str) -> dict[str, str]:
    gateway = f"http://127.0.0.1:{ports['gateway']}"
    s3 = f"http://127.0.0.1:{ports['s3proxy']}"
    caches = [f"http://127.0.0.1:{ports['varnish']}"] if varnish_executable() else []
    return {
        "PHOTOLOG_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{ports['kafka']}",
        "PHOTOLOG_REGISTRY__URL": f"http://127.0.0.1:{ports['apicurio']}/apis/ccompat/v7",
        "PHOTOLOG_CASSANDRA__HOSTS": '["127.0.0.1"]',
        "PHOTOLOG_CASSANDRA__PORT": str(ports["cassandra"]),
        "PHOTOLOG_REDIS__URL": f"redis://:{redis_password}@127.0.0.1:{ports['valkey']}/0",
        "PHOTOLOG_S3__ENDPOINT_URL": s3,
        "PHOTOLOG_S3__PUBLIC_ENDPOINT_URL": s3,
        "PHOTOLOG_S3__REGION": REGION,
        "PHOTOLOG_S3__BUCKET": BUCKET,
        "PHOTOLOG_GATEWAY__HOST": "127.0.0.1",
        "PHOTOLOG_GATEWAY__PORT": str(ports["gateway"]),
        "PHOTOLOG_GATEWAY__PUBLIC_URL": gateway,
        "PHOTOLOG_EDGE__HOST": "127.0.0.1",
        "PHOTOLOG_EDGE__PORT": str(ports["edge"]),
        "PHOTOLOG_EDGE__PUBLIC_URL": caches[0] if caches else f"http://127.0.0.1:{ports['edge']}",
        "PHOTOLOG_EDGE__CACHES": json.dumps(caches),
        "PHOTOLOG_FLINK__REST_URL": f"http://127.0.0.1:{ports['flink-rest']}",
        "PHOTOLOG_FLINK__JARS": json.dumps([str(jar) for jar in connectors()]),
        "PHOTOLOG_FLINK__STATE_URI": (home.data / "flink" / "state").as_uri(),
        "PHOTOLOG_METRICS_HOST": "127.0.0.1",
    }


def _write(home: Home, values: Mapping[str, str]) -> None:
    text = "# Written by `bin/photolog up`. The secrets are kept from boot to boot; the addresses are not.\n"
    # Single quotes: read alike by dotenv and by a shell. No value of ours holds one.
    text += "".join(f"{key}='{value}'\n" for key, value in values.items())
    write_private(home.environment_file, text)
