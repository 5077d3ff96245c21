"""Varnish: the shared cache before the edge."""

from functools import partial

from infra.local.probes import http_ok
from infra.local.spec import ProcessSpec, Site
from infra.local.varnish import varnish_executable

STORAGE = "malloc,64m"
LOG = "8m"  # in a file that is mapped into memory; nobody reads it unless something is wrong


def varnish(site: Site) -> ProcessSpec | None:
    """The cache of a stack; None where this machine has no Varnish."""
    program = varnish_executable()
    if program is None:
        return None
    port = site.ports["varnish"]
    return ProcessSpec(
        name="varnish",
        command=(
            str(program), "-F", "-n", str(site.data("varnish")), "-a", f"127.0.0.1:{port}", "-T", "none", "-j", "none",
            *("-f", str(site.config("varnish") / "edge.vcl"), "-s", STORAGE, "-l", LOG),
            # A crowd that comes at once waits; it is not turned away.
            *("-p", "thread_pools=1", "-p", "thread_pool_min=50", "-p", "thread_queue_limit=4000"),
        ),
        ready=partial(http_ok, f"http://127.0.0.1:{port}/healthz"),
        port=port,
        prepare=partial(site.render, "varnish", purge_secret=site.environment["PHOTOLOG_EDGE__PURGE_SECRET"]),
    )  # fmt: skip
