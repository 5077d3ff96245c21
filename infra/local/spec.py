"""What the supervisor needs to know of a process, engine or job alike."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from infra.local.home import Home

ENGINE_TEMPLATES = Path(__file__).parent / "engines"
TEMPLATE_SUFFIXES = frozenset({".properties", ".yaml", ".args", ".conf", ".xml", ".vcl"})


def _nothing() -> None:
    """The preparation of a process that needs none."""


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """One process of the stack, as data.

    Args:
        name: unique in the stack; names its log and its record.
        command: program and arguments.
        ready: asks the process itself, in its own protocol, whether it serves; bounded to a few seconds, False or an
            exception of the client's while it does not.
        depends_on: names of processes that must be ready before this one starts, and that stop after it.
        environment: added to the stack's environment.
        port: where it serves, checked to be free before the boot and shown by `status`.
        other_ports: more that must be free.
        metrics_port: where it serves Prometheus metrics.
        prepare: done before each start (folders, formatting); may block, runs in a thread.
        one_shot: it is done when it exits with 0, and ready then.
        ready_seconds: how long a first boot may take until it is ready.
        stop_seconds: between SIGTERM and SIGKILL.
    """

    name: str
    command: tuple[str, ...]
    ready: Callable[[], bool]
    depends_on: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    other_ports: Mapping[str, int] = field(default_factory=dict)
    metrics_port: int | None = None
    prepare: Callable[[], None] = _nothing
    one_shot: bool = False
    ready_seconds: float = 300.0
    stop_seconds: float = 20.0

    def ports(self) -> dict[str, int]:
        """Every port that must be free before it starts, by a name that a person understands."""
        named = {self.name: self.port, f"{self.name} metrics": self.metrics_port, **self.other_ports}
        return {name: port for name, port in named.items() if port is not None}

    def ask(self) -> str | None:
        """Ask it now whether it serves.

        Returns:
            None if it does, else why not, as far as that is known.
        """
        try:
            return None if self.ready() else "does not answer yet"
        except Exception as error:  # noqa: BLE001  # Whatever its client makes of a half-started server is the answer.
            return f"{type(error).__name__}: {error}"


@dataclass(frozen=True)
class Site:
    """Where a stack is set up: what the declarations of its processes are made from.

    Args:
        home: its folders.
        ports: port of each name in `infra.local.ports.OFFSETS`.
        environment: the stack's PHOTOLOG_* keys.
    """

    home: Home
    ports: Mapping[str, int]
    environment: Mapping[str, str]

    def data(self, engine: str) -> Path:
        """The data folder of an engine."""
        return self.home.data / engine

    def config(self, engine: str) -> Path:
        """The folder that `render` fills."""
        return self.home.config / engine

    def render(self, engine: str, **values: object) -> None:
        """Fill an engine's templates (`infra/local/engines/<engine>/`) into its config folder, private to its owner.

        Args:
            engine: name of the folder; its data folder is made too.
            values: for the templates' `${…}`, beside `data` (the engine's data folder) and each port as `port_<name>`.
        """
        self.data(engine).mkdir(parents=True, exist_ok=True)
        self.config(engine).mkdir(parents=True, exist_ok=True)
        known = {f"port_{name.replace('-', '_')}": port for name, port in self.ports.items()}
        for template in (ENGINE_TEMPLATES / engine).iterdir():
            if template.suffix in TEMPLATE_SUFFIXES and template.name != "pom.xml":
                text = Template(template.read_text()).substitute({**known, "data": self.data(engine), **values})
                write_private(self.config(engine) / template.name, text)


def write_private(path: Path, text: str) -> None:
    """Replace a file, whole or not at all, so that only its owner can read it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)
