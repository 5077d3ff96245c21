"""What a supervisor is asked to run: handed to it at its start, and written down for whoever asks later."""

from typing import Literal

import msgspec

from infra.local.environment import stack_environment
from infra.local.home import Home
from infra.local.ports import ports_from
from infra.local.processes import applications, engines, flink_cluster
from infra.local.spec import ProcessSpec, Site

Parts = Literal["all", "engines", "applications", "flink"]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A stack as asked for.

    Args:
        port_base: first port of its set.
        parts: which processes it runs; `applications` and `flink` use the engines of another stack.
        overrides: PHOTOLOG_* keys that replace what the stack would set.
        parent: pid of the process that the stack must not outlive; None for a stack of its own.
    """

    port_base: int
    parts: Parts = "all"
    overrides: dict[str, str] = {}
    parent: int | None = None

    def site(self, home: Home) -> Site:
        """Where it is set up; draws the home's secrets at its first boot."""
        ports = ports_from(self.port_base)
        return Site(home, ports, stack_environment(home, ports) | self.overrides)

    def processes(self, home: Home) -> tuple[ProcessSpec, ...]:
        """What it runs, in the order in which it is shown."""
        site = self.site(home)
        if self.parts == "flink":
            return flink_cluster(site)
        if self.parts == "applications":
            return applications(site, after=())
        base = engines(site)
        return base if self.parts == "engines" else (*base, *applications(site, tuple(spec.name for spec in base)))
