"""The table of processes, the rendered configuration and the logs."""

from pathlib import Path

import pytest

from infra.local.environment import stack_environment
from infra.local.fetch import POMS, VERSIONS
from infra.local.home import Home
from infra.local.logs import KEPT, ROTATE_BYTES, open_log, tail
from infra.local.plan import Parts, Plan
from infra.local.ports import ports_from
from infra.local.processes import MIGRATE, WORKERS
from infra.local.spec import ProcessSpec, Site

JAVA = "infra.local.engines.{}.engine.require_java"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    for engine in ("kafka", "cassandra", "s3proxy", "apicurio", "flink"):
        monkeypatch.setattr(JAVA.format(engine), lambda: Path("/usr/bin/java"))
    for user in ("environment", "engines.varnish.engine"):
        monkeypatch.setattr(f"infra.local.{user}.varnish_executable", lambda: Path("/usr/sbin/varnishd"))
    home = Home(tmp_path)
    home.prepare()
    ports = ports_from(20_000)
    return Site(home, ports, stack_environment(home, ports))


def planned(site: Site, parts: Parts = "all") -> tuple[ProcessSpec, ...]:
    return Plan(port_base=20_000, parts=parts).processes(site.home)


def test_names_and_ports_are_given_once(site: Site) -> None:
    specs = planned(site)
    names = [spec.name for spec in specs]
    ports = [port for spec in specs for port in spec.ports().values()]
    assert len(set(names)) == len(names)
    assert len(set(ports)) == len(ports)


def test_every_dependency_is_named_before_what_needs_it(site: Site) -> None:
    seen: set[str] = set()
    for spec in planned(site):
        assert seen.issuperset(spec.depends_on), spec.name
        seen.add(spec.name)


def test_the_migration_runs_between_the_engines_and_the_application(site: Site) -> None:
    specs = {spec.name: spec for spec in planned(site)}
    engines = {spec.name for spec in planned(site, "engines")}
    assert set(specs[MIGRATE].depends_on) == engines
    assert specs[MIGRATE].one_shot
    applications = set(specs) - engines - {spec.name for spec in planned(site, "flink")} - {MIGRATE}
    assert len(applications) == WORKERS + 8
    assert all(MIGRATE in specs[name].depends_on for name in applications)


def test_applications_alone_wait_for_the_migration_only(site: Site) -> None:
    specs = planned(site, "applications")
    assert next(spec.depends_on for spec in specs if spec.name == MIGRATE) == ()
    assert {spec.name for spec in specs}.isdisjoint(spec.name for spec in planned(site, "engines"))


def test_each_application_process_has_a_metrics_port_of_its_own(site: Site) -> None:
    ports = [
        spec.environment["PHOTOLOG_METRICS_PORT"]
        for spec in planned(site)
        if "PHOTOLOG_METRICS_PORT" in spec.environment
    ]
    assert len(set(ports)) == len(ports) == WORKERS + 8


def test_without_varnish_there_is_none_and_clients_are_sent_to_the_edge_itself(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "varnish" in {spec.name for spec in planned(site, "engines")}
    assert site.environment["PHOTOLOG_EDGE__PUBLIC_URL"] == "http://127.0.0.1:20009"
    for user in ("environment", "engines.varnish.engine"):
        monkeypatch.setattr(f"infra.local.{user}.varnish_executable", lambda: None)
    assert "varnish" not in {spec.name for spec in planned(site)}
    alone = stack_environment(site.home, site.ports)
    assert (alone["PHOTOLOG_EDGE__PUBLIC_URL"], alone["PHOTOLOG_EDGE__CACHES"]) == ("http://127.0.0.1:20008", "[]")


def test_no_secret_is_on_a_command_line(site: Site) -> None:
    secrets = [value for key, value in site.environment.items() if "SECRET" in key or "PASSWORD" in key]
    words = " ".join(word for spec in planned(site) for word in spec.command)
    assert not [secret for secret in secrets if secret in words]


def test_rendered_configuration_is_complete_and_private(site: Site) -> None:
    site.render("cassandra")
    site.render("valkey", password="secret")
    rendered = site.config("cassandra") / "cassandra.yaml"
    assert "${" not in rendered.read_text()
    assert "native_transport_port: 20003" in rendered.read_text()
    assert not (site.config("cassandra") / "pom.xml").exists()
    site.render("varnish", purge_secret="secret")
    vcl = (site.config("varnish") / "edge.vcl").read_text()
    assert ('.port = "20008"' in vcl, '!= "secret"' in vcl, "${" in vcl, "$$" in vcl) == (True, True, False, False)
    assert (site.config("valkey") / "valkey.conf").stat().st_mode & 0o777 == 0o600


def test_a_placeholder_without_a_value_is_an_error(site: Site) -> None:
    with pytest.raises(KeyError, match="password"):
        site.render("valkey")


@pytest.mark.parametrize("engine", VERSIONS)
def test_the_versions_that_are_run_are_those_that_are_fetched(engine: str) -> None:
    pom = (POMS / engine / "pom.xml").read_text()
    assert f"<artifactId>{engine}</artifactId>\n  <version>{VERSIONS[engine]}</version>" in pom
    assert f"<module>{engine}</module>" in (POMS / "pom.xml").read_text()


def test_a_grown_log_is_turned_over_and_the_oldest_dropped(tmp_path: Path) -> None:
    path = tmp_path / "kafka.log"
    for generation in range(KEPT + 2):
        with open_log(path) as log:
            log.write(f"{generation}\n".encode())
            log.truncate(ROTATE_BYTES + 1)
    with open_log(path) as log:
        log.write(b"last\n")
    assert path.read_bytes() == b"last\n"
    assert (tmp_path / "kafka.log.1").read_bytes().startswith(f"{KEPT + 1}\n".encode())
    assert len(list(tmp_path.iterdir())) == KEPT + 1


def test_a_small_log_is_continued_and_its_end_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "kafka.log"
    for number in range(50):
        with open_log(path) as log:
            log.write(f"line {number}\n".encode())
    assert tail(path, lines=2) == "line 48\nline 49"
    assert tail(tmp_path / "absent.log") == ""
