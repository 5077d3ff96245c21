"""`photolog up`: boot the stack and stay with it, or leave it running."""

import signal
import time
from typing import Annotated

import typer
from rich.console import Console

from cli.progress import BootProgress
from cli.status import status_table
from infra.local.errors import StackError
from infra.local.home import default_home
from infra.local.ports import chosen_base
from infra.local.records import read_supervisor
from infra.local.stack import Stack
from infra.local.status import stack_status
from infra.local.varnish import ADVICE, varnish_executable

POLL_SECONDS = 0.5


def up(
    detach: Annotated[bool, typer.Option("--detach", help="Return when all is ready and leave it running.")] = False,
    engines_only: Annotated[bool, typer.Option("--engines-only", help="Leave the jobs and the gateway out.")] = False,
    port_base: Annotated[
        int | None, typer.Option(help="First of the ports to use.", envvar="PHOTOLOG_LOCAL_PORT_BASE")
    ] = None,
) -> None:
    """Boot the engines, the jobs and the gateway on this machine.

    The first time, this fetches the engines and installs Java 17, Maven and Varnish where it may.

    Without --detach it stays in the foreground, and Ctrl-C stops everything.
    """
    console = Console()
    stack = Stack(default_home().root, chosen_base(port_base), engines_only=engines_only)
    started = time.monotonic()
    boot(stack, console, detached=detach)
    console.print(status_table(stack_status(stack.home)))
    console.print(f"Up in {time.monotonic() - started:.0f} s.")
    if varnish_executable() is None:
        console.print(f"Without Varnish: pictures come straight from the edge. {ADVICE}", soft_wrap=True)
    console.print(f"Settings for other programs: {stack.home.environment_file}", soft_wrap=True)
    if not detach:
        console.print("Ctrl-C stops everything.")
        stay(stack, console)


def boot(stack: Stack, console: Console, *, detached: bool = False) -> None:
    """Start a stack and show how it goes.

    Raises:
        StackError: it did not boot; nothing of it is left running.
    """
    _let_signals_interrupt()
    progress = BootProgress(console)
    with progress.shown():
        stack.start(detached=detached, say=progress.say, progress=progress.show)


def stay(stack: Stack, console: Console) -> None:
    """Wait until Ctrl-C, then stop the stack.

    Raises:
        StackError: the supervisor ended by itself.
    """
    try:
        while stack.is_up():
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        console.print("Stopping …")
        stack.stop()
        console.print("Stopped.")
        return
    # `down` from another terminal ends it too, and then its record is gone or says so.
    record = read_supervisor(stack.home)
    if record is not None and record.phase not in ("stopping", "stopped"):
        stack.stop()
        raise StackError(f"The supervisor ended by itself; see {stack.home.log('supervisor')}.")


def _let_signals_interrupt() -> None:
    """Make SIGTERM and a closed terminal end this command as Ctrl-C does, so that the stack is stopped in order.

    SIGINT is named too, because a shell without job control starts its background commands with SIGINT ignored.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
