"""Varnish: found with all that it needs, installed where that is allowed, done without where not."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import varnish as varnish_module
from infra.local.varnish import install_varnish, varnish_executable
from tests.unit.infra.test_java import executable

MODULE = "lib/x86_64-linux-gnu/varnish/vmods/libvmod_xkey.so"


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose PATH and system folders are empty folders of this test."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(varnish_module, "PROGRAMS", (tmp_path / "sbin/varnishd",))
    monkeypatch.setattr(varnish_module, "MODULES", tmp_path)
    monkeypatch.setattr(varnish_module, "SYSTEMD", tmp_path / "systemd")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    varnish_executable.cache_clear()
    yield
    varnish_executable.cache_clear()


def put(tmp_path: Path, *parts: str) -> None:
    places = {"program": "sbin/varnishd", "module": MODULE, "compiler": "bin/gcc"}
    for part in parts:
        executable(tmp_path / places[part])


def apt(tmp_path: Path, script: str) -> None:
    executable(tmp_path / "bin/apt-get", script)
    (tmp_path / "bin/env").symlink_to("/usr/bin/env")


def test_it_is_found_outside_of_path(tmp_path: Path) -> None:
    put(tmp_path, "program", "module", "compiler")
    assert varnish_executable() == tmp_path / "sbin/varnishd"


@pytest.mark.parametrize("missing", ["program", "module", "compiler"])
def test_without_all_that_it_needs_it_is_as_if_it_were_not_there(tmp_path: Path, missing: str) -> None:
    put(tmp_path, *({"program", "module", "compiler"} - {missing}))
    assert varnish_executable() is None


def test_it_is_installed_by_apt_and_said(tmp_path: Path) -> None:
    put(tmp_path, "compiler")
    folder = (tmp_path / MODULE).parent
    install = f"/bin/mkdir -p {folder} {tmp_path}/sbin; : > {tmp_path}/{MODULE}; : > {tmp_path}/sbin/varnishd"
    apt(tmp_path, f'echo "$@" >> {tmp_path}/calls; [ "$1" = update ] || {{ {install}; }}')
    said: list[str] = []
    install_varnish(said.append)
    assert varnish_executable() is not None
    assert (tmp_path / "calls").read_text().splitlines()[1].endswith("varnish varnish-modules")
    assert "varnish and varnish-modules" in said[0]
    install_varnish(said.append)
    assert len(said) == 1, "what is there is not installed again"


def test_the_server_that_the_package_starts_is_stopped_where_there_is_an_init_system(tmp_path: Path) -> None:
    (tmp_path / "systemd").mkdir()
    apt(tmp_path, "exit 0")
    executable(tmp_path / "bin/systemctl", f'echo "$@" > {tmp_path}/stopped')
    install_varnish(lambda _: None)
    assert (tmp_path / "stopped").read_text() == "disable --now varnish.service\n"


def test_where_it_cannot_be_installed_the_stack_goes_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    install_varnish(said.append)
    assert "without Varnish" in said[-1]
    assert "apt-get install varnish" in said[-1]
    apt(tmp_path, "echo E: Unable to fetch some archives >&2; exit 100")
    install_varnish(said.append)
    assert "without Varnish" in said[-1]
    assert "Unable to fetch" in said[-1]
    assert varnish_executable() is None
    executable(tmp_path / "bin/apt-get", f"touch {tmp_path}/called")
    monkeypatch.setattr(os, "geteuid", lambda: 1_000)
    install_varnish(said.append)
    assert not (tmp_path / "called").exists()
