"""Varnish: found, or installed through the system's package manager where that is allowed. A stack does without it."""

import shutil
import subprocess
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from infra.local.apt import apt_command, install
from infra.local.errors import StackError

PACKAGES = ("varnish", "varnish-modules")
PROGRAMS = (Path("/usr/sbin/varnishd"), Path("/usr/local/sbin/varnishd"))
MODULES = Path("/usr")
_PLACES = ("lib*/varnish/vmods/libvmod_xkey.so", "lib*/*/varnish/vmods/libvmod_xkey.so")
SYSTEMD = Path("/run/systemd/system")
ADVICE = f"On Debian or Ubuntu: `sudo apt-get install {' '.join(PACKAGES)}`, then run the same command again."


@lru_cache(maxsize=1)
def varnish_executable() -> Path | None:
    """A varnishd on this machine that can purge by key and compile its configuration; None if there is none."""
    on_path = shutil.which("varnishd")
    found = next((one for one in (*([Path(on_path)] if on_path else []), *PROGRAMS) if one.is_file()), None)
    compiler = shutil.which("gcc") or shutil.which("cc")
    has_module = any(path for place in _PLACES for path in MODULES.glob(place))
    return found if found and compiler and has_module else None


def install_varnish(say: Callable[[str], None]) -> None:
    """Install it where it is missing and may be installed; where not, say so.

    Args:
        say: told what is being done, or why it is not.
    """
    if varnish_executable() is not None:
        return
    apt = apt_command()
    if apt is None:
        say(f"Going on without Varnish. {ADVICE}")
        return
    say(f"Installing {' and '.join(PACKAGES)} with apt-get (once) …")
    try:
        install(apt, PACKAGES, ADVICE)
    except StackError as error:
        say(f"Going on without Varnish: {error}")
        return
    varnish_executable.cache_clear()
    _stop_systems_own(apt[: apt.index("env")])


def _stop_systems_own(before: list[str]) -> None:
    """The package starts a server of its own at every boot, which nobody asked for."""
    if SYSTEMD.is_dir():
        command = [*before, "systemctl", "disable", "--now", "varnish.service"]
        subprocess.run(command, capture_output=True, timeout=60, check=False)
